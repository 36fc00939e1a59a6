"""Several operations in one request, which Salesforce counts as one; and queries read to their end.

A composite holds 25 subrequests, of which 5 may be queries or collections. Unless `allOrNone` is
set, each subrequest stands alone, and so does its answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keeping_plugin.salesforce import errors
from keeping_plugin.salesforce.queries import soql
from keeping_plugin.salesforce.queries.payloads import Malformed, mapping, sequence
from keeping_plugin.salesforce.wire.calls import Calls
from keeping_plugin.salesforce.wire.client import Answer

QUERIES = 5

Rows = list[Mapping[str, Any]]

_NEXT_PAGE = re.compile(
    r"/services/data/v[0-9]+\.0/(?P<path>query(?:All)?/[A-Za-z0-9]{6,40}-[0-9]+)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Sub:
    """One subrequest; `path` is below the API's root, `name` its referenceId."""

    name: str
    path: str
    method: str = "GET"
    body: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


def query(name: str, statement: str, *, deleted_too: bool = False) -> Sub:
    """A query as a subrequest, where its length does not matter."""
    return Sub(name, soql.path(statement, deleted_too=deleted_too))


def ask_all(
    calls: Calls,
    name: str,
    subs: Sequence[Sub],
    *,
    write: bool = False,
    headers: Mapping[str, str] | None = None,
    all_or_none: bool = False,
) -> dict[str, Answer]:
    """Send them in one composite; the answers by name, whatever they say. For a read every
    subrequest must have been answered; a write keeps what there is. Raises Malformed."""

    def body(root: str) -> dict[str, Any]:
        return {"allOrNone": all_or_none, "compositeRequest": [_request(sub, root) for sub in subs]}

    answer = calls.ask(name, "POST", "composite", body=body, headers=headers, write=write)
    answers = {}
    for entry in map(mapping, sequence(mapping(answer.body).get("compositeResponse"))):
        status, own_headers = entry.get("httpStatusCode"), entry.get("httpHeaders")
        if isinstance(status, int):
            answers[entry.get("referenceId")] = Answer(
                status, entry.get("body"), own_headers if isinstance(own_headers, dict) else {}
            )
    found = {sub.name: answers[sub.name] for sub in subs if sub.name in answers}
    if not write and len(found) < len(subs):
        raise Malformed("a subrequest was not answered")
    return found


def _request(sub: Sub, root: str) -> dict[str, Any]:
    request: dict[str, Any] = {
        "method": sub.method,
        "referenceId": sub.name,
        "url": root + sub.path,
    }
    if sub.body is not None:
        request["body"] = sub.body
    if sub.headers:
        request["httpHeaders"] = dict(sub.headers)
    return request


def rows(calls: Calls, name: str, answer: Answer) -> Rows:
    """Every row of a query, further pages fetched. Raises what the answer means, Malformed."""
    found: Rows = []
    while True:
        if answer.status != 200:
            raise errors.of_answer(answer, write=False)
        page = mapping(answer.body)
        found += map(mapping, sequence(page.get("records")))
        if page.get("done") is True:
            break
        following = _NEXT_PAGE.fullmatch(str(page.get("nextRecordsUrl")))
        if following is None:
            raise Malformed("no next page that could be asked for")
        answer = calls.ask(name, "GET", following["path"])
    if page.get("totalSize") != len(found):
        raise Malformed("fewer rows than there are")
    return found


def query_rows(calls: Calls, name: str, *statements: str) -> list[Rows]:
    """At most five queries in one request, each read to its end."""
    subs = [query(f"q{number}", statement) for number, statement in enumerate(statements)]
    answers = ask_all(calls, name, subs)
    return [rows(calls, name, answers[sub.name]) for sub in subs]
