"""Fixtures for Redis and the two databases. Each test worker owns its servers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.needs import require
from tests.servers.postgres import (
    AnyServer,
    PostgresServer,
    create_database,
    drop_database,
    find_postgres,
    postgres_bin,
)
from tests.servers.redis import RedisServer

_NAMED = os.environ.get("KEEPING_TEST_DATABASES")
DATABASES = (_NAMED or "sqlite,postgres").split(",")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The worker's Redis. A test that stops, freezes or restarts one makes its own RedisServer."""
    require("redis")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """An empty Redis."""
    redis_server.flush()
    return redis_server.url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[AnyServer]:
    """The worker's PostgreSQL, never to be stopped by a test."""
    require("postgres")
    make = find_postgres()
    assert make is not None
    with make() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server that the test may stop, kill and start again."""
    require("own postgres")
    binaries = postgres_bin()
    assert binaries is not None
    with PostgresServer(binaries) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: AnyServer, worker_id: str) -> Iterator[str]:
    """An empty PostgreSQL database, dropped after the test."""
    name = f"keeping_test_{os.getpid()}_{worker_id}"
    yield create_database(postgres_server.url, name)
    drop_database(postgres_server.url, name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'keeping.sqlite3'}"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "both_databases: `database` is SQLite, then PostgreSQL: their SQL or locks differ",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`database` is SQLite alone, unless the test is marked or KEEPING_TEST_DATABASES says more."""
    if "database" in metafunc.fixturenames:
        both = _NAMED or metafunc.definition.get_closest_marker("both_databases")
        metafunc.parametrize("database", DATABASES if both else ["sqlite"], indirect=True)


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """The test runs once on each database; KEEPING_TEST_DATABASES=sqlite narrows that."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
