"""Section 4: the statuses, and every row of 4.1's table of bodies. What an org answers on its own
it is made to answer; what comes of triggers, floods and the edge is ordered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from salesforce_simulator.process import OrgProcess, RunningOrg

from .conftest import Api


def only(answer: requests.Response) -> tuple[int, dict[str, Any]]:
    body = answer.json()
    assert isinstance(body, list)
    assert len(body) == 1
    return answer.status_code, body[0]


def test_an_expired_session_is_401(org: RunningOrg, api: Api) -> None:
    assert org.control.expire_access_tokens("admin@example.com") >= 1
    assert only(api.get("limits")) == (
        401, {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"},
    )  # fmt: skip


@pytest.mark.parametrize("header", ["", "Bearer", "Basic eDp5", "token abc"])
def test_a_missing_or_malformed_bearer_is_401(org: RunningOrg, header: str) -> None:
    answer = requests.get(
        f"{org.base_url}/services/data/v66.0/limits",
        headers={"Authorization": header},
        timeout=30,
    )
    assert only(answer) == (
        401, {"message": "INVALID_HEADER_TYPE", "errorCode": "INVALID_AUTH_HEADER"},
    )  # fmt: skip


def test_a_token_of_the_other_org_is_no_session_here(process: OrgProcess, api: Api) -> None:
    url = f"{process.sandbox.base_url}/services/data/v66.0/limits"
    headers = {"Authorization": f"Bearer {api.grant.access_token}"}
    answer = requests.get(url, headers=headers, timeout=30)
    assert only(answer)[1]["errorCode"] == "INVALID_SESSION_ID"


def test_a_token_without_the_scope_api_is_401(process: OrgProcess, org: RunningOrg) -> None:
    from salesforce_simulator.oauth.consent import connect

    grant = connect(process, org, scope="openid")
    headers = {"Authorization": f"Bearer {grant.access_token}"}
    answer = requests.get(f"{org.base_url}/services/data/v66.0/limits", headers=headers, timeout=30)
    assert only(answer) == (
        401,
        {
            "message": "This session is not valid for use with the REST API",
            "errorCode": "INVALID_SESSION_ID",
        },
    )


def test_an_org_without_the_api_is_403(org: RunningOrg, api: Api) -> None:
    org.control.set(api_enabled=False)
    assert only(api.get("limits")) == (
        403,
        {
            "message": "The REST API is not enabled for this Organization.",
            "errorCode": "API_DISABLED_FOR_ORG",
        },
    )


def test_a_user_without_the_api_is_403(
    org: RunningOrg, connected: Callable[[RunningOrg, str], Api]
) -> None:
    assert only(connected(org, "no-api").get("limits")) == (
        403,
        {"message": "API is disabled for this User", "errorCode": "API_CURRENTLY_DISABLED"},
    )


@pytest.mark.parametrize("concurrent", [False, True])
def test_request_limits_are_403(org: RunningOrg, api: Api, concurrent: bool) -> None:
    org.control.fault("request_limit", concurrent=concurrent)
    message = (
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
        if concurrent
        else "TotalRequests Limit exceeded."
    )
    assert only(api.get("limits")) == (
        403, {"message": message, "errorCode": "REQUEST_LIMIT_EXCEEDED"},
    )  # fmt: skip


def test_an_object_permission_that_is_missing_is_refused(few: Api, address: str) -> None:
    answer = few.post("sobjects/Lead", {"LastName": "x", "Company": "y", "Email": address})
    status, body = only(answer)
    assert status in (400, 403)
    assert body == {
        "message": "insufficient access rights on object id",
        "errorCode": "INSUFFICIENT_ACCESS_OR_READONLY",
        "fields": [],
    }


@pytest.mark.parametrize(
    "path",
    [
        "sobjects/Nowhere",
        "sobjects/Nowhere/describe",
        "sobjects/Contact/003000000000001AAA",
        "nothing/like/this",
        "sobjects/Contact/003000000000001AAA/Account/more",
    ],
)
def test_what_is_unknown_is_404(api: Api, path: str) -> None:
    assert only(api.get(path)) == (
        404,
        {"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"},
    )


def test_what_one_may_not_see_looks_the_same(few: Api) -> None:
    assert only(few.get("sobjects/Case/describe"))[0] == 404


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_deleted_record_is_404(api: Api, contact: str, method: str) -> None:
    assert api.delete(f"sobjects/Contact/{contact}").status_code == 204
    body = {"Title": "x"} if method == "PATCH" else None
    assert only(api.call(method, f"sobjects/Contact/{contact}", body)) == (
        404, {"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []},
    )  # fmt: skip


@pytest.mark.parametrize("segment", ["Namez", "00T", "003!"])
def test_a_segment_that_is_no_id_is_taken_for_an_external_id_field(api: Api, segment: str) -> None:
    assert only(api.get(f"sobjects/Contact/{segment}")) == (
        404,
        {
            "message": (
                f"Provided external ID field does not exist or is not accessible: {segment}"
            ),
            "errorCode": "NOT_FOUND",
        },
    )


def test_an_unknown_external_id_field_is_404(api: Api) -> None:
    answer = api.patch("sobjects/Contact/Namez/x", {"LastName": "x"})
    assert only(answer)[1]["message"].endswith("not accessible: Namez")


def test_a_method_that_is_not_allowed_is_405(api: Api) -> None:
    assert only(api.patch("sobjects/Contact/", {"LastName": "x"})) == (
        405,
        {
            "message": "HTTP Method 'PATCH' not allowed. Allowed are GET,HEAD,POST",
            "errorCode": "METHOD_NOT_ALLOWED",
        },
    )


@pytest.mark.parametrize(
    ("object_name", "fields", "missing"),
    [
        ("Contact", {"FirstName": "x"}, ["LastName"]),
        ("Lead", {"FirstName": "x"}, ["LastName", "Company"]),
        ("Account", {}, ["Name"]),
        ("Opportunity", {}, ["Name", "StageName", "CloseDate"]),
        ("OpportunityContactRole", {}, ["OpportunityId", "ContactId"]),
    ],
)
def test_required_fields_are_named_together(
    api: Api, object_name: str, fields: dict[str, str], missing: list[str]
) -> None:
    status, body = only(api.post(f"sobjects/{object_name}", fields))
    assert (status, body["errorCode"]) == (400, "REQUIRED_FIELD_MISSING")
    assert sorted(body["fields"]) == sorted(missing)
    named = body["message"].removeprefix("Required fields are missing: [").rstrip("]")
    assert sorted(named.split(", ")) == sorted(missing)


@pytest.mark.parametrize(
    ("object_name", "fields", "code", "message", "named"),
    [
        (
            "Contact", {"LastName": "x", "Email": "Not a real email address"},
            "INVALID_EMAIL_ADDRESS", "Email: invalid email address: Not a real email address",
            ["Email"],
        ),
        (
            "Account", {"Name": "x", "BillingCity": "c" * 41}, "STRING_TOO_LONG",
            f"Billing City: data value too large: {'c' * 41} (max length=40)", ["BillingCity"],
        ),
        (
            "Contact", {"LastName": "x", "Language__c": "Elvish"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Language: bad value for restricted picklist field: Elvish", ["Language__c"],
        ),
        (
            "Contact", {"LastName": "x", "MasterRecordId": "003000000000001AAA"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            (
                "Unable to create/update fields: MasterRecordId. Please check the security "
                "settings of this field and verify that it is read/write for your profile or "
                "permission set."
            ),
            ["MasterRecordId"],
        ),
        (
            "Contact", {"LastName": "x", "AccountId": "003000000000001AAA"},
            "FIELD_INTEGRITY_EXCEPTION",
            "Account ID: id value of incorrect type: 003000000000001AAA", ["AccountId"],
        ),
        (  # recorded: jsforce's issue 1006
            "Task", {"Subject": "x", "WhoId": "001000000000001AAA"}, "FIELD_INTEGRITY_EXCEPTION",
            "Name ID: id value of incorrect type: 001000000000001AAA", ["WhoId"],
        ),
        (
            "Task", {"Subject": "x", "WhatId": "003000000000001AAA"}, "FIELD_INTEGRITY_EXCEPTION",
            "Related To ID: id value of incorrect type: 003000000000001AAA", ["WhatId"],
        ),
        (
            "Contact", {"LastName": "x", "AccountId": "001000000000001AAA"},
            "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [],
        ),
    ],
)  # fmt: skip
def test_a_refused_value_is_named_in_the_services_words(
    api: Api,
    object_name: str,
    fields: dict[str, Any],
    code: str,
    message: str,
    named: list[str],
) -> None:
    assert only(api.post(f"sobjects/{object_name}", fields)) == (
        400, {"message": message, "errorCode": code, "fields": named},
    )  # fmt: skip


@pytest.mark.parametrize(
    "value",
    ["001000000000001AAB", "00100000000000", "x", "//evil.example/x"],
)
def test_an_id_of_wrong_case_or_length_is_malformed(api: Api, value: str) -> None:
    """The checksum shows the wrong case."""
    status, body = only(api.post("sobjects/Contact", {"LastName": "x", "AccountId": value}))
    assert (status, body["errorCode"]) == (400, "MALFORMED_ID")
    assert body["message"] == f"Account ID: id value of incorrect type: {value}"


def test_a_record_one_may_not_see_cannot_be_referred_to(few: Api, api: Api) -> None:
    case = api.create("Case", Subject="x")
    assert only(few.post("sobjects/Task", {"Subject": "x", "WhatId": case})) == (
        400,
        {
            "message": "insufficient access rights on cross-reference id",
            "errorCode": "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            "fields": [],
        },
    )


def test_an_inactive_owner_is_refused(org: RunningOrg, api: Api, address: str) -> None:
    user = org.control.add_user(f"left.{address}", last_name="Left")["id"]
    org.control.set_user_active(user, False)
    status, body = only(api.post("sobjects/Contact", {"LastName": "x", "OwnerId": user}))
    assert (status, body["errorCode"]) == (400, "INACTIVE_OWNER_OR_USER")


def test_an_unrestricted_picklist_accepts_anything(api: Api) -> None:
    api.create("Contact", LastName="x", LeadSource="Smoke signals")


@pytest.mark.parametrize("user", ["admin", "few"])
def test_writing_an_unknown_or_invisible_field_names_the_column(
    org: RunningOrg, connected: Callable[[RunningOrg, str], Api], user: str
) -> None:
    field = "foo" if user == "admin" else "Phone"
    answer = connected(org, user).post("sobjects/Contact", {"LastName": "x", field: "1"})
    assert only(answer) == (
        400,
        {
            "message": f"No such column '{field}' on sobject of type Contact",
            "errorCode": "INVALID_FIELD",
        },
    )


def test_a_field_one_may_only_read_cannot_be_written(few: Api) -> None:
    status, body = only(few.post("sobjects/Contact", {"LastName": "x", "Title": "y"}))
    assert (status, body["errorCode"]) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_several_validation_rules_are_several_entries(
    org: RunningOrg, api: Api, address: str
) -> None:
    org.control.validation_rule("Contact", "Title = 'Bad'", "A better title is needed", "Title")
    org.control.validation_rule("Contact", "Title = 'Bad'", "And a good reason")
    answer = api.post("sobjects/Contact", {"LastName": "x", "Title": "Bad", "Email": address})
    assert answer.status_code == 400
    assert answer.json() == [
        {
            "message": "A better title is needed",
            "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "fields": ["Title"],
        },
        {
            "message": "And a good reason",
            "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "fields": [],
        },
    ]


def test_a_unique_field_names_the_record_with_15_characters(api: Api, address: str) -> None:
    first = api.create("Task", Subject="x", Message_Key__c=address)
    status, body = only(api.post("sobjects/Task", {"Subject": "y", "Message_Key__c": address}))
    assert (status, body["errorCode"]) == (400, "DUPLICATE_VALUE")
    assert body["message"] == (
        f"duplicate value found: Message_Key__c duplicates value on record with id: {first[:15]}"
    )


def test_a_converted_lead_cannot_be_changed(org: RunningOrg, api: Api, address: str) -> None:
    lead = api.create("Lead", LastName="x", Company="y", Email=address)
    org.control.convert(lead)
    assert only(api.patch(f"sobjects/Lead/{lead}", {"Title": "z"})) == (
        400,
        {
            "message": "cannot reference converted lead",
            "errorCode": "CANNOT_UPDATE_CONVERTED_LEAD",
            "fields": [],
        },
    )


@pytest.mark.parametrize("value", ["2026-13-01", "tomorrow"])
def test_a_value_of_the_wrong_type_is_refused_by_the_parser(api: Api, value: str) -> None:
    status, body = only(api.post("sobjects/Contact", {"LastName": "x", "Birthdate": value}))
    assert (status, body["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert body["message"].startswith(
        f"Cannot deserialize instance of date from VALUE_STRING value {value}"
    )


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("internal_error", 500, "UNKNOWN_EXCEPTION"), ("unavailable", 503, "SERVER_UNAVAILABLE")],
)
def test_breakdowns_are_arrays_as_well(
    org: RunningOrg, api: Api, kind: str, status: int, code: str
) -> None:
    org.control.fault(kind)
    found, body = only(api.get("limits"))
    assert (found, body["errorCode"]) == (status, code)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: x"),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "ContactTrigger: execution of AfterUpdate"),
        ("CANNOT_EXECUTE_FLOW_TRIGGER", "We can't save this record"),
        ("FIELD_INTEGRITY_EXCEPTION", "There's a problem with this country"),
        ("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded"),
        ("ENTITY_IS_LOCKED", "the entity is locked for editing"),
        ("INACTIVE_OWNER_OR_USER", "operation performed with inactive user"),
        ("INVALID_TYPE_ON_FIELD_IN_RECORD", "Title: value not of required type: x"),
        ("FIELD_FILTER_VALIDATION_EXCEPTION", "Value does not exist or does not match filter"),
        ("DUPLICATE_VALUE", "duplicate value found: <unknown> duplicates value on record with id"),
    ],
)
def test_refusals_an_org_of_ones_own_would_make_can_be_ordered(
    org: RunningOrg, api: Api, contact: str, code: str, message: str
) -> None:
    org.control.fault("row_refused", code=code, message=message)
    assert only(api.patch(f"sobjects/Contact/{contact}", {"Title": "x"})) == (
        400, {"message": message, "errorCode": code, "fields": []},
    )  # fmt: skip
    assert api.patch(f"sobjects/Contact/{contact}", {"Title": "x"}).status_code == 204


def test_an_internal_error_carries_its_number(org: RunningOrg, api: Api) -> None:
    org.control.fault("internal_error")
    message = only(api.get("limits"))[1]["message"]
    assert message.startswith(
        "An unexpected error occurred. Please include this ErrorId if you contact support: "
    )


@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (400, [{"message": "Your query request was running for too long.",
                "errorCode": "QUERY_TIMEOUT"}], "application/json;charset=UTF-8"),
        (400, [{"message": "too much at once", "errorCode": "OPERATION_TOO_LARGE"}],
         "application/json;charset=UTF-8"),
        (409, [{"message": "conflict", "errorCode": "CONFLICT"}],
         "application/json;charset=UTF-8"),
        (420, "<html>no route</html>", "text/html"),
        (428, [{"message": "conditional", "errorCode": "PRECONDITION_REQUIRED"}],
         "application/json;charset=UTF-8"),
        (502, "<html>no answer</html>", "text/html"),
        (503, {"message": "maintenance"}, "application/json;charset=UTF-8"),
    ],
)  # fmt: skip
def test_what_an_edge_or_a_busy_org_answers_can_be_ordered(
    org: RunningOrg, api: Api, status: int, body: Any, content_type: str
) -> None:
    org.control.fault("answer", status=status, body=body, content_type=content_type)
    answer = api.query("SELECT Id FROM User")
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith(content_type.partition(";")[0])
    assert (answer.text if isinstance(body, str) else answer.json()) == body
    assert api.query("SELECT Id FROM User").status_code == 200


# Section 17 of the second reference: the codes that no other test here meets. Whatever a code
# means to a client, an org of one's own can be made to answer it.
PASSING = (
    "TOO_MANY_APEX_REQUESTS", "TXN_SECURITY_METERING_ERROR", "REQUEST_RUNNING_TOO_LONG",
    "TEMPORARY_QUERY_MORE_FAILURE", "PLATFORM_EVENT_PUBLISHING_UNAVAILABLE", "ORG_LOCKED",
    "LOGIN_DURING_RESTRICTED_TIME", "LOGIN_DURING_RESTRICTED_DOMAIN", "FUNCTIONALITY_NOT_ENABLED",
    "UNSUPPORTED_API_VERSION", "EXCEEDED_MAX_SIZE_REQUEST", "INTERNAL_ERROR", "ENTITY_IS_ARCHIVED",
    "RECORD_IN_USE_BY_WORKFLOW", "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET", "MIXED_DML_OPERATION",
    "TXN_SECURITY_NO_ACCESS", "TXN_SECURITY_APEX_ERROR", "EXCEEDED_LEAD_CONVERT_LIMIT",
)  # fmt: skip


def test_a_refusal_with_any_of_these_codes_can_be_set_up(
    org: RunningOrg, api: Api, contact: str
) -> None:
    path, change = f"sobjects/Contact/{contact}", {"Title": "x"}
    for code in PASSING:
        org.control.fault("row_refused", code=code, message=f"for {code}")
        status, body = only(api.patch(path, change))
        assert (status, body["errorCode"], body["message"]) == (400, code, f"for {code}")
    assert api.patch(path, change).status_code == 204
