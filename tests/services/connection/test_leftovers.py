"""A disconnect is short whatever is owed: its rows follow, in chunks, whoever crashes meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, insert, update
from sqlalchemy.orm import Session

from keeping_plugin.models import (
    Connection,
    ConnectionStatus,
    Database,
    SyncEntry,
    UndoneAddress,
    now,
)
from keeping_plugin.services.automation.history import without_text
from keeping_plugin.services.automation.intake import message_arrived
from keeping_plugin.services.connection import leftovers
from keeping_plugin.services.connection.disconnect import end_connection, leave_for_other_org
from keeping_plugin.services.connection.disconnect_summary import disconnect_summary
from keeping_plugin.services.delivery.sweep import sweep
from keeping_plugin.types import Action
from tests.services.delivery.house import COMPANY, MAILBOX, House

pytestmark = pytest.mark.field_case("D2")

MANY = 1_800
NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def owe_many(house: House) -> None:
    with house.database.write() as session:
        time = now(session)
        row = {
            "connection_id": house.connection_id,
            "company_id": COMPANY,
            "mailbox_id": MAILBOX.id,
            "conversation_id": "c",
            "action": Action.LOG_TASK,
            "epoch": 1,
            "created_at": time,
            "due_at": time,
        }
        rows = [
            {**row, "message_id": f"many{n}", "address": f"p{n}@x.example"} for n in range(MANY)
        ]
        session.execute(insert(SyncEntry), rows)


def leave(house: House) -> None:
    """The commit of a disconnect, and no more: whoever made it dies now."""
    with house.database.write() as session:
        row = session.get_one(Connection, house.connection_id)
        end_connection(session, row, agent_id="ada", at=now(session), times=house.runtime.times)


@contextmanager
def changed_rows(house: House) -> Iterator[list[int]]:
    """How many entries each transaction changes."""
    counts: list[int] = [0]

    def note(_c: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE keeping_sync_entry"):
            counts[-1] += cursor.rowcount  # type: ignore[attr-defined]

    def commit(_: object) -> None:
        counts.append(0)

    engine = house.database.engine
    event.listen(engine, "after_cursor_execute", note)
    event.listen(engine, "commit", commit)
    yield counts
    event.remove(engine, "after_cursor_execute", note)
    event.remove(engine, "commit", commit)


def cancelled(house: House) -> int:
    return house.states().count(("cancelled", "disconnected"))


def promised(house: House) -> int:
    with house.database.read() as session:
        found = disconnect_summary(session, session.get_one(Connection, house.connection_id))
    assert found is not None
    return found.cancelled


def test_the_commit_of_a_disconnect_changes_no_entry_and_its_rows_follow_in_chunks(
    house: House,
) -> None:
    owe_many(house)
    with changed_rows(house) as counts:
        leave(house)
        assert sum(counts) == 0
        assert promised(house) == MANY
        assert not leftovers.settle(house.database, seconds=0.0)
        assert (cancelled(house), promised(house)) == (500, MANY)
        assert leftovers.settle(house.database, seconds=60.0)
    assert (cancelled(house), promised(house)) == (MANY, MANY)
    assert max(counts) == 500


def test_after_a_crash_the_sweep_goes_on_and_nothing_is_sent_meanwhile(house: House) -> None:
    house.owe("m1")
    owe_many(house)
    leave(house)
    house.drain()
    assert house.salesforce.used == 0
    sweep(house.runtime)
    assert cancelled(house) == MANY + 2
    assert promised(house) == MANY + 2
    assert leftovers.settle(house.database, seconds=0.0)


@pytest.mark.both_databases
def test_mail_is_taken_in_while_the_rows_of_a_disconnect_are_settled(house: House) -> None:
    """Between two chunks another writer gets its turn, of this company and of any other."""
    owe_many(house)
    leave(house)
    house.add_mail("new")
    message = without_text(house.desk.company(COMPANY).messages["new"])
    assert not leftovers.settle(house.database, seconds=0.0)
    with Session(house.database.engine) as host:
        assert message_arrived(house.runtime, host, message) is None
        host.commit()
    assert leftovers.settle(house.database, seconds=60.0)


@pytest.mark.both_databases
def test_rows_of_a_host_that_committed_late_are_cancelled_too(house: House) -> None:
    leave(house)
    house.owe("m1")
    with house.database.write() as session:
        session.execute(update(SyncEntry).values(epoch=1))
    sweep(house.runtime)
    assert house.states() == [("cancelled", "disconnected")] * 2
    assert all(entry.settled_at >= entry.created_at for entry in house.entries())


@pytest.mark.both_databases
def test_a_reconnect_before_the_rows_are_settled_sends_none_of_them(house: House) -> None:
    house.owe("m1")
    leave(house)
    house.change(current=True, status=ConnectionStatus.LIVE)
    house.owe("m2")
    house.drain()
    sweep(house.runtime)
    assert house.states()[:2] == [("cancelled", "disconnected")] * 2
    assert house.states()[2:] == [("done", "created"), ("done", "logged")]
    assert len(house.tasks()) == 1


@pytest.mark.both_databases
def test_what_an_org_left_for_another_is_owed_ends_the_same_way(house: House) -> None:
    house.owe("m1")
    house.owe("m2", Action.LOG_TASK)
    with house.database.write() as session:
        row = session.get_one(Connection, house.connection_id)
        session.execute(
            update(SyncEntry)
            .where(SyncEntry.message_id == "m2")
            .values(state="sending", sent_at=now(session), sent_user_id=row.user_id)
        )
    house.move_to_other_org()
    sweep(house.runtime)
    assert house.states() == [("cancelled", "other_org")] * 2 + [("failed", "outcome_unknown")]


def test_who_was_undone_is_kept_for_the_same_org_and_no_other(house: House) -> None:
    with house.database.write() as session:
        for company in (COMPANY, "another"):
            session.add(UndoneAddress(company_id=company, address="x@a.example", undone_at=NOON))
    leave(house)
    with house.database.write() as session:
        assert session.query(UndoneAddress).count() == 2
        row = session.get_one(Connection, house.connection_id)
        leave_for_other_org(session, row, agent_id="ada", at=NOON, times=house.runtime.times)
    with house.database.read() as session:
        assert [each.company_id for each in session.query(UndoneAddress)] == ["another"]
