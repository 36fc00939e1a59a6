"""Authenticated calls: whose token, one refresh, and what each answer tells of the org's usage."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from keeping_plugin.errors import ConnectionBarred, KeepingError, SalesforceError
from keeping_plugin.salesforce import errors, versions
from keeping_plugin.salesforce.queries.payloads import Malformed, http_date
from keeping_plugin.salesforce.wire.answer_sizes import MAX_BYTES
from keeping_plugin.salesforce.wire.client import UNREADABLE, Answer, Client
from keeping_plugin.salesforce.wire.deadline import current_call
from keeping_plugin.salesforce.wire.transport import NoAnswer, Transport
from keeping_plugin.types import Tokens, Usage

log = logging.getLogger(__name__)

Body = Callable[[str], object] | Mapping[str, object] | None

# 420 and 421 are words of Salesforce's edge: it has no route to the org from here.
_MOVED = frozenset({301, 302, 303, 307, 308, 420, 421})


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

    def relocate(self, tokens: Tokens) -> Tokens | None:
        """Nobody serves the org at the address of these tokens any more. Tokens with another
        address, for which one refresh in five minutes may be made; None when nobody knows one.
        Raises ConnectionLost, ConnectionBarred, NotConnected, NotReady."""

    @property
    def version(self) -> str | None:
        """The version of the API last agreed with the org, as `current` found it; None before."""

    def agreed(self, version: str) -> None:
        """Keep the version that was agreed with the org."""

    def worked(self) -> None:
        """Salesforce knew the caller of a call. Called after each such answer."""


@dataclass(frozen=True, slots=True)
class _Request:
    name: str
    method: str
    path: str
    body: Body
    headers: Mapping[str, str]
    write: bool


class Calls:
    """Requests in the name of one connection. `version`: the newest we speak; `seconds`: the
    deadline of each whole verb."""

    def __init__(
        self, tokens: TokenSource, transport: Transport, *, version: str, seconds: float
    ) -> None:
        self._tokens = tokens
        self._transport = transport
        self._newest = version
        self._seconds = seconds
        self.usage: Usage | None = None
        self.server_date: datetime | None = None
        self.requests = 0

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
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        write: bool = False,
        accept: frozenset[int] = frozenset({200}),
    ) -> Answer:
        """One request inside a verb, repeated once with a new token when the old one has ended, at
        the org's new address when it has moved, and in another version of the API when it does not
        serve this one. `body` may be made from the API's root, `/services/data/vXX.X/`.

        Raises what the answer means unless its status is among those accepted.
        """
        call = current_call()
        if call is None:
            raise RuntimeError("a request outside a verb has no deadline")
        request = _Request(name, method, path, body, headers or {}, write)
        tokens = self._tokens.current()
        answer = self._send(request, tokens)
        if _session_ended(answer):
            tokens = self._tokens.renew(tokens.access_token)
            answer = self._send(request, tokens)
        if _elsewhere(answer) and call.has_time:
            tokens, answer = self._follow(request, tokens, answer)
        if isinstance(answer, NoAnswer):
            raise errors.of_silence(answer, write=write) from answer
        if versions.may_be_unserved(answer):
            answer = self._agree(request, tokens, answer)
        call.start_by = None  # it has begun; further pages may come later
        if answer.status == 401 or _session_ended(answer):
            raise self._tokens.refused(tokens, errors.of_login(answer))
        if _caller_known(answer):
            self._tokens.worked()
        if answer.status not in accept:
            raise errors.of_answer(answer, write=write)
        return answer

    def agree_on_version(self) -> str:
        """Ask the org which versions it serves, and keep the newest that both sides know. One that
        does not say is spoken to as before: the next call tells. Raises ConnectionBarred when there
        is none."""
        tokens = self._tokens.current()
        theirs = versions.served(self._transport, tokens.instance_url)
        if theirs is None:
            return versions.lower(self._newest, self._tokens.version)
        agreed = versions.newest_common(self._newest, theirs)
        if agreed is None:
            raise self._tokens.refused(tokens, _no_common(self._newest, theirs))
        if agreed != self._tokens.version:
            self._tokens.agreed(agreed)
        return agreed

    def _follow(
        self, request: _Request, tokens: Tokens, answer: Answer | NoAnswer
    ) -> tuple[Tokens, Answer | NoAnswer]:
        """Learn the org's new address, and ask there. A write that was redirected may have been
        taken all the same: that is for the next look to tell, there."""
        unclear = request.write and isinstance(answer, Answer) and answer.status // 100 == 3
        try:
            moved = self._tokens.relocate(tokens)
        except KeepingError as error:
            if not unclear:
                raise
            log.warning("salesforce.moved code=%s", error.code)
            return tokens, answer
        if moved is None or unclear:
            return tokens, answer
        return moved, self._send(request, moved)

    def _agree(self, request: _Request, tokens: Tokens, answer: Answer) -> Answer:
        """After an answer that can mean an unserved version: the answer in the one that is agreed
        on now, or the same when it means something else. Nothing was written."""
        spoken = versions.lower(self._newest, self._tokens.version)
        theirs = versions.served(self._transport, tokens.instance_url)
        unserved = versions.is_unserved(answer, request.path)
        if versions.is_page(answer) or (theirs is None and not unserved):
            raise errors.unusable(write=False)
        if theirs is not None:
            agreed = versions.newest_common(self._newest, theirs)
            if agreed is None:
                raise self._tokens.refused(tokens, _no_common(self._newest, theirs))
            if agreed != spoken:
                self._tokens.agreed(agreed)
                repeated = self._send(request, tokens)
                if isinstance(repeated, NoAnswer):
                    raise errors.of_silence(repeated, write=request.write) from repeated
                answer = repeated
        if versions.is_unserved(answer, request.path):
            raise self._tokens.refused(tokens, errors.of_version(answer, spoken))
        return answer

    def _send(self, request: _Request, tokens: Tokens) -> Answer | NoAnswer:
        began = time.monotonic()
        client = Client(self._transport, versions.lower(self._newest, self._tokens.version))
        body = request.body(client.root) if callable(request.body) else request.body
        try:
            answer = client.send(
                tokens,
                request.method,
                request.path,
                body=body,
                headers={**_headers(request.name), **request.headers},
            )
        except NoAnswer as silence:
            self.requests += silence.sent
            _record(request.name, began, str(silence))
            return silence
        self.requests += 1
        self.usage = answer.usage or self.usage
        self.server_date = http_date(answer.headers.get("Date")) or self.server_date
        _record(request.name, began, answer.status, self.usage)
        return answer


def _no_common(ours: str, theirs: tuple[str, ...]) -> ConnectionBarred:
    oldest, newest = min(theirs, key=float), max(theirs, key=float)
    return ConnectionBarred(
        f"The org supports versions {oldest} to {newest}, and this inbox supports none newer "
        f"than {ours}.",
        reason="version",
    )


def _session_ended(answer: Answer | NoAnswer) -> bool:
    return (
        isinstance(answer, Answer)
        and answer.status in (401, 403)
        and any(entry.code == "INVALID_SESSION_ID" for entry in errors.complaints_of(answer.body))
    )


def _elsewhere(answer: Answer | NoAnswer) -> bool:
    """The org may have another address by now: this one redirects, its edge knows no way to it, or
    nobody could be reached there at all."""
    if isinstance(answer, NoAnswer):
        return not answer.sent
    return answer.status in _MOVED or versions.is_page(answer)


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
