"""A describe that ends while an admin disconnects: neither waits for the other for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text, update

from keeping_plugin.models import Database, SchemaLoad, migrate, now
from keeping_plugin.services.ledger.locking import lock_connection
from keeping_plugin.services.schema import describe as schema
from tests.fake_salesforce import FakeSalesforce
from tests.services.company import Company
from tests.services.runtimes import make_runtime

BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    """On PostgreSQL: SQLite has one writer at a time."""
    engine = create_engine(postgres_url)
    migrate.upgrade(engine)
    yield Database(lambda: engine)
    engine.dispose()


def test_a_describe_ends_behind_a_disconnect_that_holds_the_connection(database: Database) -> None:
    company = Company(database)
    company.sign_in()
    connection_id = company.row().id
    runtime = make_runtime(database, times=company.times, gateways=FakeSalesforce())
    schema.describe(runtime, connection_id)
    with database.write() as session:
        session.execute(update(SchemaLoad).values(due_at=now(session)))
    describing = threading.Thread(target=schema.describe, args=(runtime, connection_id))
    with database.write() as session:
        lock_connection(session, connection_id)
        describing.start()
        blocked = False
        while describing.is_alive() and not blocked:
            with database.read() as looking:
                blocked = bool(looking.scalar(text(BLOCKED)))
        # As `disconnect` does; PostgreSQL would end one of the two if the describe held this row.
        session.execute(update(SchemaLoad).values(done=0))
    describing.join()
    assert blocked
    with database.read() as session:
        assert session.get_one(SchemaLoad, connection_id).finished_at is not None
