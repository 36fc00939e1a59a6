"""What may go wrong between us and Salesforce, and that nothing is lost or doubled by it.

The org in memory keeps the contract that the gateway keeps over HTTP; tests/faults kills real
processes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from keeping_plugin.errors import (
    BatchRefused,
    Complaint,
    ConnectionLost,
    NotReady,
    OutcomeUnclear,
    RateLimited,
    RecordRejected,
    RowLocked,
    SalesforceUnavailable,
)
from keeping_plugin.models import (
    AuditRecord,
    Connection,
    ConnectionStatus,
    Database,
    EntryState,
    SyncEntry,
    now,
)
from keeping_plugin.services.delivery.sweep import sweep
from keeping_plugin.services.ledger import retry
from keeping_plugin.services.ledger.batch import claim
from keeping_plugin.services.ledger.lease import take_lease
from keeping_plugin.services.ledger.outcome import done
from keeping_plugin.services.ledger.settle import settle
from keeping_plugin.types import Action, Agent
from tests.services.delivery.house import COMPANY, JANE, House

TIMED_OUT = OutcomeUnclear("no answer", timed_out=True)
BROKEN = OutcomeUnclear("HTML with 200")


@pytest.mark.parametrize("error", [TIMED_OUT, BROKEN], ids=["timeout", "broken"])
@pytest.mark.parametrize("after", [True, False], ids=["written", "not written"])
def test_an_unclear_create_is_looked_up_and_never_doubled(
    house: House, error: OutcomeUnclear, after: bool
) -> None:
    house.owe("m1")
    house.salesforce.fail("create_many", error, after=after, times=2)
    house.drain()
    assert house.states()[0] == ("sending", "")
    for _ in range(6):
        house.drain()
        house.pass_time(31)
    house.pass_time(61)
    house.drain()
    house.drain()
    assert len(house.contacts()) == 1
    assert len(house.tasks()) == 1
    assert {entry.state for entry in house.entries()} == {"done"}
    assert all(entry.sent_at is None for entry in house.entries())
    with house.database.read() as session:
        rows = session.query(AuditRecord).order_by(AuditRecord.id).all()
    (contact,), (task,) = house.contacts(), house.tasks()
    written = [(row.object, row.record_id, row.detail) for row in rows]
    assert written == [("Contact", contact, "automation"), ("Task", task["Id"], "automation")]
    assert {"Email", "LastName"} <= set(rows[0].fields), "also when it was found by the look"
    assert {"Subject", "WhoId"} <= set(rows[1].fields)


@pytest.mark.both_databases
def test_an_unclear_row_among_clear_ones_is_looked_up_alone(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    for number in range(3):
        house.owe(f"m{number}", Action.LOG_TASK)
    house.salesforce.refuse_rows(OutcomeUnclear("no row"), kept=True)
    house.drain()
    assert sorted(house.states()) == [("done", "logged")] * 2 + [("sending", "outcome_unclear")]
    house.pass_time(31)
    house.drain()
    assert house.states() == [("done", "logged")] * 3
    assert len(house.tasks()) == 3


def test_an_unclear_create_keeps_others_from_creating_the_person(house: House) -> None:
    house.owe("m1", Action.ADD_CONTACT)
    house.salesforce.fail("create_many", TIMED_OUT, after=True)
    house.drain()
    house.owe("m2", Action.ADD_CONTACT)
    house.drain()
    assert house.states()[1] == ("pending", "address_busy")
    house.pass_time(31)
    house.drain()
    assert house.states() == [("done", "created"), ("done", "exists")]
    assert len(house.contacts()) == 1


@pytest.mark.both_databases
def test_two_timeouts_in_a_row_pause_the_connection(house: House) -> None:
    house.owe("m1")
    house.salesforce.fail("find", SalesforceUnavailable("slow", timed_out=True), times=3)
    house.drain()
    assert house.connection().paused_until is None
    house.drain()
    assert house.connection().pause_reason == "unavailable"
    asked = house.salesforce.used
    house.drain()
    assert house.salesforce.used == asked
    house.pass_time(61)
    house.drain()  # the one probe: silent again, so two minutes now
    house.pass_time(61)
    house.drain()
    assert house.states() == [("pending", "")] * 2
    house.pass_time(61)
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]
    assert house.connection().timeouts == 0


def test_an_org_that_answers_looks_but_hangs_at_writes_is_paused_too(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.salesforce.fail("create_many", TIMED_OUT, times=2)
    for number in range(2):
        house.owe(f"m{number}", Action.LOG_TASK)
        house.owe(f"known{number}", Action.ADD_CONTACT)  # settled by the look alone
        house.drain()
    assert house.connection().pause_reason == "outcome_unclear"


@pytest.mark.parametrize(
    "error",
    [SalesforceUnavailable("maintenance"), RateLimited("too many"), RateLimited(daily=True)],
    ids=["503", "429", "daily limit"],
)
def test_a_clear_refusal_takes_the_mark_back_and_pauses(
    house: House, error: SalesforceUnavailable | RateLimited
) -> None:
    house.owe("m1")
    house.salesforce.fail("create_many", error)
    house.drain()
    assert {entry.state for entry in house.entries()} == {"pending"}
    assert all(entry.sent_at is None for entry in house.entries())
    assert house.connection().paused_until is not None
    house.pass_time(16 * 60)
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]


@pytest.mark.both_databases
def test_a_lost_connection_keeps_what_is_owed(house: House) -> None:
    house.owe("m1")
    house.salesforce.fail("create_many", ConnectionLost("refused"))
    house.drain()
    assert {entry.state for entry in house.entries()} == {"pending"}
    house.change(status=ConnectionStatus.LOST)
    house.drain()
    house.change(status=ConnectionStatus.LIVE, paused_until=None)  # as reconnecting does
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]


@pytest.mark.both_databases
def test_salesforces_words_stand_in_the_row_that_it_refused(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    for number in range(3):
        house.owe(f"m{number}", Action.LOG_TASK)
    words = Complaint("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No mail on Fridays", ("Subject",))
    house.salesforce.refuse_rows(RecordRejected(complaints=(words,)))
    house.drain()
    assert sorted(house.states()) == [("done", "logged")] * 2 + [("failed", "rejected")]
    failed = next(entry for entry in house.entries() if entry.state == "failed")
    assert failed.words == [[words.code, words.message, ["Subject"]]]
    with house.database.write() as session:
        retry.try_again(session, Agent("admin", COMPANY, "Admin", True), failed.id)
    house.drain()
    assert house.states() == [("done", "logged")] * 3


@pytest.mark.both_databases
def test_a_locked_row_comes_back_later_and_the_others_go_on(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    for number in range(3):
        house.owe(f"m{number}", Action.LOG_TASK)
    locked = Complaint("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access")
    house.salesforce.refuse_rows(RowLocked(complaints=(locked,)))
    house.drain()
    assert sorted(house.states()) == [("done", "logged")] * 2 + [("pending", "row_locked")]
    house.pass_time(10)
    house.drain()
    assert len(house.tasks()) == 3


def test_a_duplicate_rule_ends_auto_add_with_its_words_and_the_task_waits(house: House) -> None:
    house.owe("m1")
    words = Complaint("DUPLICATES_DETECTED", "Use one of these records?")
    house.salesforce.refuse_rows(RecordRejected(complaints=(words,)))
    house.drain()
    assert house.states() == [("done", "duplicate_rule"), ("waiting", "no_contact")]
    assert house.entries()[0].words[0][1] == words.message
    assert not house.contacts()


def test_a_task_whose_person_went_away_finds_the_address_anew_once(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    gone = RecordRejected(complaints=(Complaint("ENTITY_IS_DELETED", "entity is deleted"),))
    house.salesforce.refuse_rows(gone)
    house.drain()
    assert house.states() == [("done", "logged")]
    house.owe("m2", Action.LOG_TASK)
    house.salesforce.refuse_rows(gone, times=2)
    house.drain()
    assert house.states()[1] == ("failed", "rejected")


def test_one_poison_row_among_two_hundred_is_found_and_the_rest_goes_on(
    database: Database,
) -> None:
    house = House(database)
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    for number in range(200):
        house.owe(f"m{number}", Action.LOG_TASK)
    messages = house.desk.company(COMPANY).messages
    # What no message can have breaks our own code.
    messages["m77"] = replace(messages["m77"], sent_at=5)  # type: ignore[arg-type]
    failures = 0
    for _ in range(12):
        try:
            house.drain()
        except AttributeError:
            failures += 1
            if 2 < failures < 5:
                house.drain()  # alone, it is not tried again at once
                assert house.states()[77][0] == "pending"
                house.pass_time(121)
    states = [entry.state for entry in house.entries()]
    assert states.count("done") == 199
    assert house.states()[77] == ("failed", "no_outcome")
    assert failures == 5  # at 200, at 10, and three times alone
    assert len(house.tasks()) == 199


@pytest.mark.both_databases
def test_a_collection_refused_as_a_whole_comes_back_smaller(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1")
    for number in range(20):
        house.owe(f"n{number}", Action.ADD_CONTACT, address=f"new{number}@customer.example")
    house.salesforce.refuse_rows(
        BatchRefused("unreadable"), lambda record: record.object == "Contact", times=20
    )
    house.drain()
    assert len(house.tasks()) == 1
    assert all(entry.sent_at is None for entry in house.entries())
    for _ in range(4):
        house.drain()
    assert {entry.state for entry in house.entries()} == {"done"}


def test_a_client_secret_that_salesforce_refuses_pauses_and_sends_nothing(house: House) -> None:
    house.owe("m1", Action.ADD_CONTACT)
    house.salesforce.fail("create_many", NotReady("client secret"))  # type: ignore[arg-type]
    house.drain()
    assert [(entry.state, entry.sent_at) for entry in house.entries()] == [("pending", None)]
    assert house.connection().pause_reason == "not_ready"
    house.pass_time(61)
    house.drain()
    assert house.states() == [("done", "created")]


@pytest.mark.both_databases
def test_with_the_key_field_duplicate_value_means_done(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.change(activity_key_field="Description")
    house.salesforce.make_unique("Task", "Description")
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.fail("create_many", TIMED_OUT, after=True)
    house.drain()
    house.pass_time(31)
    house.drain()
    assert house.states() == [("done", "logged")]
    assert len(house.tasks()) == 1


@pytest.mark.both_databases
def test_disconnect_before_the_mark_means_nothing_leaves(house: House) -> None:
    house.owe("m1")

    def disconnect() -> None:
        with house.database.write() as session:
            session.execute(
                update(Connection).values(
                    status=ConnectionStatus.DISCONNECTED, current=False, epoch=2
                )
            )
            session.execute(
                update(SyncEntry)
                .where(SyncEntry.state == EntryState.PENDING)
                .values(state=EntryState.CANCELLED, reason="disconnected")
            )

    house.salesforce.meanwhile("find", disconnect)
    house.drain()
    assert not house.contacts()
    assert house.states() == [("cancelled", "disconnected")] * 2


@pytest.mark.both_databases
def test_disconnect_during_the_call_is_recorded_under_its_old_epoch(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.meanwhile(
        "create_many", lambda: house.change(status=ConnectionStatus.DISCONNECTED, epoch=2)
    )
    house.drain()
    assert house.states() == [("done", "logged")]


@pytest.mark.both_databases
def test_finding_nothing_as_another_user_is_asked_again_and_ends_with_a_person(
    house: House,
) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.fail("create_many", TIMED_OUT)
    house.drain()
    other = house.salesforce.add_user("other@example.com")
    house.salesforce.user_id = other
    house.change(user_id=other)
    house.pass_time(31)
    house.drain()
    assert house.states() == [("sending", "outcome_unclear")]
    house.drain()
    house.pass_time(86_400)
    house.drain()
    assert house.states() == [("failed", "outcome_unknown")]
    assert house.entries()[0].sent_at is not None
    agent = Agent("admin", COMPANY, "Admin", True)
    with house.database.write() as session:
        retry.send_again(session, agent, house.entries()[0].id)
    house.drain()
    assert house.states() == [("done", "logged")]
    assert len(house.tasks()) == 1


@pytest.mark.both_databases
def test_a_worker_that_froze_past_its_claim_writes_nothing(house: House) -> None:
    house.owe("m1", Action.LOG_TASK)
    with house.database.write() as session:
        lease = take_lease(house.runtime, session, org_id=house.salesforce.org_id, connection_id=1)
    assert lease is not None
    frozen = claim(house.runtime, lease, house.connection_id)
    assert frozen is not None
    house.pass_time(46)
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.drain()
    with house.database.write() as session:
        late = {frozen.rows[0].id: done("logged", "00T000000000009AAA")}
        settle(session, frozen, late, times=house.runtime.times)
    assert house.entries()[0].record_id == house.tasks()[0]["Id"]


@pytest.mark.both_databases
def test_after_a_clock_jump_no_lease_is_taken_over_and_no_marked_row_looked_at(
    house: House,
) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.fail("create_many", TIMED_OUT, after=True)
    house.drain()
    house.pass_time(31)
    with house.database.read() as session:
        house.runtime.watch.observe(now(session) + timedelta(hours=1))
    assert not house.runtime.watch.may_take_over
    house.drain()
    assert [state for state, _ in house.states()] == ["sending"]
    house.owe("m2", Action.LOG_TASK)
    house.drain()
    assert house.states()[1] == ("done", "logged")


def test_the_sweep_rings_the_longest_due_first_and_cancels_late_commits(house: House) -> None:
    house.owe("m1")
    sweep(house.runtime)
    assert house.queue.take()[0] == [house.connection_id]
    house.change(epoch=2)
    sweep(house.runtime)
    assert house.states() == [("cancelled", "disconnected")] * 2
    assert house.queue.take()[0] == []


@pytest.mark.both_databases
def test_marked_rows_of_a_connection_gone_for_a_day_are_a_persons(house: House) -> None:
    house.owe("m1", Action.ADD_CONTACT)
    house.salesforce.fail("create_many", TIMED_OUT)
    house.drain()
    with house.database.read() as session:
        time = now(session)
    house.change(status=ConnectionStatus.DISCONNECTED, current=False, disconnected_at=time)
    sweep(house.runtime)
    assert house.entries()[0].state == "sending"
    house.pass_time(86_401)
    sweep(house.runtime)
    assert house.states() == [("failed", "outcome_unknown")]
