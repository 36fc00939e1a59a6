"""One HTTP request to an org's REST API. The only module that knows simple-salesforce."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError
from simple_salesforce.format import format_soql

from keeping_plugin.salesforce.queries.readable import may_be_unreadable, readable
from keeping_plugin.salesforce.wire.transport import Transport
from keeping_plugin.types import Tokens, Usage

__all__ = ["UNREADABLE", "Answer", "Client", "format_soql", "parsed"]


class _Unreadable:
    def __repr__(self) -> str:
        return "UNREADABLE"


# The body of an answer that is not JSON: HTML, a part of an answer, a nesting too deep to read.
UNREADABLE = _Unreadable()

_USAGE = re.compile(r"(?<![\w-])api-usage=(?P<used>[0-9]{1,9})/(?P<limit>[0-9]{1,9})(?![0-9])")
_DIGITS = 20  # Salesforce's numbers have at most 18


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer, or one of a composite's. `body` is parsed JSON, None when there was
    none, UNREADABLE when it was something else."""

    status: int
    body: Any = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def usage(self) -> Usage | None:
        """`Sforce-Limit-Info: api-usage=73/15000`; None for counts that nobody could keep."""
        found = _USAGE.search(self.headers.get("Sforce-Limit-Info", ""))
        return Usage(int(found["used"]), int(found["limit"])) if found else None


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
        salesforce = _Library(
            instance_url=tokens.instance_url,
            session_id=tokens.access_token,
            version=self._version,
            session=self._transport,
        )
        responses: list[requests.Response] = []
        try:
            salesforce.restful(
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
        except (SalesforceError, ValueError):
            # The library's reading of an error, or of a header: the answer itself is judged by
            # salesforce.errors. Without one there is nothing to judge.
            if not responses:
                raise
        return Answer(responses[0].status_code, parsed(responses[0]), responses[0].headers)


class _Library(Salesforce):
    """simple-salesforce, leaving the body to us: it would take numbers that are none of JSON's."""

    def parse_result_to_json(self, result: requests.Response) -> Any:
        return ()


def parsed(response: requests.Response) -> Any:
    """The JSON of an answer, every text in it readable; None when there is no body, UNREADABLE when
    it is something else."""
    if not response.content:
        return None
    try:
        found = json.loads(
            response.text, parse_int=_whole, parse_float=_fraction, parse_constant=_none_of_jsons
        )
        return readable(found) if may_be_unreadable(response.content) else found
    except (ValueError, RecursionError):
        return UNREADABLE


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError("more digits than any field of Salesforce's has")
    return int(digits)


def _fraction(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("larger than any number of Salesforce's")
    return number


def _none_of_jsons(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
