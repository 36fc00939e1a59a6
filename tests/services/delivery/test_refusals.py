"""What Salesforce refuses for now comes back by itself; only what can never pass, or failed alone,
is a person's."""

from __future__ import annotations

from typing import Any

import pytest

from keeping_plugin.errors import Complaint, OutcomeUnclear, RecordRejected, SalesforceError
from keeping_plugin.models import now
from keeping_plugin.salesforce import errors
from keeping_plugin.services.ledger import retry
from keeping_plugin.types import Action, Agent
from tests.services.delivery.house import COMPANY, JANE, House

ADMIN = Agent("admin", COMPANY, "Admin", True)
MAINTENANCE = "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"
FLOW = "CANNOT_EXECUTE_FLOW_TRIGGER"
TRIGGER = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
VALIDATION = "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def refusal(*told: tuple[str, str]) -> SalesforceError:
    """As the gateway makes it of a row of a collection."""
    rows = [{"statusCode": code, "message": text, "fields": []} for code, text in told]
    return errors.of_row({"success": False, "errors": rows})


def log_tasks(house: House, number: int) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    for index in range(number):
        house.owe(f"m{index}", Action.LOG_TASK)


PASSING = [
    pytest.param((MAINTENANCE, "read-only"), id="maintenance"),
    pytest.param(("REQUEST_RUNNING_TOO_LONG", "Your request was running for too long"), id="slow"),
    pytest.param(("UNKNOWN_EXCEPTION", "An unexpected error occurred. ErrorId: 1-2"), id="unknown"),
    pytest.param(
        (TRIGGER, "T: execution caused by: ConcurrentPerOrgApex Limit exceeded"), id="busy"
    ),
    pytest.param(("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"), id="locked"),
]


@pytest.mark.field_case("A2")
@pytest.mark.parametrize("told", PASSING)
def test_a_row_refused_for_something_that_passes_goes_on_by_itself(
    house: House, told: tuple[str, str]
) -> None:
    log_tasks(house, 3)
    house.salesforce.refuse_rows(refusal(told), times=4)
    for _ in range(8):
        house.drain()
        assert not {"failed"} & {entry.state for entry in house.entries()}
        house.pass_time(120)
    house.drain()
    assert house.states() == [("done", "logged")] * 3
    assert len(house.tasks()) == 3
    assert all(entry.refused_since is None for entry in house.entries())


@pytest.mark.both_databases
@pytest.mark.field_case("A2")
def test_an_unknown_exception_is_looked_for_before_it_is_sent_again(house: House) -> None:
    log_tasks(house, 1)
    broke = refusal(("UNKNOWN_EXCEPTION", "An unexpected error occurred."))
    assert isinstance(broke, OutcomeUnclear)
    house.salesforce.refuse_rows(broke, kept=True)
    house.drain()
    assert house.states() == [("sending", "internal_error")]
    assert house.entries()[0].words[0][0] == "UNKNOWN_EXCEPTION"
    house.pass_time(31)
    house.drain()
    assert house.states() == [("done", "logged")]
    assert len(house.tasks()) == 1, "it had been written all the same"


@pytest.mark.field_case("A2")
@pytest.mark.parametrize("told", PASSING)
def test_a_day_of_a_refusal_that_passes_is_a_persons_with_salesforces_words(
    house: House, told: tuple[str, str]
) -> None:
    log_tasks(house, 1)
    house.salesforce.refuse_rows(refusal(told), times=None)
    for _ in range(11):
        house.drain()
        house.pass_time(1_400)
    assert house.entries()[0].state != "failed", "five hours are not a day"
    house.pass_time(80_000)
    house.drain()
    [entry] = house.entries()
    assert entry.state == "failed"
    assert entry.words == [[*told, []]]
    house.salesforce.mend()
    with house.database.write() as session:
        retry.try_again(session, ADMIN, entry.id)
    house.drain()
    assert house.states() == [("done", "logged")]
    assert len(house.tasks()) == 1


LIMITS = [
    (TRIGGER, "TaskTrigger: System.LimitException: Too many SOQL queries: 101"),
    (TRIGGER, "TaskTrigger: execution of AfterInsert caused by: Apex CPU time limit exceeded"),
    (FLOW, "The flow failed: Apex heap size too large: 6123456"),
    (FLOW, "Too many batch retries in the presence of Apex triggers and partial failures."),
    (VALIDATION, "Too many DML statements: 151"),
    ("LIMIT_EXCEEDED", "more than it takes"),
    (TRIGGER, "TaskTrigger: execution of AfterInsert caused by: System.NullPointerException"),
    ("SOMETHING_NEW", "of which nobody knows yet"),
]


@pytest.mark.field_case("A3")
@pytest.mark.parametrize("told", LIMITS)
def test_rows_refused_for_what_travels_with_them_travel_ten_at_a_time_and_then_alone(
    house: House, told: tuple[str, str]
) -> None:
    log_tasks(house, 25)
    house.salesforce.refuse_rows(refusal(told), times=None, more_than=9)
    for _ in range(6):
        house.drain()
    assert house.states() == [("done", "logged")] * 25
    sizes = [call.rows for call in house.salesforce.calls if call.verb == "create_many"]
    assert sizes[:2] == [25, 10]
    assert len(house.tasks()) == 25


@pytest.mark.field_case("A3")
def test_only_alone_does_a_limit_end_a_row_with_its_words(house: House) -> None:
    log_tasks(house, 3)
    told = LIMITS[0]
    house.desk.company(COMPANY).messages.pop("m2")
    house.add_mail("m2", text="the heavy one")
    house.salesforce.refuse_rows(
        refusal(told), lambda record: "the heavy one" in str(record.fields), times=None
    )
    house.salesforce.refuse_rows(refusal(told), times=None, more_than=1)
    for _ in range(3):
        house.drain()
    assert house.states() == [("done", "logged")] * 2 + [("failed", "rejected")]
    assert house.entries()[2].words == [[*told, []]]


LOCKED: list[list[tuple[str, str]]] = [
    [(TRIGGER, "T: execution of AfterInsert caused by: … UNABLE_TO_LOCK_ROW, unable to …: []")],
    [(FLOW, "The flow failed: UNABLE_TO_LOCK_ROW: unable to obtain exclusive access")],
    [(VALIDATION, "Could not save: unable to obtain exclusive access to this record")],
    [("REQUIRED_FIELD_MISSING", "x"), ("UNABLE_TO_LOCK_ROW", "unable to obtain …")],
    [(FLOW, "It failed."), (TRIGGER, "first error: UNABLE_TO_LOCK_ROW, unable")],
    [("UNKNOWN_EXCEPTION", "first error: UNABLE_TO_LOCK_ROW, unable")],
    [("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "T: UNABLE_TO_LOCK_ROW")],
    [("FIELD_INTEGRITY_EXCEPTION", "first error: UNABLE_TO_LOCK_ROW, unable to obtain …")],
    [
        (
            FLOW,
            "Record Currently Unavailable: The record is currently being modified by another user",
        )
    ],
]


@pytest.mark.both_databases
@pytest.mark.field_case("A4")
@pytest.mark.parametrize("told", LOCKED)
def test_a_lock_is_a_lock_wherever_in_the_words_it_stands(
    house: House, told: list[tuple[str, str]]
) -> None:
    log_tasks(house, 2)
    house.salesforce.refuse_rows(refusal(*told), times=1)
    house.drain()
    assert sorted(house.states()) == [("done", "logged"), ("pending", "row_locked")]
    house.pass_time(10)
    house.drain()
    assert house.states() == [("done", "logged")] * 2


@pytest.mark.both_databases
def test_a_customers_words_lock_nothing_and_pause_nobody(house: House) -> None:
    log_tasks(house, 2)
    told = ("STRING_TOO_LONG", "Subject: data value too large: UNABLE_TO_LOCK_ROW ORG_LOCKED")
    house.salesforce.refuse_rows(refusal(told), times=1)
    house.drain()
    assert sorted(house.states()) == [("done", "logged"), ("failed", "rejected")]
    assert house.connection().paused_until is None


CLOSED = [
    ("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded"),
    (TRIGGER, "Insert failed. First exception on row 0; first error: STORAGE_LIMIT_EXCEEDED, s"),
    ("API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization."),
    ("API_CURRENTLY_DISABLED", "API is disabled for this User"),
    ("ORG_LOCKED", "organization is locked"),
    ("LOGIN_DURING_RESTRICTED_TIME", "Invalid login hours"),
    ("FUNCTIONALITY_NOT_ENABLED", "functionality not enabled"),
    ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
]


@pytest.mark.field_case("A4")
@pytest.mark.parametrize("told", CLOSED)
def test_what_closes_the_whole_org_pauses_the_connection_and_leaves_the_rows_as_they_are(
    house: House, told: tuple[str, str]
) -> None:
    log_tasks(house, 3)
    house.owe("new", address="new@customer.example")
    house.salesforce.refuse_rows(
        refusal(told), lambda record: record.object == "Contact", times=None
    )
    house.salesforce.refuse_rows(refusal(told), lambda record: True, times=2)
    house.drain()
    states = house.states()
    assert {state for state, _ in states} <= {"pending", "done"}
    assert ("pending", "") in states
    assert all(entry.sent_at is None for entry in house.entries())
    connection = house.connection()
    with house.database.read() as session:
        assert connection.paused_until is not None
        assert connection.paused_until > now(session)
    assert connection.pause_words == [[*told, []]]
    house.salesforce.mend()
    house.pass_time(16 * 60)
    house.drain()
    assert {state for state, _ in house.states()} == {"done"}
    assert house.connection().pause_words is None


@pytest.mark.both_databases
def test_a_validation_rules_refusal_fails_at_once_among_others(house: House) -> None:
    log_tasks(house, 3)
    house.salesforce.refuse_rows(refusal((VALIDATION, "No mail on Fridays")), times=1)
    house.drain()
    assert sorted(house.states()) == [("done", "logged")] * 2 + [("failed", "rejected")]


def test_a_refusal_that_the_fake_words_itself_is_judged_alike(house: House) -> None:
    log_tasks(house, 2)
    words: Any = Complaint(TRIGGER, "T: REQUEST_RUNNING_TOO_LONG")
    house.salesforce.refuse_rows(RecordRejected(complaints=(words,)), times=1)
    house.drain()
    assert sorted(house.states()) == [("done", "logged"), ("pending", "unavailable")]
