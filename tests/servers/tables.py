"""Our tables on both real databases, for tests that need no host."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, MetaData, create_engine, text

from keeping_plugin.models import Base, Database, migrate
from tests.servers.postgres import AnyServer, create_database, drop_database, libpq
from tests.servers.sqlite import put_tables

_BLOCKED = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)

# The engines live as long as the worker: each remembers the statements that it has compiled.


@pytest.fixture(scope="session")
def sqlite_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Of a file that gets our tables anew before each test that uses it."""
    engine = create_engine(f"sqlite:///{tmp_path_factory.mktemp('tables') / 'keeping.sqlite3'}")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_engine(postgres_server: AnyServer, worker_id: str) -> Iterator[Engine]:
    """Of a database with our tables, emptied before each test that uses it."""
    name = f"keeping_tables_{os.getpid()}_{worker_id}"
    engine = create_engine(create_database(postgres_server.url, name))
    migrate.upgrade(engine)
    yield engine
    engine.dispose()
    drop_database(postgres_server.url, name)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Migrated and empty; which of the two it is, `tests.servers.stores` says."""
    yield from _emptied(request.getfixturevalue(f"{request.param}_engine"))


@pytest.fixture
def postgres_database(postgres_engine: Engine) -> Iterator[Database]:
    """Migrated and empty, for what waits for a row: SQLite has one writer at a time."""
    yield from _emptied(postgres_engine)


def _emptied(shared: Engine) -> Iterator[Database]:
    shared.dispose()
    if shared.dialect.name == "sqlite":
        put_tables(Path(shared.url.database or ""))
    else:
        empty(shared.url.render_as_string(hide_password=False))
    engine = shared.execution_options()  # listeners that a test adds to it are the test's alone
    yield Database(lambda: engine)
    shared.dispose()


def until_blocked(database: Database, thread: threading.Thread) -> bool:
    """Await that somebody waits for a lock in this PostgreSQL database; false if the thread ends
    first."""
    while thread.is_alive():
        with database.read() as session:
            if session.scalar(_BLOCKED):
                return True
    return False


def empty(url: str, *others: MetaData) -> None:
    """As after the migration: what a test left connected is ended, so that nothing holds a lock."""
    kept = {"keeping_installation"}  # written by the migration itself
    tables = [
        table
        for metadata in (*others, Base.metadata)
        for table in reversed(metadata.sorted_tables)
        if table.name not in kept
    ]
    # Thirty times cheaper than TRUNCATE, which makes every table and index anew.
    deletes = "".join(f"DELETE FROM {table.name};" for table in tables)
    with psycopg.connect(libpq(url), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute(deletes)  # type: ignore[arg-type]
        connection.execute(
            "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false)"
            " FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
        )
