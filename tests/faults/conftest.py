"""A world for each fault: on PostgreSQL, unless the test says otherwise; in `make faults` on both
databases, with and without the unique text field, again and again, with what came of all of them
added up."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from benchmarks.hostile_text import SHAPES
from keeping_plugin.models import migrate
from keeping_plugin.services.schema import task_key
from salesforce_simulator.process import OrgProcess
from tests.faults import host
from tests.faults.tally import TALLY
from tests.faults.world import World
from tests.servers.needs import require
from tests.servers.postgres import AnyServer, PostgresServer, create_database, drop_database
from tests.servers.tables import empty

KEYED = "-keyed"  # of a world whose org has the unique text field for us
EVERY = ("postgres", "sqlite", f"postgres{KEYED}")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "faults_on(databases): see tests/faults/on.py")
    config.addinivalue_line("markers", "faults_only(databases): see tests/faults/on.py")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    tally = metafunc.config.stash.get(TALLY, None)
    rounds = tally.repeat if tally else 1
    if "world" in metafunc.fixturenames:
        said = _said(metafunc, "faults_only") or (
            EVERY if tally else _said(metafunc, "faults_on") or EVERY[:1]
        )
        worlds = [(name, number) for number in range(rounds) for name in said]
        names = [f"{name}-{number}" if rounds > 1 else name for name, number in worlds]
        metafunc.parametrize("world", [name for name, _ in worlds], ids=names, indirect=True)
    elif "own_postgres" in metafunc.fixturenames and rounds > 1:
        metafunc.parametrize("own_postgres", range(rounds), indirect=True)


def _said(metafunc: pytest.Metafunc, mark: str) -> tuple[str, ...]:
    found = metafunc.definition.get_closest_marker(mark)
    return found.args[0] if found else ()


@pytest.fixture(scope="session")
def world_postgres(postgres_server: AnyServer, worker_id: str) -> Iterator[str]:
    """A PostgreSQL database with our tables and the host's, emptied before each world on it."""
    name = f"keeping_worlds_{os.getpid()}_{worker_id}"
    url = create_database(postgres_server.url, name)
    engine = create_engine(url)
    migrate.upgrade(engine)
    host.db.metadata.create_all(engine)
    engine.dispose()
    yield url
    drop_database(postgres_server.url, name)


@pytest.fixture
def _postgres(world_postgres: str) -> str:
    empty(world_postgres, host.db.metadata)
    return world_postgres


@pytest.fixture
def _sqlite(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    require("redis")
    keyed = request.param.endswith(KEYED)
    url: str = request.getfixturevalue(f"_{request.param.removesuffix(KEYED)}")
    orgs: OrgProcess = request.getfixturevalue("keyed_orgs" if keyed else "orgs")
    with World(url, orgs, tmp_path) as made:
        if keyed:
            made.change(activity_key_field=task_key.NAME)
        yield made
        _add(request, made)


@pytest.fixture
def world_on_it(
    request: pytest.FixtureRequest, own_postgres: PostgresServer, orgs: OrgProcess, tmp_path: Path
) -> Iterator[World]:
    """A world on `own_postgres`."""
    require("redis")
    with World(create_database(own_postgres.url, "keeping"), orgs, tmp_path) as made:
        yield made
        _add(request, made)


def _add(request: pytest.FixtureRequest, world: World) -> None:
    tally = request.config.stash.get(TALLY, None)
    if tally is not None:
        tally.add(world)


@pytest.fixture
def shapes(request: pytest.FixtureRequest) -> Sequence[str]:
    """The names of hostile texts that F25 stores."""
    return tuple(SHAPES) if TALLY in request.config.stash else ("lines of U+2003", "blocks")


@pytest.fixture
def to_its_end(request: pytest.FixtureRequest) -> bool:
    """Whether F25 waits until a message that stops every worker has failed."""
    return TALLY in request.config.stash


@pytest.fixture
def many(request: pytest.FixtureRequest) -> int:
    """How many messages F2 stores."""
    return 5_000 if TALLY in request.config.stash else 300


@pytest.fixture
def under_load(request: pytest.FixtureRequest) -> float:
    """How many seconds F23 lasts at least."""
    return 600.0 if TALLY in request.config.stash else 4.0
