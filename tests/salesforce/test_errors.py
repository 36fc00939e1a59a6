"""Every body that Salesforce is known to send ends as the error of whoever has to act."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keeping_plugin.errors import (
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
from keeping_plugin.salesforce import errors
from keeping_plugin.salesforce.wire.client import UNREADABLE, Answer
from keeping_plugin.salesforce.wire.transport import NoAnswer


def entry(code: str, message: str = "m", fields: list[str] | None = None) -> list[dict[str, Any]]:
    """An error body as the REST API words it."""
    made: dict[str, Any] = {"message": message, "errorCode": code}
    if fields is not None:
        made["fields"] = fields
    return [made]


# status, body, and the error; a write and a read end alike.
REFUSALS: list[tuple[int, Any, type[SalesforceError]]] = [
    (401, entry("INVALID_SESSION_ID", "Session expired or invalid"), ConnectionBarred),
    (401, entry("SOMETHING_NEW"), ConnectionBarred),
    (401, UNREADABLE, ConnectionBarred),
    (401, None, ConnectionBarred),
    (
        401,
        entry("INVALID_SESSION_ID", "This session is not valid for use with the REST API"),
        ConnectionBarred,
    ),
    (401, entry("INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"), ConnectionBarred),
    (403, entry("API_DISABLED_FOR_ORG"), PermissionDenied),
    (403, entry("API_CURRENTLY_DISABLED", "API is disabled for this User"), PermissionDenied),
    (403, entry("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), RateLimited),
    (
        403,
        entry("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit …"),
        RateLimited,
    ),
    (403, entry("INSUFFICIENT_ACCESS_OR_READONLY", fields=[]), PermissionDenied),
    (400, entry("INSUFFICIENT_ACCESS_OR_READONLY", fields=[]), PermissionDenied),
    (400, entry("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"), PermissionDenied),
    (403, entry("SOMETHING_NEW"), PermissionDenied),
    (404, entry("NOT_FOUND", "The requested resource does not exist"), RecordNotFound),
    (404, entry("ENTITY_IS_DELETED", "entity is deleted", []), RecordNotFound),
    (404, entry("SOMETHING_NEW"), RecordNotFound),
    (405, entry("METHOD_NOT_ALLOWED"), RecordRejected),
    (410, entry("GONE"), RecordNotFound),
    (
        400,
        entry("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]),
        RecordRejected,
    ),
    (400, entry("INVALID_EMAIL_ADDRESS", fields=["Email"]), RecordRejected),
    (400, entry("STRING_TOO_LONG", fields=["BillingCity"]), RecordRejected),
    (400, entry("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", fields=["Race__c"]), RecordRejected),
    (400, entry("INVALID_FIELD_FOR_INSERT_UPDATE", fields=["MasterRecordId"]), RecordRejected),
    (400, entry("INVALID_FIELD", "No such column 'foo' on sobject of type Contact"), SchemaStale),
    (400, entry("FIELD_CUSTOM_VALIDATION_EXCEPTION", fields=[]), RecordRejected),
    (
        400,
        entry("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "T: execution of AfterUpdate\n\ncaused by"),
        RecordRejected,
    ),
    (
        400,
        entry("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "T: … UNABLE_TO_LOCK_ROW, unable to …"),
        RowLocked,
    ),
    (400, entry("CANNOT_EXECUTE_FLOW_TRIGGER", fields=[]), RecordRejected),
    (400, entry("DUPLICATE_VALUE", "duplicate value found: …", []), RecordRejected),
    (400, entry("UNABLE_TO_LOCK_ROW", fields=[]), RowLocked),
    (400, entry("MALFORMED_ID", fields=["Id"]), RecordRejected),
    (400, entry("INVALID_CROSS_REFERENCE_KEY", fields=[]), RecordRejected),
    (400, entry("CANNOT_UPDATE_CONVERTED_LEAD", fields=[]), RecordRejected),
    (400, entry("JSON_PARSER_ERROR"), RecordRejected),
    (400, entry("FIELD_INTEGRITY_EXCEPTION"), RecordRejected),
    (400, entry("NUMBER_OUTSIDE_VALID_RANGE"), RecordRejected),
    (400, entry("INVALID_TYPE_ON_FIELD_IN_RECORD"), RecordRejected),
    (400, entry("INACTIVE_OWNER_OR_USER"), RecordRejected),
    (400, entry("ENTITY_IS_LOCKED"), RecordRejected),
    (400, entry("STORAGE_LIMIT_EXCEEDED"), RecordRejected),
    (400, entry("FIELD_FILTER_VALIDATION_EXCEPTION"), RecordRejected),
    (400, entry("QUERY_TIMEOUT"), SalesforceUnavailable),
    (400, entry("SOMETHING_NEW"), RecordRejected),
    (400, entry("INVALID_TYPE", "…sObject type 'XYZZY' is not supported. …"), SchemaStale),
    (400, entry("MALFORMED_QUERY"), RecordRejected),
    (400, entry("INVALID_QUERY_FILTER_OPERATOR"), RecordRejected),
    (400, entry("INVALID_QUERY_LOCATOR"), SalesforceUnavailable),
    (400, entry("MALFORMED_SEARCH"), RecordRejected),
    (400, entry("EXCEEDED_ID_LIMIT"), RecordRejected),
    (400, entry("PROCESSING_HALTED"), SalesforceUnavailable),
    (409, entry("CONFLICT"), RecordRejected),
    (412, entry("PRECONDITION_FAILED"), RecordChanged),
    (412, None, RecordChanged),
    (415, entry("UNSUPPORTED_MEDIA_TYPE"), RecordRejected),
    (420, UNREADABLE, SalesforceUnavailable),
    (429, UNREADABLE, RateLimited),
    (503, entry("SERVER_UNAVAILABLE"), SalesforceUnavailable),
    (503, entry("SOMETHING_NEW"), SalesforceUnavailable),
    (503, entry("SERVER_UNAVAILABLE")[0], SalesforceUnavailable),
    (403, UNREADABLE, SalesforceUnavailable),
    (300, ["/services/data/v66.0/sobjects/Contact/003x"], RecordRejected),
]


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize(("status", "body", "kind"), REFUSALS)
def test_a_refusal_is_sorted_by_who_must_act(
    status: int, body: Any, kind: type[SalesforceError], write: bool
) -> None:
    assert type(errors.of_answer(Answer(status, body), write=write)) is kind


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, UNREADABLE),
        (200, None),
        (201, {"id": "nonsense"}),
        (204, None),
        (300, UNREADABLE),
        (302, None),
        (302, UNREADABLE),
        (400, UNREADABLE),
        (400, {"error": "invalid_grant"}),
        (400, []),
        (400, [{"message": "no code"}]),
        (404, UNREADABLE),
        (414, UNREADABLE),
        (431, UNREADABLE),
        (500, entry("UNKNOWN_EXCEPTION")),
        (500, UNREADABLE),
        (502, UNREADABLE),
        (503, UNREADABLE),
        (503, {"message": "maintenance"}),
        (504, UNREADABLE),
        (999, None),
    ],
)
def test_what_is_no_complete_answer_leaves_a_write_unclear(status: int, body: Any) -> None:
    assert type(errors.of_answer(Answer(status, body), write=True)) is OutcomeUnclear
    assert type(errors.of_answer(Answer(status, body), write=False)) is SalesforceUnavailable


def test_salesforces_words_and_fields_are_kept_verbatim() -> None:
    body = [
        {"message": "<b>A close date</b>\n is needed", "errorCode": "X", "fields": ["CloseDate"]},
        {"message": "Second", "errorCode": "Y"},
    ]
    error = errors.of_answer(Answer(400, body), write=True)
    assert [(c.code, c.message, c.fields) for c in error.complaints] == [
        ("X", "<b>A close date</b>\n is needed", ("CloseDate",)),
        ("Y", "Second", ()),
    ]


@pytest.mark.parametrize(
    ("message", "daily"),
    [("TotalRequests Limit exceeded.", True), ("ConcurrentRequests (…) Limit exceeded.", False)],
)
def test_the_days_allowance_is_told_from_a_crowd(message: str, daily: bool) -> None:
    error = errors.of_answer(Answer(403, entry("REQUEST_LIMIT_EXCEEDED", message)), write=False)
    assert isinstance(error, RateLimited)
    assert error.daily is daily


NO_COLUMN = """
SELECT Bacon__c FROM Account LIMIT 2
       ^
ERROR at Row:1:Column:8
No such column 'Bacon__c' on entity 'Account'. If you are attempting to use a custom field, …"""


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ("No such column 'foo' on sobject of type Contact", ("Contact", "foo")),
        (
            NO_COLUMN,
            ("Account", "Bacon__c"),
        ),
        ("\n^\nERROR\nsObject type 'XYZZY' is not supported. If …", ("XYZZY", "")),
        ("Didn't understand relationship 'Cases' in FROM part of query call. …", ("", "Cases")),
        ("something else", ("", "")),
    ],
)
def test_a_stale_schema_names_what_is_gone(message: str, names: tuple[str, str]) -> None:
    error = errors.of_answer(Answer(400, entry("INVALID_FIELD", message)), write=False)
    assert isinstance(error, SchemaStale)
    assert (error.object, error.field) == names


@pytest.mark.parametrize("spelling", ["duplicateResut", "duplicateResult"])
@pytest.mark.parametrize("allowed", [True, False])
def test_duplicates_are_told_in_either_spelling(spelling: str, allowed: bool) -> None:
    record = {"attributes": {"type": "Contact"}, "Id": "0031i000013x2TEAAY"}
    body = [
        {
            spelling: {
                "allowSave": allowed,
                "matchResults": [
                    {"entityType": "Contact", "matchRecords": [{"record": record}], "size": 1}
                ],
            },
            "errorCode": "DUPLICATES_DETECTED",
            "message": "You're creating a duplicate record.",
        }
    ]
    error = errors.of_answer(Answer(400, body), write=True)
    assert isinstance(error, DuplicatesFound)
    assert error.record_ids == (("Contact", "0031i000013x2TEAAY"),)
    assert error.may_save is allowed


@pytest.mark.parametrize("result", [None, 5, [], {}, {"matchResults": 5}, {"matchResults": [5]}])
def test_duplicates_without_a_readable_result_may_not_be_saved(result: Any) -> None:
    body = entry("DUPLICATES_DETECTED")
    body[0]["duplicateResult"] = result
    error = errors.of_answer(Answer(400, body), write=True)
    assert isinstance(error, DuplicatesFound)
    assert (error.record_ids, error.may_save) == ((), False)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ([{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "m", "fields": []}], RowLocked),
        ([{"statusCode": "DUPLICATES_DETECTED", "message": "m", "fields": []}], DuplicatesFound),
        ([{"statusCode": "REQUIRED_FIELD_MISSING", "message": "m", "fields": []}], RecordRejected),
        ([{"statusCode": "INVALID_CROSS_REFERENCE_KEY", "message": "m"}], RecordRejected),
        ([{"statusCode": "ENTITY_IS_DELETED", "message": "m"}], RecordNotFound),
        ([{"statusCode": "SOMETHING_NEW", "message": "m"}], RecordRejected),
        ([{"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK"}], SalesforceUnavailable),
        ([], RecordRejected),
        (None, RecordRejected),
    ],
)
def test_a_refused_row_says_status_code(row: Any, kind: type[SalesforceError]) -> None:
    assert type(errors.of_row({"success": False, "errors": row})) is kind


@pytest.mark.parametrize(
    ("sent", "write", "kind"),
    [
        (True, True, OutcomeUnclear),
        (False, True, SalesforceUnavailable),
        (True, False, SalesforceUnavailable),
        (False, False, SalesforceUnavailable),
    ],
)
def test_silence_is_unclear_once_a_byte_of_a_write_left(
    sent: bool, write: bool, kind: type[SalesforceError]
) -> None:
    error = errors.of_silence(NoAnswer("x", sent=sent, timed_out=True), write=write)
    assert type(error) is kind
    assert error.timed_out  # type: ignore[attr-defined]


def test_no_shape_of_json_breaks_the_table() -> None:
    """Whatever JSON comes with whatever status, an error of ours comes out."""
    shapes: list[Any] = [None, True, 5, "x", [], {}, [None], [[]], [{}], {"a": {}}]
    shapes += [
        json.loads(f'[{{"errorCode": {code}}}]') for code in ("null", "5", '""', "[]", '"X"')
    ]
    odd: tuple[Any, ...] = (5, "ab", [5], {})
    shapes += [[{"errorCode": "X", "message": 5, "fields": fields}] for fields in odd]
    for body in shapes:
        for status in (200, 300, 400, 401, 403, 404, 412, 500, 503):
            for write in (True, False):
                error = errors.of_answer(Answer(status, body), write=write)
                assert isinstance(error, SalesforceError)
                assert all(isinstance(c.message, str) for c in error.complaints)
