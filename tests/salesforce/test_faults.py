"""What each way of going wrong ends as: a read, one write, many writes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from keeping_plugin.errors import (
    BatchRefused,
    ConnectionBarred,
    ConnectionLost,
    DuplicatesFound,
    OutcomeUnclear,
    PermissionDenied,
    RateLimited,
    RecordRejected,
    RowLocked,
    SalesforceError,
    SalesforceUnavailable,
)
from keeping_plugin.salesforce.gateway import Gateway
from keeping_plugin.types import NewRecord, Saved, TaskLook
from tests.salesforce.conftest import LiveOrg

DEADLINE = 0.5

# Fault, its options, and whether a write that met it may have happened for all the caller knows.
CALL_FAULTS: list[tuple[str, dict[str, Any], bool]] = [
    ("reset", {}, True),
    ("hang", {"seconds": 2.0}, True),
    ("internal_error", {}, True),
    ("bad_gateway", {}, True),
    ("unavailable_html", {}, True),
    ("html_ok", {}, True),
    ("redirect", {}, True),
    ("truncated", {}, True),
    ("truncated", {"cut": "connection"}, True),
    ("drip", {"interval": 0.05}, True),
    ("oversized", {"bytes": 40_000_000}, True),
    ("unavailable", {}, False),
    ("answer", {"status": 420, "body": "", "content_type": "text/html"}, False),
    ("answer", {"status": 504, "body": "<html>", "content_type": "text/html"}, True),
    ("answer", {"status": 300, "body": "<html>", "content_type": "text/html"}, True),
    ("answer", {"status": 200, "body": "[" * 10_000 + "]" * 10_000}, True),
    ("answer", {"status": 200, "body": '"' + "x" * 1_000_000 + '"'}, True),
    ("answer", {"status": 201, "body": "{}"}, True),
    ("answer", {"status": 201, "body": '{"id": "x", "success": true, "errors": []}'}, True),
    ("answer", {"status": 200, "body": "null"}, True),
    ("answer", {"status": 200, "body": "[]"}, True),
    ("answer", {"status": 200, "body": "5"}, True),
]


@pytest.fixture
def gateway(org: LiveOrg) -> Gateway:
    """With a short deadline."""
    return org.gateway_with(deadline=DEADLINE)


def reads(gateway: Gateway) -> None:
    gateway.find(["jane@example.com"])


def creates(gateway: Gateway) -> None:
    gateway.create("Contact", {"LastName": "X"})


def updates(org: LiveOrg) -> Callable[[Gateway], None]:
    contact = org.add("Contact", LastName="X")
    return lambda gateway: gateway.update("Contact", contact, {"LastName": "Y"})


@pytest.mark.parametrize(("kind", "options", "unclear"), CALL_FAULTS)
def test_a_read_that_fails_is_never_an_answer(
    org: LiveOrg, gateway: Gateway, kind: str, options: dict[str, Any], unclear: bool
) -> None:
    org.control.fault(kind, **options)
    with pytest.raises(SalesforceUnavailable):
        reads(gateway)


@pytest.mark.parametrize(("kind", "options", "unclear"), CALL_FAULTS)
def test_a_create_is_unclear_unless_it_was_refused(
    org: LiveOrg, gateway: Gateway, kind: str, options: dict[str, Any], unclear: bool
) -> None:
    org.control.fault(kind, **options)
    with pytest.raises(OutcomeUnclear if unclear else SalesforceUnavailable):
        creates(gateway)


# The answer to an update has no body that could be cut or drawn out.
BODILESS = [fault for fault in CALL_FAULTS if fault[0] not in {"truncated", "drip", "oversized"}]


@pytest.mark.parametrize(("kind", "options", "unclear"), BODILESS)
def test_an_update_is_unclear_unless_it_was_refused(
    org: LiveOrg, gateway: Gateway, kind: str, options: dict[str, Any], unclear: bool
) -> None:
    update = updates(org)
    org.control.fault(kind, **options)
    with pytest.raises(OutcomeUnclear if unclear else SalesforceUnavailable):
        update(gateway)


@pytest.mark.parametrize(("kind", "options", "unclear"), CALL_FAULTS)
def test_many_rows_are_unclear_unless_they_were_refused(
    org: LiveOrg, gateway: Gateway, kind: str, options: dict[str, Any], unclear: bool
) -> None:
    org.control.fault(kind, **options)
    with pytest.raises(OutcomeUnclear if unclear else SalesforceUnavailable):
        gateway.create_many([NewRecord("Contact", {"LastName": "X"})] * 3)


@pytest.mark.parametrize(("kind", "options", "unclear"), CALL_FAULTS)
def test_many_deletes_are_unclear_unless_they_were_refused(
    org: LiveOrg, gateway: Gateway, kind: str, options: dict[str, Any], unclear: bool
) -> None:
    people = [org.add("Contact", LastName="X") for _ in range(3)]
    org.control.fault(kind, **options)
    with pytest.raises(OutcomeUnclear if unclear else SalesforceUnavailable):
        gateway.delete_many(people)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["reset", "internal_error", "bad_gateway", "unavailable_html"])
def test_an_unclear_create_may_or_may_not_have_happened(
    org: LiveOrg, gateway: Gateway, kind: str, when: str
) -> None:
    name = uuid.uuid4().hex
    org.control.fault(kind, when=when)
    with pytest.raises(OutcomeUnclear):
        gateway.create("Contact", {"LastName": name})
    there = org.control.count(f"SELECT Id FROM Contact WHERE LastName = '{name}'")
    assert there == (1 if when == "after" else 0)


def test_a_call_that_hangs_is_told_as_a_timeout(org: LiveOrg, gateway: Gateway) -> None:
    org.control.fault("hang", times=2, seconds=2.0)
    with pytest.raises(SalesforceUnavailable) as read:
        reads(gateway)
    with pytest.raises(OutcomeUnclear) as write:
        creates(gateway)
    assert read.value.timed_out
    assert write.value.timed_out


@pytest.mark.parametrize(("concurrent", "daily"), [(False, True), (True, False)])
def test_a_used_up_allowance_is_told(
    org: LiveOrg, gateway: Gateway, concurrent: bool, daily: bool
) -> None:
    org.control.fault("request_limit", times=2, concurrent=concurrent)
    for act in (reads, creates):
        with pytest.raises(RateLimited) as limited:
            act(gateway)
        assert limited.value.daily is daily


def test_the_refusal_itself_tells_how_much_is_used(org: LiveOrg, gateway: Gateway) -> None:
    before = org.control.usage()
    org.control.usage(used=before["limit"])
    try:
        with pytest.raises(RateLimited):
            reads(gateway)
        usage = gateway.limits()
        assert usage.used >= usage.limit == before["limit"]
    finally:
        org.control.usage(used=before["used"])


def test_an_ended_session_is_renewed_once(org: LiveOrg, gateway: Gateway) -> None:
    org.control.expire_access_tokens()
    before = org.tokens.renewed
    org.control.reset_log()
    assert gateway.create("Contact", {"LastName": "X"}).id
    reads(gateway)
    assert org.tokens.renewed == before + 1
    assert org.control.counters()["data_round_trips"] == 3


def test_a_session_refused_twice_is_not_renewed_again(org: LiveOrg, gateway: Gateway) -> None:
    """The refresh was good, so the grant is not dead: the connection is barred."""
    org.control.fault("unauthorized", times=None)
    before = org.tokens.renewed
    for act in (reads, creates):
        with pytest.raises(ConnectionBarred, match="Session expired") as refused:
            act(gateway)
        assert refused.value.reason == "session"
    assert org.tokens.renewed == before + 2
    assert len(org.tokens.refusals) == 2


def test_a_refused_refresh_loses_the_connection(org: LiveOrg) -> None:
    tokens = org.log_in("integration")
    gateway = org.gateway_with(
        access_token=tokens.access_token, refresh_token=tokens.refresh_token or ""
    )
    gateway._tokens.oauth = org.oauth  # type: ignore[attr-defined]
    org.control.revoke_grants("integration@example.com")
    with pytest.raises(ConnectionLost):
        reads(gateway)


def test_a_user_without_the_api_is_denied(org: LiveOrg) -> None:
    tokens = org.log_in("no-api")
    with pytest.raises(PermissionDenied):
        reads(org.gateway_with(access_token=tokens.access_token))


def tasks(count: int) -> list[NewRecord]:
    return [NewRecord("Task", {"Subject": f"{uuid.uuid4().hex} {n}"}) for n in range(count)]


def test_refused_rows_stand_among_saved_ones(org: LiveOrg, gateway: Gateway) -> None:
    org.control.fault("row_refused", every=2, times=None, scope={"object": "Task"})
    outcomes = gateway.create_many(tasks(6))
    kinds = {type(one) for one in outcomes}
    assert kinds == {Saved, RowLocked}
    assert [type(one) for one in outcomes].count(RowLocked) == 3


def test_fewer_rows_than_were_sent_make_their_collection_unclear(org: LiveOrg) -> None:
    """Which row is missing cannot be told; the other collections keep their outcomes."""
    org.control.fault("fewer_rows", rows=1)
    outcomes = org.gateway.create_many(tasks(400))
    assert [type(one) for one in outcomes] == [Saved] * 200 + [OutcomeUnclear] * 200


UNAVAILABLE = SalesforceUnavailable


@pytest.mark.parametrize(
    ("sub", "kind"),
    [
        ({"httpStatusCode": 400, "body": [{"errorCode": "EXCEEDED_ID_LIMIT"}]}, BatchRefused),
        ({"httpStatusCode": 400, "body": [{"errorCode": "JSON_PARSER_ERROR"}]}, BatchRefused),
        ({"httpStatusCode": 500, "body": [{"errorCode": "UNKNOWN_EXCEPTION"}]}, OutcomeUnclear),
        ({"httpStatusCode": 503, "body": [{"errorCode": "SERVER_UNAVAILABLE"}]}, UNAVAILABLE),
        ({"httpStatusCode": 403, "body": [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]}, RateLimited),
        ({"httpStatusCode": 200, "body": []}, OutcomeUnclear),
        ({"httpStatusCode": 200, "body": None}, OutcomeUnclear),
        ({"httpStatusCode": 200, "body": [5, None]}, OutcomeUnclear),
        ({"httpStatusCode": 200, "body": [{"success": True}, {"success": 1}]}, OutcomeUnclear),
        ({"httpStatusCode": "200", "body": []}, OutcomeUnclear),
        ({}, OutcomeUnclear),
        (None, OutcomeUnclear),
    ],
)
def test_a_collection_that_failed_gives_each_of_its_rows_the_error(
    org: LiveOrg, sub: dict[str, Any] | None, kind: type[SalesforceError]
) -> None:
    """The rows of the other collection are there."""
    made = [{"id": "00TdM00001wBXYDQA4", "success": True, "errors": []}] * 200
    good = {"referenceId": "rows0", "httpHeaders": {}, "httpStatusCode": 200, "body": made}
    bad = [] if sub is None else [{"httpHeaders": {}, **sub}]
    both = [good, *(one | {"referenceId": "rows1"} for one in bad)]
    org.control.fault("answer", body=json.dumps({"compositeResponse": both}))
    outcomes = org.gateway.create_many(tasks(202))
    assert [type(one) for one in outcomes] == [Saved] * 200 + [kind] * 2


def test_collections_that_failed_alike_raise(org: LiveOrg) -> None:
    sub = {"httpStatusCode": 403, "body": [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]}
    both = [{"referenceId": f"rows{number}", **sub} for number in (0, 1)]
    org.control.fault("answer", body=json.dumps({"compositeResponse": both}))
    with pytest.raises(RateLimited):
        org.gateway.create_many(tasks(202))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, [{"errorCode": "EXCEEDED_ID_LIMIT"}], BatchRefused),
        (400, [{"errorCode": "JSON_PARSER_ERROR"}], BatchRefused),
        (500, [{"errorCode": "UNKNOWN_EXCEPTION"}], OutcomeUnclear),
        (503, [{"errorCode": "SERVER_UNAVAILABLE"}], UNAVAILABLE),
        (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}], RateLimited),
        (200, [], OutcomeUnclear),
        (200, {}, OutcomeUnclear),
        (200, [5], OutcomeUnclear),
    ],
)
def test_a_collection_by_itself_that_failed_raises(
    org: LiveOrg, gateway: Gateway, status: int, body: Any, kind: type[SalesforceError]
) -> None:
    org.control.fault("answer", status=status, body=json.dumps(body))
    with pytest.raises(kind):
        gateway.create_many(tasks(2))


def test_as_many_outcomes_as_rows_of_which_none_can_be_read_are_each_unclear(
    org: LiveOrg, gateway: Gateway
) -> None:
    org.control.fault("answer", body='[{"success": true}, {"success": 1}]')
    assert [type(one) for one in gateway.create_many(tasks(2))] == [OutcomeUnclear] * 2


def test_a_single_row_whose_collection_was_refused_is_rejected(
    org: LiveOrg, gateway: Gateway
) -> None:
    """There is nobody else to blame."""
    org.control.fault("answer", status=400, body='[{"errorCode": "X"}]')
    [outcome] = gateway.create_many(tasks(1))
    assert type(outcome) is RecordRejected


def test_a_text_that_looks_like_a_reference_never_travels_in_a_composite(
    org: LiveOrg, gateway: Gateway
) -> None:
    """It would halt its collection there, or be replaced by what another part answered."""
    rows = [*tasks(200), NewRecord("Task", {"Subject": "who is @{rows0[0].id}?"})]
    with pytest.raises(BatchRefused):
        gateway.create_many(rows)
    assert org.control.counters()["data_round_trips"] == 0


def test_a_call_refused_as_a_whole_has_no_row_outcomes(org: LiveOrg, gateway: Gateway) -> None:
    body = '[{"message": "Cannot deserialize", "errorCode": "JSON_PARSER_ERROR"}]'
    org.control.fault("answer", status=400, body=body)
    with pytest.raises(BatchRefused) as refused:
        gateway.create_many(tasks(2))
    assert refused.value.complaints[0].message == "Cannot deserialize"


def test_a_find_is_read_to_its_end(org: LiveOrg) -> None:
    """2,000 rows are a page; the marker stands on the last one."""
    gateway = org.gateway
    since = (gateway.limits(), gateway.server_date)[1]
    assert since is not None
    marker = f"[{uuid.uuid4().hex}]"
    for _ in range(2):
        gateway.create_many(tasks(1_000))
    last = gateway.create("Task", {"Subject": f"Email {marker}"})
    look = TaskLook(frozenset({marker}), gateway.org_facts().user_id, since)
    org.control.reset_log()
    assert gateway.find([], tasks=look).tasks == {marker: (last.id,)}
    assert org.control.counters()["data_round_trips"] == 2
    for url in (
        "https://evil.example/services/data/v66.0/query/0r8-2000",
        "/services/data/v66.0/sobjects/Contact",
        "//evil.example/services/data/v66.0/query/0r8xx-2000",
    ):
        org.control.fault("next_page_url", url=url)
        with pytest.raises(SalesforceUnavailable):
            gateway.find([], tasks=look)
        org.control.clear_faults()
    # A second page that does not come makes the whole find fail.
    org.control.fault("reset", skip=1)
    with pytest.raises(SalesforceUnavailable):
        gateway.find([], tasks=look)


def test_duplicates_of_a_blocking_rule_may_not_be_saved(org: LiveOrg, gateway: Gateway) -> None:
    address = f"{uuid.uuid4().hex}@example.com"
    first = org.add("Contact", LastName="Doe", Email=address)
    org.control.duplicate_rule("Contact", "DR", action="block", match_on=["Email"])
    with pytest.raises(DuplicatesFound) as found:
        gateway.create("Contact", {"LastName": "Doe", "Email": address})
    assert not found.value.may_save
    assert found.value.record_ids == (("Contact", first),)
    with pytest.raises(RecordRejected):
        gateway.create("Contact", {"LastName": "D", "Email": address}, allow_duplicates=True)


def test_assignment_rules_do_not_take_a_lead_away(org: LiveOrg, gateway: Gateway) -> None:
    """Salesforce's default for API saves is to run them."""
    other = org.control.add_user(f"{uuid.uuid4().hex}@example.com", last_name="Other")["id"]
    org.control.assignment_rule("Lead", other)
    try:
        fields = {"LastName": "L", "Company": "C"}
        one = gateway.create("Lead", fields)
        [many] = gateway.create_many([NewRecord("Lead", fields)])
        assert isinstance(many, Saved)
        ours = gateway.org_facts().user_id
        assert {org.fields("Lead", lead.id)["OwnerId"] for lead in (one, many)} == {ours}
    finally:
        org.control.assignment_rule("Lead", None)
