"""The delivery on a real ledger: each sentence of the protocol that stops a loss, a double or a
leak has its test here or in test_drain_faults."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keeping_plugin.errors import SalesforceUnavailable
from keeping_plugin.models import EntryState, KnownAddress, Lane, Pick, SyncEntry, now
from keeping_plugin.services.ledger import claims
from keeping_plugin.services.ledger.lease import release_lease, take_lease
from keeping_plugin.types import Action
from tests.services.delivery.house import COMPANY, JANE, MAILBOX, House


def test_a_new_customer_and_its_first_message_in_three_requests(house: House) -> None:
    house.owe("m1")
    house.drain()
    (contact,) = house.contacts()
    (task,) = house.tasks()
    assert task["WhoId"] == contact
    assert task["Subject"].endswith("]")
    assert house.states() == [("done", "created"), ("done", "logged")]
    assert house.salesforce.used == 3


def test_a_thousand_messages_of_known_people_take_two_requests_a_batch(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    for number in range(200):
        house.owe(f"m{number}", Action.LOG_TASK)
    house.drain()
    assert len(house.tasks()) == 200
    assert house.salesforce.used == 2


def test_sixteen_messages_of_one_new_address_make_one_contact(house: House) -> None:
    for number in range(16):
        house.owe(f"m{number}")
    house.drain()
    (contact,) = house.contacts()
    assert {task["WhoId"] for task in house.tasks()} == {contact}
    assert len(house.tasks()) == 16
    added = [entry.reason for entry in house.entries() if entry.action == Action.ADD_CONTACT]
    assert sorted(added) == ["created"] + ["exists"] * 15


@pytest.mark.both_databases
def test_a_lead_with_the_address_prevents_the_contact_and_the_task_waits(house: House) -> None:
    house.salesforce.add("Lead", LastName="Doe", Company="Acme", Email=JANE)
    house.owe("m1")
    house.drain()
    assert house.states() == [("done", "exists"), ("waiting", "no_contact")]
    assert not house.contacts()


def test_mail_that_comes_before_the_describe_has_ended_is_closed_too(house: House) -> None:
    """Without a status Salesforce would make it an open Task."""
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.change(task_status=None)
    house.owe("m0", Action.ADD_CONTACT)
    house.drain()
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    house.owe("m2", Action.LOG_TASK)
    house.drain()
    assert [task["Status"] for task in house.tasks()] == ["Completed", "Completed"]
    assert [call.verb for call in house.salesforce.calls].count("closed_task_status") == 1
    assert house.connection().task_status == "Completed"


@pytest.mark.both_databases
@pytest.mark.field_case("A13")
def test_a_task_has_the_day_of_the_connecting_user(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    for number, timezone in enumerate(("Pacific/Kiritimati", "Mars/Olympus", None)):
        house.change(timezone=timezone)
        house.owe(f"m{number}", Action.LOG_TASK)
        house.desk.company(COMPANY).messages[f"m{number}"] = replace(
            house.desk.company(COMPANY).messages[f"m{number}"],
            sent_at=datetime(2026, 5, 6, 12, tzinfo=UTC),
        )
        house.drain()
    days = [task["ActivityDate"] for task in house.tasks()]
    assert days == ["2026-05-07", "2026-05-06", "2026-05-06"]


@pytest.mark.both_databases
def test_a_task_waits_when_its_status_cannot_be_asked_for(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.change(task_status=None)
    house.salesforce.fail("closed_task_status", SalesforceUnavailable("away"))
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    assert not house.tasks()
    house.pass_time(60)
    house.drain()
    assert [task["Status"] for task in house.tasks()] == ["Completed"]


def test_a_task_is_closed_and_its_marker_stands_at_the_end(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    (task,) = house.tasks()
    assert task["Status"] == "Completed"
    assert task["TaskSubtype"] == "Email"
    assert "Where is my order?" in task["Subject"]


def test_the_remembered_pick_gets_the_task(house: House) -> None:
    house.salesforce.add("Contact", LastName="Older", Email=JANE)
    picked = house.salesforce.add("Contact", LastName="Younger", Email=JANE)
    with house.database.write() as session:
        session.add(
            Pick(
                connection_id=house.connection_id,
                address=JANE,
                object="Contact",
                record_id=picked,
                picked_by="agent",
                picked_at=now(session),
            )
        )
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    assert house.tasks()[0]["WhoId"] == picked
    assert house.entries()[0].candidates == 2


def test_a_paused_connection_is_left_alone(house: House) -> None:
    house.owe("m1")
    with house.database.read() as session:
        later = now(session) + timedelta(minutes=1)
    house.change(paused_until=later, pause_reason="unavailable")
    house.drain()
    assert house.salesforce.used == 0
    house.pass_time(61)
    house.drain()
    assert len(house.tasks()) == 1


@pytest.mark.both_databases
def test_a_connection_nobody_confirmed_sends_nothing(house: House) -> None:
    house.owe("m1")
    house.change(confirmed=False)
    house.drain()
    assert house.salesforce.used == 0


def test_a_toggle_switched_off_meanwhile_cancels_what_was_not_sent(house: House) -> None:
    house.owe("m1")
    house.switch(add_contacts=False, log_tasks=False)
    house.drain()
    assert house.states() == [("cancelled", "switched_off")] * 2


def be_gone_long_enough(house: House) -> None:
    """The inbox may be read where it is behind (test_gone)."""
    for _ in range(2):
        house.pass_time(601)
        house.drain()


def test_a_message_deleted_or_moved_meanwhile_is_not_sent(house: House) -> None:
    house.owe("m1", Action.LOG_TASK)
    house.owe("m2", Action.LOG_TASK)
    company = house.desk.company(COMPANY)
    del company.messages["m1"]
    company.messages["m2"] = replace(company.messages["m2"], mailbox_id="billing")
    house.drain()
    assert house.states() == [("pending", "message_missing"), ("cancelled", "mailbox_moved")]
    be_gone_long_enough(house)
    assert house.states() == [("cancelled", "message_deleted"), ("cancelled", "mailbox_moved")]


def test_a_deleted_mailbox_cancels_what_it_owed(house: House) -> None:
    house.owe("m1", Action.LOG_TASK)
    house.desk.company(COMPANY).mailboxes.remove(MAILBOX)
    be_gone_long_enough(house)
    assert house.states() == [("cancelled", "mailbox_deleted")]


def test_live_mail_goes_before_backfill(house: House) -> None:
    for number in range(200):
        house.owe(f"old{number}", Action.LOG_TASK, lane=Lane.BACKFILL)
    house.owe("new", Action.LOG_TASK)
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    batches: list[int] = []
    house.salesforce.meanwhile("create_many", lambda: batches.append(len(house.tasks())))
    house.drain()
    order = [task["Subject"] for task in house.tasks()]
    live = next(entry for entry in house.entries() if entry.message_id == "new")
    assert live.record_id == house.tasks()[0]["Id"]
    assert len(order) == 201


def test_only_one_drain_per_org_and_the_other_is_rung_when_it_ends(house: House) -> None:
    house.owe("m1")
    with house.database.write() as session:
        lease = take_lease(house.runtime, session, org_id=house.salesforce.org_id, connection_id=99)
    assert lease is not None
    house.drain()
    assert house.salesforce.used == 0
    with house.database.write() as session:
        assert release_lease(session, lease) == (house.connection_id,)


def test_the_lease_of_a_dead_worker_is_taken_over_when_it_ran_out(house: House) -> None:
    house.owe("m1")
    with house.database.write() as session:
        take_lease(house.runtime, session, org_id=house.salesforce.org_id, connection_id=99)
    house.pass_time(46)
    house.drain()
    assert len(house.tasks()) == 1


def test_a_young_process_takes_over_no_lease(house: House) -> None:
    house.owe("m1")
    with house.database.write() as session:
        take_lease(house.runtime, session, org_id=house.salesforce.org_id, connection_id=99)
    house.pass_time(46)
    young = house.worker()
    young.watch._born += 60
    house.drain(young)
    assert house.salesforce.used == 0


def test_an_address_that_an_agent_is_adding_is_put_off_with_its_task(house: House) -> None:
    house.owe("m1")
    with house.database.write() as session:
        held = claims.take(
            session,
            org_id=house.salesforce.org_id,
            addresses={JANE},
            owner="agent",
            times=house.runtime.times,
        )
    assert held == {JANE}
    house.drain()
    assert house.states() == [("pending", "address_busy")] * 2
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    with house.database.write() as session:
        claims.release(session, org_id=house.salesforce.org_id, addresses={JANE}, owner="agent")
    house.pass_time(6)
    house.drain()
    assert house.states() == [("done", "exists"), ("done", "logged")]


def test_finding_an_address_releases_the_tasks_that_waited_for_it(house: House) -> None:
    house.switch(add_contacts=False)
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    assert house.states() == [("waiting", "no_contact")]
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m2", Action.LOG_TASK)
    house.drain()
    assert house.states() == [("done", "logged")] * 2


def test_news_of_a_contact_between_find_and_settle_is_not_slept_through(house: House) -> None:
    house.owe("m1", Action.LOG_TASK)

    def news() -> None:
        with house.database.write() as session:
            session.add(
                KnownAddress(connection_id=house.connection_id, address=JANE, known_at=now(session))
            )

    house.salesforce.meanwhile("find", news)
    house.drain()
    states = {entry.state for entry in house.entries()}
    assert EntryState.WAITING not in states or house.entries()[0].looks == 0
    assert house.salesforce.used >= 2  # it was made due at once, and looked for again


def test_a_waiting_task_is_looked_for_and_released(house: House) -> None:
    house.switch(add_contacts=False)
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.drain()
    assert house.states() == [("waiting", "no_contact")]
    house.pass_time(601)
    house.drain()
    house.drain()
    assert house.states() == [("done", "logged")]


def test_after_fourteen_days_a_waiting_task_is_cancelled(house: House) -> None:
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    house.pass_time(14 * 86_400 + 1)
    house.drain()
    assert house.states() == [("cancelled", "no_contact")]


@pytest.mark.both_databases
def test_near_the_daily_limit_automations_stop_and_one_cheap_call_asks_again(
    house: House,
) -> None:
    house.salesforce.limit = 100
    house.salesforce.used = 79
    house.owe("m1")
    house.change(api_used=80, api_limit=100)
    house.drain()
    assert house.salesforce.used == 80
    assert house.connection().pause_reason == "budget"
    house.salesforce.used = 10
    house.pass_time(15 * 60 + 1)
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]


@pytest.mark.both_databases
def test_entries_of_an_older_epoch_are_cancelled(house: House) -> None:
    house.owe("m1", Action.LOG_TASK)
    house.change(epoch=2)
    house.drain()
    assert house.states() == [("cancelled", "disconnected")]


@pytest.mark.both_databases
def test_each_record_made_leaves_one_audit_row_without_values(house: House) -> None:
    from keeping_plugin.models import AuditRecord

    house.owe("m1")
    house.drain()
    with house.database.read() as session:
        rows = session.query(AuditRecord).order_by(AuditRecord.id).all()
    assert [(row.object, row.action) for row in rows] == [
        ("Contact", "record_created"),
        ("Task", "record_created"),
    ]
    assert "Email" in rows[0].fields
    assert all(JANE not in str(vars(row)) for row in rows)


@pytest.mark.both_databases
def test_no_row_is_left_claimed(house: House) -> None:
    house.owe("m1")
    house.drain()
    with house.database.read() as session:
        assert session.query(SyncEntry).filter(SyncEntry.claim.is_not(None)).count() == 0


@pytest.mark.both_databases
@pytest.mark.field_case("D6")
@pytest.mark.parametrize("added", [True, False], ids=["added", "being added"])
def test_a_drain_adds_nobody_whose_claim_somebody_else_took(house: House, added: bool) -> None:
    org = house.salesforce.org_id

    def meanwhile() -> None:
        house.expire_claims()
        with house.database.write() as session:
            taken = claims.take(
                session, org_id=org, addresses={JANE}, owner="agent", times=house.runtime.times
            )
            assert taken == {JANE}
        if added:
            house.salesforce.add("Contact", LastName="Doe", Email=JANE)
            with house.database.write() as session:
                claims.release(session, org_id=org, addresses={JANE}, owner="agent")

    house.owe("m1")
    house.owe("m2")
    house.salesforce.meanwhile("find answered", meanwhile)
    house.drain()
    assert not house.tasks()
    assert len(house.contacts()) == int(added)
    assert all(entry.sent_at is None for entry in house.entries())
    if not added:
        with house.database.write() as session:
            claims.release(session, org_id=org, addresses={JANE}, owner="agent")
    house.pass_time(40)
    house.drain()
    house.drain()
    assert len(house.contacts()) == 1
    assert len(house.tasks()) == 2
