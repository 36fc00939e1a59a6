"""Every recorded error body, sent to the gateway over HTTP, ends as the error of whoever must act.

The bodies stand in the reference beside the checkout and are read from there, so that a row added
to its tables is tried as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from keeping_plugin.errors import (
    ConnectionBarred,
    OutcomeUnclear,
    PermissionDenied,
    RateLimited,
    RecordNotFound,
    RecordRejected,
    RowLocked,
    SalesforceError,
    SalesforceUnavailable,
    SchemaStale,
)
from tests.salesforce.conftest import LiveOrg

# How a refused update ends; a read ends alike, but for what leaves a write unclear.
EXPECTED: dict[str, type[SalesforceError]] = {
    "INVALID_SESSION_ID": ConnectionBarred,
    "INVALID_AUTH_HEADER": ConnectionBarred,
    "API_DISABLED_FOR_ORG": PermissionDenied,
    "REQUEST_LIMIT_EXCEEDED": RateLimited,
    "INSUFFICIENT_ACCESS_OR_READONLY": PermissionDenied,
    "NOT_FOUND": RecordNotFound,
    "ENTITY_IS_DELETED": RecordNotFound,
    "INVALID_FIELD": SchemaStale,
    "INVALID_TYPE": SchemaStale,
    "UNABLE_TO_LOCK_ROW": RowLocked,
    "QUERY_TIMEOUT": SalesforceUnavailable,
    "UNKNOWN_EXCEPTION": OutcomeUnclear,
    "SERVER_UNAVAILABLE": SalesforceUnavailable,
}
OF_THE_QUESTION = {"MALFORMED_QUERY", "MALFORMED_SEARCH", "INVALID_QUERY_FILTER_OPERATOR"}


class Recorded(NamedTuple):
    """One body and the status it came with."""

    status: int
    body: list[dict[str, Any]]


def recorded(shared: Path) -> list[Recorded]:
    """The bodies of section 4, single records' with their status; those of queries with 400."""
    text = (shared / "salesforce" / "REFERENCE.md").read_text(encoding="utf-8")
    section = text.partition("### 4.1 Bodies")[2].partition("### 4.2")[0]
    found = []
    for line in section.splitlines():
        cells = re.match(r"\| (?:(\d{3})(?:/\d{3})* \| )?`(\[\{.*?\}\])`", line)
        if cells is not None:
            found.append(Recorded(int(cells[1] or 400), json.loads(cells[2])))
    return found


def expected(body: list[dict[str, Any]]) -> type[SalesforceError]:
    return EXPECTED.get(body[0]["errorCode"], RecordRejected)


def test_a_recorded_body_ends_as_the_error_of_whoever_must_act(org: LiveOrg, shared: Path) -> None:
    bodies = recorded(shared)
    assert len(bodies) >= 30
    assert EXPECTED.keys() <= {body[0]["errorCode"] for _, body in bodies}
    verbs: dict[bool, Callable[[], object]] = {
        True: lambda: org.gateway.update("Contact", "003000000000001AAA", {"LastName": "x"}),
        False: lambda: org.gateway.find(["nobody@example.com"]),
    }
    for status, body in bodies:
        kind = expected(body)
        for write, verb in verbs.items():
            # A refused token is asked with twice.
            scope = {"path": "/services/data/v*"}  # not the list of versions
            org.control.fault("answer", status=status, body=body, times=None, scope=scope)
            with pytest.raises(SalesforceError) as refusal:
                verb()
            org.control.clear_faults()
            wanted = SalesforceUnavailable if kind is OutcomeUnclear and not write else kind
            if not write and status == 404:
                # Of `composite` itself: the org does not serve this version of the API.
                assert isinstance(refusal.value, ConnectionBarred)
                assert refusal.value.reason == "version"
                continue
            assert type(refusal.value) is wanted, (status, body)
            told = [(entry.code, entry.message, list(entry.fields)) for entry in
                    refusal.value.complaints]  # fmt: skip
            if not write and "ERROR at Row" in body[0]["message"]:
                assert not any("SELECT" in words.upper() for _, words, _ in told)
                continue  # words that quote the question: test_quoted.py
            if not write and body[0]["errorCode"] in OF_THE_QUESTION:
                continue
            assert told == [
                (entry["errorCode"], entry["message"], entry.get("fields", [])) for entry in body
            ]
