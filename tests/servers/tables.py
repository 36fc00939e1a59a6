"""Our tables on both real databases, for tests that need no host."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine

from keeping_plugin.models import Base, Database, migrate
from tests.servers.postgres import AnyServer, create_database, drop_database, libpq
from tests.servers.stores import DATABASES


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with our tables, made once; tests get copies."""
    file = tmp_path_factory.mktemp("migrated") / "keeping.sqlite3"
    engine = create_engine(f"sqlite:///{file}")
    migrate.upgrade(engine)
    engine.dispose()
    return file


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: AnyServer, worker_id: str) -> Iterator[str]:
    """A PostgreSQL database with our tables, emptied before each test that uses it."""
    name = f"keeping_tables_{os.getpid()}_{worker_id}"
    url = create_database(postgres_server.url, name)
    engine = create_engine(url)
    migrate.upgrade(engine)
    engine.dispose()
    yield url
    drop_database(postgres_server.url, name)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Migrated and empty; KEEPING_TEST_DATABASES=sqlite narrows it to one."""
    if request.param == "sqlite":
        file = tmp_path / "keeping.sqlite3"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), file)
        url = f"sqlite:///{file}"
    else:
        url = request.getfixturevalue("migrated_postgres")
        _empty(url)
    engine = create_engine(url)
    yield Database(lambda: engine)
    engine.dispose()


def _empty(url: str) -> None:
    """As after the migration: what a test left connected is ended, so that nothing holds a lock."""
    kept = {"keeping_installation"}  # written by the migration itself
    tables = ", ".join(
        table.name for table in Base.metadata.sorted_tables if table.name not in kept
    )
    with psycopg.connect(libpq(url), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")  # type: ignore[call-overload]
