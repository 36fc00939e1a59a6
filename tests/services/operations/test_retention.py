"""Retention: finished entries and old facts go, what prevents a second Task stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from keeping_plugin.models import (
    AddressClaim,
    ConnectionStatus,
    Database,
    Decision,
    KnownAddress,
    MadeRecord,
    OAuthAttempt,
    PanelCard,
    SyncEntry,
    now,
)
from keeping_plugin.services.automation import backfill
from keeping_plugin.services.automation.intake import message_arrived
from keeping_plugin.services.operations.forget import forget
from keeping_plugin.services.operations.retention import CHUNK, run_retention
from keeping_plugin.types import Action, Agent, Message, MessageArrived
from tests.services.delivery.house import COMPANY, JANE, MAILBOX, House
from tests.services.runtimes import make_runtime


def arrived(message: Message) -> MessageArrived:
    names = MessageArrived.__dataclass_fields__
    return MessageArrived(**{name: getattr(message, name) for name in names})


def test_finished_entries_and_facts_go_and_a_message_delivered_again_does_nothing(
    database: Database,
) -> None:
    house = House(database)
    house.add_mail("old")
    house.add_mail("new")
    intake = house.runtime
    for message in list(house.desk.company(COMPANY).messages.values()):
        with database.write() as session:
            message_arrived(intake, session, arrived(message))
    house.drain()
    with database.write() as session:
        long_ago = now(session) - timedelta(days=401)
        for model, column in ((SyncEntry, "settled_at"), (Decision, "decided_at")):
            session.execute(
                update(model).where(model.message_id == "old").values({column: long_ago})
            )
    run_retention(database, house.runtime.times, keep_days=400)
    with database.read() as session:
        assert {entry.message_id for entry in session.query(SyncEntry)} == {"new"}
        facts = {row.message_id: row.facts for row in session.query(Decision)}
    assert facts["old"] is None
    assert facts["new"] is not None
    with database.write() as session:
        again = house.desk.company(COMPANY).messages["old"]
        message_arrived(intake, session, arrived(again))
    house.drain()
    assert len(house.tasks()) == 2


@pytest.mark.parametrize("gone", ["retention", "forget"])
def test_a_backfill_past_what_was_removed_logs_nothing_again(database: Database, gone: str) -> None:
    """The entries are gone, and with them what `ON CONFLICT` would meet; that they were granted
    stands in the live Decision."""
    house = House(database)
    house.add_mail("old")
    intake = house.runtime
    [message] = house.desk.company(COMPANY).messages.values()
    with database.write() as session:
        message_arrived(intake, session, arrived(message))
    house.drain()
    if gone == "forget":
        forget(database, COMPANY, JANE)
    else:
        with database.write() as session:
            session.execute(update(SyncEntry).values(settled_at=now(session) - timedelta(days=401)))
        run_retention(database, house.runtime.times, keep_days=400)
    assert not house.entries()
    house.add_mail("unseen", address="joe@customer.example")
    run_backfill(house)
    assert {entry.message_id for entry in house.entries()} == {"unseen"}
    house.drain()
    assert (len(house.contacts()), len(house.tasks())) == (1, 2)


def run_backfill(house: House) -> None:
    """An admin brings the whole mailbox over."""
    parts = make_runtime(
        house.database,
        helpdesk=house.desk,
        queue=house.queue,
        times=house.runtime.times,
        end_host_transaction=lambda: None,
    )
    agent = Agent("admin", COMPANY, "Admin", True)
    with house.database.write() as session:
        since = datetime(2026, 1, 1, tzinfo=UTC)
        run_id = backfill.start(session, agent, mailbox_id=MAILBOX.id, since=since)
    backfill.advance(parts, run_id)


@pytest.mark.both_databases
def test_nothing_waits_longer_than_14_days_while_the_connection_is_lost(
    database: Database,
) -> None:
    """Nobody looks for its Contact, and it must not stand there for ever."""
    house = House(database)
    house.owe("old", Action.LOG_TASK)
    house.owe("young", Action.LOG_TASK, address="joe@customer.example")
    house.drain()
    house.change(status=ConnectionStatus.LOST)
    with database.write() as session:
        for name, days in (("old", 15), ("young", 13)):
            session.execute(
                update(SyncEntry)
                .where(SyncEntry.message_id == name)
                .values(waiting_since=now(session) - timedelta(days=days))
            )
    run_retention(database, house.runtime.times, keep_days=400)
    assert house.states() == [("cancelled", "no_contact"), ("waiting", "no_contact")]


@pytest.mark.both_databases
def test_what_is_owed_is_never_cleared_away(database: Database) -> None:
    house = House(database)
    house.owe("waits", Action.LOG_TASK)
    house.drain()
    house.owe("due", Action.LOG_TASK, address="joe@customer.example")
    with database.write() as session:
        ancient = now(session) - timedelta(days=4_000)
        session.execute(update(SyncEntry).values(created_at=ancient))
    run_retention(database, house.runtime.times, keep_days=1)
    assert sorted(entry.state for entry in house.entries()) == ["pending", "waiting"]


@pytest.mark.both_databases
def test_many_rows_go_in_chunks(database: Database) -> None:
    house = House(database)
    with database.write() as session:
        long_ago = now(session) - timedelta(days=401)
        session.add_all(
            SyncEntry(
                connection_id=house.connection_id,
                company_id=COMPANY,
                mailbox_id="sales",
                conversation_id="c",
                message_id=f"m{number}",
                action=Action.LOG_TASK,
                epoch=1,
                address=JANE,
                created_at=long_ago,
                state="done",
                settled_at=long_ago,
            )
            for number in range(2 * CHUNK + 1)
        )
    run_retention(database, house.runtime.times, keep_days=400)
    assert not house.entries()


@pytest.mark.both_databases
def test_expired_logins_claims_stamps_and_cards_go(database: Database) -> None:
    house = House(database)
    with database.write() as session:
        time = now(session)
        for days in (0, 40):
            then = time - timedelta(days=days) + timedelta(minutes=5)
            session.add_all(
                [
                    OAuthAttempt(
                        key=f"k{days}", company_id="c", agent_id="a", data=b"", expires_at=then
                    ),
                    AddressClaim(org_id="o", address=f"{days}@x.example", owner="w", until=then),
                    KnownAddress(
                        connection_id=house.connection_id,
                        address=f"{days}@x.example",
                        known_at=then,
                    ),
                    PanelCard(
                        connection_id=house.connection_id,
                        address=f"{days}@x.example",
                        card={},
                        seen_at=then,
                    ),
                ]
            )
    run_retention(database, house.runtime.times, keep_days=400)
    with database.read() as session:
        left = [session.query(model).count() for model in (OAuthAttempt, AddressClaim)]
        left += [session.query(model).count() for model in (KnownAddress, PanelCard)]
    assert left == [1, 1, 1, 1]


def test_what_agents_created_is_kept_as_long_as_everything_else(database: Database) -> None:
    """Also a create whose outcome nobody learned."""
    house = House(database)
    with database.write() as session:
        time = now(session)
        for days, record_id in ((1, None), (1, "500Fk0000000001AAA"), (401, "500Fk0000000002AAA")):
            row = MadeRecord(
                connection_id=house.connection_id,
                attempt=f"{days:016}{bool(record_id):016}",
                conversation_id="c-1",
                object="Case",
                person_id="003Fk0000000001AAA",
                made_by="gus",
                sent_as="005Fk0000000001AAA",
                sent_at=time - timedelta(days=days),
                record_id=record_id,
            )
            session.add(row)
    run_retention(database, house.runtime.times, keep_days=400)
    with database.read() as session:
        left = session.scalars(select(MadeRecord.record_id).order_by(MadeRecord.id)).all()
    assert left == [None, "500Fk0000000001AAA"]
