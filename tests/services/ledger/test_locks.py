"""Everyone who writes a connection's rows at once: nobody waits for each other in a circle, and
nobody who froze in a transaction holds up the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError

from keeping_plugin.errors import OutcomeUnclear
from keeping_plugin.models import (
    Connection,
    ConnectionStatus,
    Database,
    SyncEntry,
    migrate,
    now,
)
from keeping_plugin.services.connection import leftovers
from keeping_plugin.services.connection.disconnect import end_connection
from keeping_plugin.services.delivery.sweep import sweep
from keeping_plugin.services.ledger import lease, waiting
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.services.operations.retention import run_retention
from keeping_plugin.types import Action
from tests.services.delivery.house import House

SECONDS = 4.0


@pytest.fixture
def house(postgres_url: str) -> Iterator[House]:
    """On PostgreSQL: SQLite has one writer at a time, and no row locks."""
    engine = create_engine(postgres_url)
    migrate.upgrade(engine)
    yield House(Database(lambda: engine))
    engine.dispose()


def test_nobody_waits_for_each_other_in_a_circle(house: House) -> None:
    """Drains, disconnects and reconnects, panels that learn of Contacts, sweeps and upkeep."""
    addresses = [f"p{n}@customer.example" for n in range(30)]
    for address in addresses[:15]:
        house.salesforce.add("Contact", LastName="Doe", Email=address)
    errors: list[BaseException] = []
    until = time.monotonic() + SECONDS
    counts = dict.fromkeys(("drain", "leave", "learn", "sweep", "owe", "house"), 0)

    def drain() -> None:
        house.salesforce.fail("create_many", OutcomeUnclear("HTML with 200"))
        house.drain(house.worker())

    def leave() -> None:
        with house.database.write() as session:
            row = connection_first(session, house.connection_id)
            assert row is not None
            end_connection(session, row, agent_id="ada", at=now(session), times=house.runtime.times)
        leftovers.settle(house.database, seconds=1.0)
        with house.database.write() as session:
            row = session.get_one(Connection, house.connection_id, with_for_update=True)
            row.current, row.status = True, ConnectionStatus.LIVE
        time.sleep(0.05)

    def learn() -> None:
        with house.database.write() as session:
            waiting.contact_appeared(session, house.connection_id, addresses[::-1])

    def owe() -> None:
        number = counts["owe"]
        house.owe(f"m{number}", *Action, address=addresses[number * 7 % 30])

    def tidy() -> None:
        run_retention(house.database, house.runtime.times, keep_days=400)

    def again(name: str, work: Callable[[], None]) -> None:
        while time.monotonic() < until and not errors:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - told below
                errors.append(error)
            counts[name] += 1

    work = {"drain": drain, "leave": leave, "learn": learn, "owe": owe, "house": tidy}
    work["sweep"] = lambda: sweep(house.worker())
    pairs = [*work.items(), *(each for each in work.items() if each[0] != "owe")]
    threads = [threading.Thread(target=again, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert min(counts.values()) >= 2, counts
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    with house.database.read() as session:
        assert session.scalar(text(deadlocks)) == 0
        assert not session.scalars(
            select(SyncEntry.id).where(SyncEntry.claim.is_not(None), SyncEntry.state == "pending")
        ).all()


def test_news_of_a_contact_and_a_row_about_to_wait_see_each_other(house: House) -> None:
    """Whichever commits first: the row is not left sleeping."""
    house.owe("m1", Action.LOG_TASK)
    contact_appeared = threading.Event()

    def news() -> None:
        with house.database.write() as session:
            waiting.contact_appeared(session, house.connection_id, ["jane@customer.example"])
            contact_appeared.set()
            time.sleep(0.3)  # stamped, not committed, while the drain settles

    other = threading.Thread(target=news)

    def while_it_looks() -> None:
        other.start()
        assert contact_appeared.wait(5)

    house.salesforce.meanwhile("find", while_it_looks)
    house.drain()
    other.join()
    assert house.salesforce.used >= 2, "it was made due at once and looked for again"


def test_a_process_that_froze_in_a_transaction_gives_its_locks_back(house: House) -> None:
    house.owe("m1")

    def freeze() -> None:
        with house.database.write() as session:
            lease.take_lease(
                house.runtime, session, org_id=house.salesforce.org_id, connection_id=9
            )
            connection_first(session, house.connection_id)
            time.sleep(10.5)
            session.scalar(select(Connection.id))

    with pytest.raises(DBAPIError, match="idle-in-transaction"):
        freeze()
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]
