"""One HTTP request to an org's REST API. The only module that knows simple-salesforce."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError
from simple_salesforce.format import format_soql
from simple_salesforce.util import Usage as LibraryUsage

from keeping_plugin.salesforce.readable import may_be_unreadable, readable
from keeping_plugin.salesforce.transport import Transport
from keeping_plugin.types import Tokens, Usage

__all__ = ["UNREADABLE", "Answer", "Client", "format_soql"]


class _Unreadable:
    def __repr__(self) -> str:
        return "UNREADABLE"


# The body of an answer that is not JSON: HTML, a part of an answer, a nesting too deep to read.
UNREADABLE = _Unreadable()


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer, or one of a composite's. `body` is parsed JSON, None when there was
    none, UNREADABLE when it was something else."""

    status: int
    body: Any = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def usage(self) -> Usage | None:
        """`Sforce-Limit-Info: api-usage=73/15000`."""
        found = Salesforce.parse_api_usage(self.headers.get("Sforce-Limit-Info", ""))
        usage = found.get("api-usage")
        return Usage(usage.used, usage.total) if isinstance(usage, LibraryUsage) else None


class Client:
    """Sends requests below `/services/data/vXX.X/` with a bearer token."""

    def __init__(self, transport: Transport, version: str) -> None:
        self._transport = transport
        self._version = version

    @property
    def root(self) -> str:
        """Where paths begin, as composite subrequests and next-page addresses spell it."""
        return f"/services/data/v{self._version}/"

    def send(
        self,
        tokens: Tokens,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, whatever its answer says. Raises NoAnswer, CallNotStarted."""
        salesforce = Salesforce(
            instance_url=tokens.instance_url,
            session_id=tokens.access_token,
            version=self._version,
            session=self._transport,
            object_pairs_hook=None,
        )
        responses: list[requests.Response] = []
        parsed: Any = None
        try:
            parsed = salesforce.restful(
                path,
                method=method,
                data=None if body is None else json.dumps(body, allow_nan=False),
                headers={
                    "Accept": "application/json",
                    "X-PrettyPrint": None,  # which simple-salesforce asks for
                    **(headers or {}),
                },
                hooks={"response": lambda response, **_: responses.append(response)},
            )
        except (SalesforceError, ValueError, TypeError, RecursionError):
            # The library's reading of an error, or of a body that is none of JSON's: the answer
            # itself is judged by salesforce.errors. Without one there is nothing to judge.
            if not responses:
                raise
        response = responses[0]
        if parsed is None:
            parsed = _parsed(response)
        if may_be_unreadable(response.content):
            try:
                parsed = readable(parsed)
            except RecursionError:
                parsed = UNREADABLE
        return Answer(response.status_code, parsed, response.headers)


def _parsed(response: requests.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except (ValueError, RecursionError):
        return UNREADABLE
