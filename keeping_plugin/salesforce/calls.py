"""Authenticated calls: whose token, one refresh, and what each answer tells of the org's usage."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from keeping_plugin.errors import ConnectionBarred, SalesforceError
from keeping_plugin.salesforce import errors
from keeping_plugin.salesforce.answer_sizes import MAX_BYTES
from keeping_plugin.salesforce.client import UNREADABLE, Answer, Client
from keeping_plugin.salesforce.deadline import current_call
from keeping_plugin.salesforce.payloads import Malformed, http_date
from keeping_plugin.salesforce.transport import NoAnswer, Transport
from keeping_plugin.types import Tokens, Usage

log = logging.getLogger(__name__)


def _headers(name: str) -> dict[str, str]:
    """On every request: nothing the plugin reads or writes enters the user's "recently viewed"
    list, and the org's own logs name the caller and its verb."""
    return {"Sforce-Call-Options": f"client=keeping/{name}", "Sforce-Mru": "updateMru=false"}


class TokenSource(Protocol):
    """One connection's tokens, kept in the database."""

    def current(self) -> Tokens:
        """The tokens as they stand. Raises NotConnected, ConnectionLost, ConnectionBarred,
        NotReady."""

    def renew(self, stale_access_token: str) -> Tokens:
        """Tokens newer than the one Salesforce has just refused. One process refreshes, under the
        connection's refresh lease and with the row read again first; the others wait and get what
        it stored. Raises ConnectionLost, ConnectionBarred, SalesforceUnavailable, RateLimited,
        NotReady."""

    def refused(self, tokens: Tokens, error: ConnectionBarred) -> SalesforceError:
        """Salesforce answered 401 to tokens that no refresh makes better. Returns the error for the
        call."""

    def worked(self) -> None:
        """Salesforce knew the caller of a call. Called after each such answer."""


class Calls:
    """Requests in the name of one connection. `seconds`: the deadline of each whole verb."""

    def __init__(
        self, tokens: TokenSource, transport: Transport, *, version: str, seconds: float
    ) -> None:
        self._tokens = tokens
        self._transport = transport
        self._client = Client(transport, version)
        self._seconds = seconds
        self.usage: Usage | None = None
        self.server_date: datetime | None = None
        self.requests = 0

    @property
    def root(self) -> str:
        """The path of the API's root, `/services/data/vXX.X/`."""
        return self._client.root

    @contextmanager
    def verb(self, name: str, *, start_by: float | None = None) -> Iterator[None]:
        """Everything asked inside shares one deadline, and no answer is larger than this verb's may
        be; an answer to a read that is not of the promised shape ends as SalesforceUnavailable."""
        with self._transport.call(
            seconds=self._seconds, start_by=start_by, max_bytes=MAX_BYTES[name]
        ):
            try:
                yield
            except Malformed as error:
                raise errors.unusable(write=False) from error

    def ask(
        self,
        name: str,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        write: bool = False,
        accept: frozenset[int] = frozenset({200}),
    ) -> Answer:
        """One request inside a verb, repeated once with a new token when the old one has ended.

        Raises what the answer means unless its status is among those accepted.
        """
        call = current_call()
        if call is None:
            raise RuntimeError("a request outside a verb has no deadline")
        tokens = self._tokens.current()
        answer = self._send(name, tokens, method, path, body, headers, write)
        if _session_ended(answer):
            tokens = self._tokens.renew(tokens.access_token)
            answer = self._send(name, tokens, method, path, body, headers, write)
        call.start_by = None  # it has begun; further pages may come later
        if answer.status == 401:
            raise self._tokens.refused(tokens, errors.of_login(answer))
        if _caller_known(answer):
            self._tokens.worked()
        if answer.status not in accept:
            raise errors.of_answer(answer, write=write)
        return answer

    def _send(
        self,
        name: str,
        tokens: Tokens,
        method: str,
        path: str,
        body: object,
        headers: Mapping[str, str] | None,
        write: bool,
    ) -> Answer:
        began = time.monotonic()
        try:
            answer = self._client.send(
                tokens, method, path, body=body, headers={**_headers(name), **(headers or {})}
            )
        except NoAnswer as silence:
            self.requests += silence.sent
            _record(name, began, str(silence))
            raise errors.of_silence(silence, write=write) from silence
        self.requests += 1
        self.usage = answer.usage or self.usage
        self.server_date = http_date(answer.headers.get("Date")) or self.server_date
        _record(name, began, answer.status, self.usage)
        return answer


def _session_ended(answer: Answer) -> bool:
    return answer.status == 401 and any(
        complaint.code == "INVALID_SESSION_ID" for complaint in errors.complaints_of(answer.body)
    )


def _caller_known(answer: Answer) -> bool:
    """Said by Salesforce itself, to somebody it had let in: not by its edge, nor in an outage."""
    if answer.status < 300 or answer.status == 304:
        return answer.body is not UNREADABLE
    return 400 <= answer.status < 500 and bool(errors.complaints_of(answer.body))


def _record(name: str, began: float, status: int | str, usage: Usage | None = None) -> None:
    """One line a request: what it was, how it ended, what it cost. Never bodies, tokens or
    addresses."""
    milliseconds = round((time.monotonic() - began) * 1000)
    log.info(
        "salesforce.call name=%s status=%s ms=%d usage=%s",
        name,
        status,
        milliseconds,
        f"{usage.used}/{usage.limit}" if usage else "-",
    )
