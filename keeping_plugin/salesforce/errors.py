"""What Salesforce's refusals mean: one table from status and errorCode to the error of
`keeping_plugin.errors`, sorted by who has to act; what to do about it stands in
`keeping_plugin.refusals`. Salesforce's words are kept as they came, except for what they quote of
our own questions: those hold people's addresses.

A write has three kinds of failure. Clear refusals are complete Salesforce answers (4xx with an
error body, 503 with one), and 401, 403, 412, 420 and 429 in any shape: Salesforce, or its edge,
says those before it does anything. Every other end of a write is unclear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keeping_plugin.errors import (
    Complaint,
    ConnectionBarred,
    DuplicatesFound,
    OutcomeUnclear,
    PermissionDenied,
    RateLimited,
    RecordChanged,
    RecordNotFound,
    RecordRejected,
    RowLocked,
    SalesforceError,
    SalesforceUnavailable,
    SchemaStale,
)
from keeping_plugin.refusals import Advice, advice, is_locked
from keeping_plugin.salesforce.wire.client import Answer
from keeping_plugin.salesforce.wire.quoted import without_questions
from keeping_plugin.salesforce.wire.transport import NoAnswer

Complaints = tuple[Complaint, ...]
Make = Callable[[Complaints, Any], SalesforceError]

_NO_ANSWER = "Salesforce did not answer."
_NO_USABLE_ANSWER = "Salesforce gave no usable answer."
_NO_WORDS = "Salesforce answered 401 without a message."
_ALWAYS_CLEAR = frozenset({401, 403, 412, 420, 429})


def _plain(kind: type[SalesforceError]) -> Make:
    return lambda complaints, body: kind(complaints=complaints)


def _limit(complaints: Complaints, body: Any) -> SalesforceError:
    # "TotalRequests Limit exceeded." is the day's allowance; "ConcurrentRequests …" passes.
    daily = any("TotalRequests" in complaint.message for complaint in complaints)
    return RateLimited(complaints=complaints, daily=daily)


def _slow_query(complaints: Complaints, body: Any) -> SalesforceError:
    return SalesforceUnavailable(complaints=complaints, timed_out=True)


def _session(complaints: Complaints, body: Any) -> ConnectionBarred:
    # Asked again with a new token already. Whether the grant itself is dead is the refresh's to
    # say, and it did not: the org does not want this session, for now.
    scope = any("not valid for use with the REST API" in entry.message for entry in complaints)
    return ConnectionBarred(complaints=complaints, reason="scope" if scope else "session")


_STALE = (
    re.compile(r"No such column '(?P<field>\w+)' on (?:entity|sobject of type) '?(?P<object>\w+)"),
    re.compile(r"[sS]Object type '(?P<object>\w+)' is not supported"),
    re.compile(r"Didn't understand relationship '(?P<field>\w+)'"),
    re.compile(r"field '(?P<field>\w+)' can not be filtered"),
)


def _stale(complaints: Complaints, body: Any) -> SalesforceError:
    for complaint in complaints:
        for pattern in _STALE:
            found = pattern.search(complaint.message)
            if found:
                names = found.groupdict()
                return SchemaStale(
                    complaints=complaints,
                    object=names.get("object", ""),
                    field=names.get("field", ""),
                )
    return SchemaStale(complaints=complaints)


def _duplicates(complaints: Complaints, body: Any) -> SalesforceError:
    found: dict[tuple[str, str], None] = {}
    acknowledgeable = []
    for entry in _objects(body):
        # The recorded key is misspelt; either spelling may come.
        result = entry.get("duplicateResut") or entry.get("duplicateResult") or {}
        if not isinstance(result, Mapping):
            continue
        acknowledgeable.append(result.get("allowSave") is True)
        for match in _objects(result.get("matchResults")):
            for matched in _objects(match.get("matchRecords")):
                record = matched.get("record")
                if isinstance(record, Mapping) and isinstance(record.get("Id"), str):
                    found[str(match.get("entityType", "")), record["Id"]] = None
    return DuplicatesFound(
        complaints=complaints,
        record_ids=tuple(found),
        may_save=bool(acknowledgeable) and all(acknowledgeable),
    )


CODES: Mapping[str, Make] = {
    "INVALID_SESSION_ID": _session,
    "INVALID_AUTH_HEADER": _session,
    "API_DISABLED_FOR_ORG": _plain(PermissionDenied),
    "API_CURRENTLY_DISABLED": _plain(PermissionDenied),
    "INSUFFICIENT_ACCESS": _plain(PermissionDenied),
    "INSUFFICIENT_ACCESS_OR_READONLY": _plain(PermissionDenied),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": _plain(PermissionDenied),
    "REQUEST_LIMIT_EXCEEDED": _limit,
    "SERVER_UNAVAILABLE": _plain(SalesforceUnavailable),
    "PROCESSING_HALTED": _plain(SalesforceUnavailable),
    "BATCH_PROCESSING_HALTED": _plain(SalesforceUnavailable),
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": _plain(SalesforceUnavailable),
    "INVALID_QUERY_LOCATOR": _plain(SalesforceUnavailable),
    "QUERY_TIMEOUT": _slow_query,
    "INVALID_FIELD": _stale,
    "INVALID_TYPE": _stale,
    "NOT_FOUND": _plain(RecordNotFound),
    "ENTITY_IS_DELETED": _plain(RecordNotFound),
    "DUPLICATES_DETECTED": _duplicates,
}
_STATUSES: Mapping[int, type[SalesforceError]] = {
    403: PermissionDenied,
    404: RecordNotFound,
    410: RecordNotFound,
    412: RecordChanged,
    420: SalesforceUnavailable,
    429: RateLimited,
}


def of_answer(answer: Answer, *, write: bool) -> SalesforceError:
    """The error for an answer that is not the one hoped for: a refusal, a page, half an answer."""
    complaints = complaints_of(answer.body, quoting=not write)
    status = answer.status
    if status == 300 and isinstance(answer.body, list):
        several = Complaint("MULTIPLE_CHOICES", "Several records match.")
        return RecordRejected(complaints=(several,))
    if not (status in _ALWAYS_CLEAR or (complaints and (400 <= status < 500 or status == 503))):
        kind = OutcomeUnclear if write else SalesforceUnavailable
        return kind("" if complaints else _NO_USABLE_ANSWER, complaints=complaints)
    if status == 412:
        return RecordChanged(complaints=complaints)
    if not complaints and status == 403:
        # Not Salesforce's API but something before it.
        return SalesforceUnavailable(_NO_USABLE_ANSWER)
    if status == 401:
        return of_login(answer)
    told = _by_words(complaints, answer.body, write=write)
    if told is not None:
        return told
    if status == 503:
        return SalesforceUnavailable(complaints=complaints)
    return _STATUSES.get(status, RecordRejected)(complaints=complaints)


def of_login(answer: Answer) -> ConnectionBarred:
    """The error for a 401 that a refresh did not mend, or that none would, in whatever shape."""
    complaints = complaints_of(answer.body)
    if not complaints:
        return ConnectionBarred(_NO_WORDS, reason="session")
    return _session(complaints, answer.body)


def of_version(answer: Answer, version: str) -> ConnectionBarred:
    """The error for an org that no longer serves the version of the API that was agreed on, and
    offers none instead."""
    complaints = complaints_of(answer.body)
    said = f" Salesforce says: {complaints[0].message}" if complaints else ""
    words = f"Version {version} of the API returned status {answer.status}.{said}"
    return ConnectionBarred(words, complaints=complaints, reason="version")


def of_row(row: Mapping[str, Any]) -> SalesforceError:
    """The error for one refused row of a collection, whose entries say `statusCode`."""
    complaints = complaints_of(row.get("errors"))
    told = _by_words(complaints, row.get("errors"), write=True)
    return told or RecordRejected(complaints=complaints)


def _by_words(complaints: Complaints, body: Any, *, write: bool) -> SalesforceError | None:
    """The error that codes and words tell; None leaves it to the status."""
    if not complaints:
        return None
    if is_locked(complaints):
        return RowLocked(complaints=complaints)
    if complaints[0].code in CODES:
        return CODES[complaints[0].code](complaints, body)
    match advice(complaints):
        case Advice.WAIT:
            return SalesforceUnavailable(complaints=complaints)
        case Advice.AGAIN:
            # Something broke inside Salesforce, and nobody says what had been written by then.
            return (OutcomeUnclear if write else SalesforceUnavailable)(complaints=complaints)
    return None


def of_silence(silence: NoAnswer, *, write: bool) -> SalesforceError:
    """The error for a call without a complete answer: unclear once a byte of a write has left."""
    if write and silence.sent:
        return OutcomeUnclear(_NO_ANSWER, timed_out=silence.timed_out)
    return SalesforceUnavailable(_NO_ANSWER, timed_out=silence.timed_out)


def unusable(*, write: bool) -> SalesforceError:
    """The error for an answer of success whose body is not what Salesforce promises."""
    return (OutcomeUnclear if write else SalesforceUnavailable)(_NO_USABLE_ANSWER)


# What people read and the ledger keeps of a refusal. A trigger's words may hold its whole stack.
_MAX_COMPLAINTS, _MAX_WORDS, _MAX_CODE = 50, 4_000, 128


def complaints_of(body: object, *, quoting: bool = False) -> Complaints:
    """The entries of a Salesforce error body; empty when it is none. `quoting`: it answers a
    question of ours, which its words may quote."""
    entries = [body] if isinstance(body, Mapping) else _objects(body)
    made = []
    for entry in entries[:_MAX_COMPLAINTS]:
        code = entry.get("errorCode", entry.get("statusCode"))
        if not isinstance(code, str) or not code:
            return ()
        message, fields = entry.get("message"), entry.get("fields")
        made.append(
            Complaint(
                code[:_MAX_CODE],
                without_questions(message[:_MAX_WORDS], code, asked=quoting)
                if isinstance(message, str)
                else "",
                tuple(
                    name[:_MAX_CODE] for name in fields[:_MAX_COMPLAINTS] if isinstance(name, str)
                )
                if isinstance(fields, Sequence) and not isinstance(fields, str)
                else (),
            )
        )
    return tuple(made)


def _objects(value: object) -> list[Mapping[str, Any]]:
    return (
        [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []
    )
