"""An undo of very many records: no transaction writes more than a chunk of rows, so that whoever
stores mail beside it waits for no more than that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, text, update
from sqlalchemy.dialects import sqlite

from keeping_plugin.errors import SalesforceUnavailable
from keeping_plugin.models import Database, SyncEntry, UndoItem, UndoRun, now
from keeping_plugin.services.connection import connect
from keeping_plugin.services.corrections import choice, items, runs
from keeping_plugin.services.operations.retention import run_retention
from keeping_plugin.times import Times
from tests.services.corrections.undoing import ADMIN, DOMAIN, advance, run_of, start
from tests.services.delivery.house import COMPANY, House

MANY = 2 * items.CHUNK + 10


def made(house: House, number: int, *, domain: str = "customer.example") -> None:
    """So many Tasks that the automations logged, one of which never learned its id."""
    with house.database.write() as session:
        time = now(session) - timedelta(minutes=1)
        row = {
            "connection_id": house.connection_id,
            "company_id": COMPANY,
            "mailbox_id": "sales",
            "conversation_id": "c",
            "action": "log_task",
            "epoch": 1,
            "created_at": time,
            "settled_at": time,
            "state": "done",
            "reason": "logged",
        }
        session.execute(
            insert(SyncEntry),
            [
                {
                    **row,
                    "message_id": f"{domain}-{each}",
                    "address": f"p{each}@{domain}",
                    "record_id": f"00T{each:015}" if each else None,
                }
                for each in range(number)
            ],
        )


@contextmanager
def largest_transaction(database: Database) -> Iterator[Callable[[], int]]:
    """How many rows were written at most in one transaction."""
    written = [0]

    def count(_c: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("BEGIN") or "set_config" in statement:
            written.append(0)
        elif statement.split()[0] in {"INSERT", "UPDATE", "DELETE"}:
            written[-1] += max(cursor.rowcount, 0)

    event.listen(database.engine, "after_cursor_execute", count)
    yield lambda: max(written)
    event.remove(database.engine, "after_cursor_execute", count)


def states(house: House, run_id: int) -> dict[tuple[str, str], int]:
    with house.database.read() as session:
        found: dict[tuple[str, str], int] = {}
        for item in session.query(UndoItem).filter_by(run_id=run_id):
            key = (item.state, item.reason)
            found[key] = found.get(key, 0) + 1
        return found


def stopped(house: House, run_id: int) -> None:
    with house.database.write() as session:
        runs.stop(session, ADMIN, run_id)


def disconnected(house: House, run_id: int) -> None:
    connect.disconnect(house.runtime, ADMIN)


def fill(house: House, run_id: int) -> None:
    """What a job does before it asks Salesforce, which does not answer."""
    house.salesforce.fail("describe", SalesforceUnavailable())
    advance(house, run_id)


@pytest.mark.both_databases
@pytest.mark.parametrize("end", [stopped, disconnected], ids=["stopped", "disconnected"])
def test_no_transaction_writes_more_than_a_chunk(
    house: House, end: Callable[[House, int], None]
) -> None:
    made(house, MANY)
    made(house, 3, domain="other.example")
    few = 5  # the run, its claim and the audit, beside the items
    with largest_transaction(house.database) as most:
        run_id = start(house)
        assert states(house, run_id) == {("chosen", ""): items.CHUNK - 1, ("left", "no_id"): 1}
        fill(house, run_id)
        assert states(house, run_id) == {("chosen", ""): MANY - 1, ("left", "no_id"): 1}
        with house.database.write() as session:
            session.execute(update(UndoRun).values(due_at=now(session), claimed_until=None))
        end(house, run_id)
        advance(house, run_id)
        assert states(house, run_id) == {("left", end.__name__): MANY - 1, ("left", "no_id"): 1}
        assert run_of(house, run_id).state == "stopped"
        with house.database.write() as session:
            old = now(session) - timedelta(days=99)
            session.execute(update(UndoRun).values(finished_at=old))
        run_retention(house.database, Times(), keep_days=30)
        assert states(house, run_id) == {}
        assert items.CHUNK <= most() <= items.CHUNK + few


@pytest.mark.both_databases
def test_what_is_made_after_the_start_is_not_undone(house: House) -> None:
    made(house, items.CHUNK)
    run_id = start(house)
    with house.database.write() as session:
        session.execute(update(UndoRun).values(started_at=now(session) - timedelta(minutes=9)))
    made(house, 3, domain="sub.customer.example")
    fill(house, run_id)
    assert sum(states(house, run_id).values()) == items.CHUNK
    assert run_of(house, run_id).filled_to is None


@pytest.mark.both_databases
def test_more_than_ten_thousand_are_not_counted_to_the_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "MAX_COUNTED", 10)
    made(house, 12)
    with house.database.read() as session:
        counted = choice.counted(session, house.connection_id, DOMAIN)
    assert (sum(counted.records.values()), counted.more) == (11, True)


def test_what_is_chosen_is_read_from_an_index_alone(house: House) -> None:
    run = UndoRun(
        connection_id=house.connection_id, chosen_by="domain", value="a.example", filled_to=5
    )
    query = items.chosen(run).compile(
        dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}
    )
    with house.database.read() as session:
        plan = session.execute(text(f"EXPLAIN QUERY PLAN {query}")).all()
    assert [row.detail.partition(" (")[0] for row in plan] == [
        "SEARCH keeping_sync_entry USING COVERING INDEX ix_keeping_sync_entry_made"
    ]
