"""Only what we made goes, nobody else's work with it, and every record's end is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from keeping_plugin.errors import (
    BatchRefused,
    Complaint,
    InvalidInput,
    NotConnected,
    OutcomeUnclear,
    RecordRejected,
    RowLocked,
    SalesforceUnavailable,
)
from keeping_plugin.models import (
    Connection,
    Database,
    PeoplePolicy,
    SyncEntry,
    UndoItem,
    UndoneAddress,
    UndoRun,
    now,
)
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.connection import connect
from keeping_plugin.services.corrections import choice, runs
from keeping_plugin.services.corrections.choice import By, Choice
from keeping_plugin.services.operations.forget import forget
from keeping_plugin.services.operations.retention import run_retention
from keeping_plugin.times import Times
from keeping_plugin.types import Action
from tests.services.corrections.undoing import (
    ADMIN,
    DOMAIN,
    advance,
    blocked,
    deletions,
    items,
    let_time_pass,
    run_of,
    start,
    undo_all,
)
from tests.services.delivery.house import COMPANY, House

JOE = "joe@customer.example"


@pytest.fixture
def sent(house: House) -> House:
    """Jane and Joe were added, and one mail of each was logged."""
    house.owe("m1")
    house.owe("m2", address=JOE)
    house.drain()
    return house


def contact_of(house: House, address: str) -> str:
    [contact] = house.contacts(address)
    return contact


@pytest.mark.both_databases
def test_a_domain_is_undone_with_its_tasks_and_three_requests(sent: House) -> None:
    before = sent.salesforce.used
    run_id = undo_all(sent)
    assert sent.salesforce.rows("Contact") == sent.tasks() == []
    assert sent.states() == [("done", "undone")] * 4
    assert run_of(sent, run_id).state == "done"
    assert {state for state, _ in items(sent, run_id).values()} == {"deleted"}
    assert sorted(blocked(sent)) == ["jane@customer.example", JOE]
    assert len(deletions(sent)) == 4
    # The fields of the objects, and for Tasks and Contacts a look and a delete each.
    assert sent.salesforce.used - before == 5


def test_one_action_takes_the_tasks_that_were_logged_on_its_contact(sent: House) -> None:
    sent.owe("m3", Action.LOG_TASK)
    sent.drain()
    jane = contact_of(sent, "jane@customer.example")
    [entry] = [each for each in sent.entries() if each.record_id == jane]
    undo_all(sent, Choice(By.ENTRY, str(entry.id)))
    assert [row["Email"] for row in sent.salesforce.rows("Contact")] == [JOE]
    assert len(sent.tasks()) == 1
    undone = [each.message_id for each in sent.entries() if each.reason == "undone"]
    assert undone == ["m1", "m1", "m3"]
    assert len(deletions(sent)) == 3


def test_who_was_undone_is_not_added_again_until_an_admin_allows_it(sent: House) -> None:
    undo_all(sent)
    sent.owe("m3")
    sent.drain()
    assert sent.states()[-2:] == [("cancelled", "undone_before"), ("waiting", "no_contact")]
    assert sent.contacts() == []
    with sent.database.write() as session:
        choice.allow(session, ADMIN, "jane@customer.example")
    sent.owe("m4")
    sent.drain()
    assert len(sent.contacts()) == 1


CASES: dict[str, Callable[[House, str, str], object]] = {
    "has_records": lambda house, contact, task: house.salesforce.add("Case", ContactId=contact),
    "has_records of a role": lambda house, contact, task: house.salesforce.add(
        "OpportunityContactRole", ContactId=contact
    ),
    "has_records of a foreign Task": lambda house, contact, task: house.salesforce.add(
        "Task", Subject="Call", WhoId=contact
    ),
    "changed": lambda house, contact, task: house.salesforce.update("Contact", contact, Title="x"),
    "gone": lambda house, contact, task: house.salesforce.delete("Contact", contact),
    "unreadable": lambda house, contact, task: house.salesforce.hidden.add("Case"),
    "other_user": lambda house, contact, task: house.salesforce.org.rows["Contact"][
        contact[:15]
    ].update(CreatedById=house.salesforce.admin_id),
}


@pytest.mark.parametrize("case", CASES)
def test_a_contact_that_is_somebody_elses_by_now_is_left(sent: House, case: str) -> None:
    contact = contact_of(sent, JOE)
    [task] = [row["Id"] for row in sent.tasks() if row["WhoId"] == contact]
    CASES[case](sent, contact, task)
    run_id = undo_all(sent)
    state, reason = items(sent, run_id)[contact]
    assert (state, reason) == ("left", case.split(" of ")[0])
    [entry] = [each for each in sent.entries() if each.record_id == contact]
    assert entry.reason == "created"
    assert JOE not in blocked(sent)
    assert sent.salesforce.fields("Contact", contact)["IsDeleted"] is (case == "gone")


def test_a_task_that_someone_changed_stays_and_its_contact_with_it(sent: House) -> None:
    contact = contact_of(sent, JOE)
    [task] = [row["Id"] for row in sent.tasks() if row["WhoId"] == contact]
    sent.salesforce.update("Task", task, Subject="Called back")
    run_id = undo_all(sent)
    assert items(sent, run_id)[task] == ("left", "changed")
    assert items(sent, run_id)[contact] == ("left", "task_changed")


def test_what_an_agent_changed_or_added_in_the_panel_stays(sent: House) -> None:
    contact = contact_of(sent, JOE)
    with sent.database.write() as session:
        audit.record_by(session, ADMIN, Audited.RECORD_UPDATED, record_id=contact)
    assert items(sent, undo_all(sent))[contact] == ("left", "changed")


def test_a_lead_is_undone_and_a_converted_one_is_left(house: House) -> None:
    with house.database.write() as session:
        session.add(PeoplePolicy(company_id=COMPANY, mailbox_id="", choices={"add_as": "lead"}))
    house.owe("m1")
    house.owe("m2", address=JOE)
    house.drain()
    leads = {row["Email"]: row["Id"] for row in house.salesforce.rows("Lead")}
    assert len(leads) == 2
    house.salesforce.convert(leads[JOE])
    ends = items(house, undo_all(house))
    assert ends[leads["jane@customer.example"]] == ("deleted", "")
    assert ends[leads[JOE]] == ("left", "converted")


def test_without_the_right_to_delete_everything_is_left(sent: House) -> None:
    schemas = sent.salesforce.org.schemas
    schemas["Contact"] = replace(schemas["Contact"], deletable=False)
    run_id = undo_all(sent)
    assert items(sent, run_id)[contact_of(sent, JOE)] == ("left", "no_right")


def test_nothing_is_undone_twice_or_while_another_undo_is_under_way(sent: House) -> None:
    run_id = start(sent)
    with pytest.raises(InvalidInput):
        start(sent)
    advance(sent, run_id)
    with pytest.raises(InvalidInput, match="nothing left"):
        start(sent)


@pytest.mark.parametrize("arrived", [True, False], ids=["deleted", "not deleted"])
def test_a_delete_without_an_answer_is_looked_up_before_anything_else(
    sent: House, arrived: bool
) -> None:
    sent.salesforce.fail("delete_many", OutcomeUnclear(), after=arrived)
    run_id = undo_all(sent)
    assert ("sent", "") in items(sent, run_id).values()
    assert not any(each.reason == "undone" for each in sent.entries())
    advance(sent, run_id)  # too early
    assert ("sent", "") in items(sent, run_id).values()
    let_time_pass(sent, run_id)
    advance(sent, run_id)
    assert sent.states() == [("done", "undone")] * 4
    assert len(deletions(sent)) == len(set(deletions(sent))) == 4


def test_what_an_earlier_connected_user_deleted_counts_as_ours(sent: House) -> None:
    sent.salesforce.fail("delete_many", OutcomeUnclear(), after=True)
    run_id = undo_all(sent)
    with sent.database.write() as session:
        session.execute(update(Connection).values(user_id=sent.salesforce.admin_id))
    let_time_pass(sent, run_id)
    advance(sent, run_id)
    tasks = {key: end for key, end in items(sent, run_id).items() if key.startswith("00T")}
    assert set(tasks.values()) == {("deleted", "")}
    contacts = {key: end for key, end in items(sent, run_id).items() if key.startswith("003")}
    assert set(contacts.values()) == {("left", "other_user")}


def test_an_undo_that_ends_in_the_previous_org_blocks_nobody_in_this_one(sent: House) -> None:
    for task in sent.tasks():
        sent.salesforce.delete("Task", task["Id"])
    sent.salesforce.meanwhile("delete_many answered", sent.move_to_other_org)
    undo_all(sent)
    assert len(deletions(sent)) == 2
    assert blocked(sent) == []


def test_what_somebody_else_deleted_meanwhile_is_not_called_ours(sent: House) -> None:
    sent.salesforce.fail("delete_many", OutcomeUnclear())
    run_id = undo_all(sent)
    for task in sent.tasks():
        sent.salesforce.delete("Task", task["Id"])
    let_time_pass(sent, run_id)
    advance(sent, run_id)
    tasks = {key: end for key, end in items(sent, run_id).items() if key.startswith("00T")}
    assert set(tasks.values()) == {("left", "gone")}


def test_tasks_that_went_with_a_contact_are_undone_though_the_answer_was_lost(sent: House) -> None:
    jane = contact_of(sent, "jane@customer.example")
    [entry] = [each for each in sent.entries() if each.record_id == jane]
    sent.salesforce.fail("delete_many", OutcomeUnclear(), after=True)
    run_id = undo_all(sent, Choice(By.ENTRY, str(entry.id)))
    let_time_pass(sent, run_id)
    advance(sent, run_id)
    assert [each.message_id for each in sent.entries() if each.reason == "undone"] == ["m1", "m1"]
    assert len(deletions(sent)) == 2


def test_a_refusal_for_now_waits_and_a_refusal_for_good_is_told(sent: House) -> None:
    joe = contact_of(sent, JOE)
    sent.salesforce.refuse_rows(RowLocked(), lambda row: row.object == "Task", times=1)
    denied = RecordRejected(complaints=(Complaint("DELETE_FAILED", "Ask your admin."),))
    sent.salesforce.refuse_rows(denied, lambda row: row.fields["Id"] == joe)
    run_id = undo_all(sent)
    assert run_of(sent, run_id).state == "running"
    let_time_pass(sent, run_id)
    advance(sent, run_id)
    assert run_of(sent, run_id).state == "done"
    assert items(sent, run_id)[joe] == ("left", "refused")
    assert [each.reason for each in sent.entries()].count("undone") == 3


def test_triggers_that_fail_for_many_are_given_fewer(sent: House) -> None:
    limit = Complaint("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "System.LimitException: Too many")
    sent.salesforce.refuse_rows(RecordRejected(complaints=(limit,)), times=None, more_than=1)
    run_id = undo_all(sent)
    advance(sent, run_id)
    assert run_of(sent, run_id).batch_size == 1
    assert sent.states() == [("done", "undone")] * 4


@pytest.mark.parametrize("error", [SalesforceUnavailable(), BatchRefused()])
def test_a_call_that_deleted_nothing_is_made_again_later(
    sent: House, error: SalesforceUnavailable
) -> None:
    sent.salesforce.fail("delete_many", error)
    run_id = undo_all(sent)
    assert run_of(sent, run_id).reason == error.code
    assert {state for state, _ in items(sent, run_id).values()} == {"chosen"}
    let_time_pass(sent, run_id)
    advance(sent, run_id)
    assert sent.states() == [("done", "undone")] * 4


def test_a_look_that_fails_deletes_nothing(sent: House) -> None:
    sent.salesforce.fail("inspect", SalesforceUnavailable())
    run_id = undo_all(sent)
    assert {state for state, _ in items(sent, run_id).values()} == {"chosen"}
    assert run_of(sent, run_id).batch_size is None
    assert len(sent.tasks()) == 2


def test_an_admin_stops_a_run_and_what_was_sent_is_still_told(sent: House) -> None:
    sent.salesforce.fail("delete_many", OutcomeUnclear(), after=True)
    run_id = undo_all(sent)
    with sent.database.write() as session:
        runs.stop(session, ADMIN, run_id)
    let_time_pass(sent, run_id)
    advance(sent, run_id)
    ends = items(sent, run_id)
    assert run_of(sent, run_id).state == "stopped"
    assert {end for key, end in ends.items() if key.startswith("003")} == {("left", "stopped")}
    assert {end for key, end in ends.items() if key.startswith("00T")} == {("deleted", "")}
    assert len(sent.salesforce.rows("Contact")) == 2


def test_a_disconnect_ends_a_run(sent: House) -> None:
    run_id = start(sent)
    connect.disconnect(sent.runtime, ADMIN)
    advance(sent, run_id)
    assert (run_of(sent, run_id).state, run_of(sent, run_id).reason) == ("stopped", "disconnected")
    assert set(items(sent, run_id).values()) == {("left", "disconnected")}
    assert len(sent.salesforce.rows("Contact")) == 2
    with pytest.raises(NotConnected):
        start(sent)


def test_a_disconnect_between_the_look_and_the_delete_prevents_it(sent: House) -> None:
    sent.salesforce.meanwhile("inspect", lambda: connect.disconnect(sent.runtime, ADMIN))
    run_id = undo_all(sent)
    assert run_of(sent, run_id).reason == "disconnected"
    assert len(sent.tasks()) == 2


def test_a_drain_and_an_undo_never_work_in_one_org_at_once(sent: House) -> None:
    sent.owe("m3")
    run_id = start(sent)
    sent.salesforce.meanwhile("find", lambda: advance(sent, run_id))
    sent.drain()
    assert len(sent.salesforce.rows("Contact")) == 2
    let_time_pass(sent, run_id)
    advance(sent, run_id)
    assert sent.salesforce.rows("Contact") == sent.tasks() == []


@pytest.mark.both_databases
def test_an_hour_an_import_and_a_domain_choose_what_they_name(database: Database) -> None:
    house = House(database)
    house.owe("m1")
    house.owe("m2", address="joe@other.example")
    house.drain()
    with house.database.write() as session:
        connection = choice.live_connection(session, COMPANY)
        [entry] = session.query(SyncEntry).filter_by(message_id="m1", action="add_contact")
        hour = entry.settled_at.strftime("%Y-%m-%dT%H:00")
        session.query(SyncEntry).filter_by(message_id="m2").update({"run_id": 7})
        found = {
            text: dict(
                choice.counted(session, connection.id, choice.read_choice({by: text})).records
            )
            for by, text in (
                ("hour", hour),
                ("hour", "2020-01-01T10:30"),
                ("run", "7"),
                ("domain", "Other.Example"),
                ("domain", "example"),
                ("entry", str(entry.id)),
            )
            if by != "domain" or "." in text
        }
    both = {"Contact": 1, "Task": 1}
    assert found == {
        hour: {"Contact": 2, "Task": 2},
        "2020-01-01T10:30": {},
        "7": both,
        "Other.Example": both,
        str(entry.id): {"Contact": 1},
    }


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "hour"),
        ({"hour": "soon"}, "hour"),
        ({"hour": "9999-12-31T23:00"}, "hour"),
        ({"domain": "acme"}, "domain"),
        ({"domain": "jane@acme.com"}, "domain"),
        ({"domain": "%.com"}, "domain"),
    ],
)
def test_a_choice_that_names_nothing_is_refused(values: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        choice.read_choice(values)
    assert refused.value.field == field


def test_a_step_deletes_at_most_two_hundred_records(house: House) -> None:
    for number in range(130):
        house.owe(f"m{number}", address=f"p{number}@customer.example")
    house.drain()
    with house.database.read() as session:
        contacts = [entry.id for entry in session.query(SyncEntry).filter_by(action="add_contact")]
    assert len(contacts) == 130
    undo_all(house, DOMAIN)
    sizes = [call.rows for call in house.salesforce.calls if call.verb == "delete_many"]
    assert max(sizes) <= 200
    assert sum(sizes) == 260


def test_an_erased_person_is_erased_from_undos_too(sent: House) -> None:
    undo_all(sent)
    forget(sent.database, COMPANY, "jane@customer.example")
    assert blocked(sent) == [JOE]
    with sent.database.read() as session:
        assert {item.address for item in session.query(UndoItem)} == {JOE}


@pytest.mark.both_databases
def test_retention_deletes_old_runs_and_keeps_who_is_not_added(sent: House) -> None:
    run_id = undo_all(sent)
    run_retention(sent.database, Times(), keep_days=30)
    assert run_of(sent, run_id).state == "done"
    with sent.database.write() as session:
        session.get_one(UndoRun, run_id).finished_at = now(session) - timedelta(days=31)
    run_retention(sent.database, Times(), keep_days=30)
    with sent.database.read() as session:
        assert session.query(UndoRun).count() == session.query(UndoItem).count() == 0
        assert session.query(UndoneAddress).count() == 2
