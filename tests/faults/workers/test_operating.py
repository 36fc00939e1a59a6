"""F18, F19, F20, F22: deploys, databases that are away, clocks that jump, keys that are wrong."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from keeping_plugin.errors import ConfigurationError
from keeping_plugin.models import OrgLease
from tests.faults import host
from tests.faults.on import on, only
from tests.faults.processes import await_true
from tests.faults.world import World, fresh
from tests.servers.needs import ROOT
from tests.servers.postgres import PostgresServer


@on("postgres", "sqlite")
def test_deploys_during_work(world: World) -> None:
    """F18: a worker that is told to stop ends cleanly, and the next one goes on."""
    world.org.set(latency_ms=40)
    worker = world.worker()
    world.store(*fresh(2))
    world.await_settled()
    for _ in range(5):
        world.store(*fresh(20))
        await_true(lambda: any(entry.claim for entry in world.entries()) or not world.owed())
        began = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - began < 20 * world.scale + 5
        world.injected += 1
        worker = world.worker()
    world.await_settled()
    world.assert_nothing_lost_or_doubled()


def test_the_command_itself_supervises_four_pairs_and_ends_with_all_of_them(world: World) -> None:
    """F18: `flask keeping worker -n 4`, as an operator starts it: a killed pair comes back, and
    SIGTERM leaves nobody behind."""
    words = ("keeping", "worker", "-n", "4")
    with world.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "tests.faults.host", *words],
            env={**os.environ, "HOST_CONFIG": _config(world), "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    try:
        await_true(lambda: len(_children(process.pid)) == 4)
        await_true(lambda: all(_children(pid) for pid in _children(process.pid)))
        (child,) = _children(_children(process.pid)[0])
        os.kill(child, signal.SIGKILL)
        world.injected += 1
        world.store(*fresh(20))
        world.await_settled()
        await_true(lambda: child not in _all_below(process.pid))
        await_true(lambda: len(_all_below(process.pid)) == 8)
        everyone = _all_below(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert not [pid for pid in everyone if Path(f"/proc/{pid}").exists()]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    world.assert_nothing_lost_or_doubled()


def _config(world: World) -> str:

    return json.dumps(world.config)


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _all_below(pid: int) -> list[int]:
    pairs = _children(pid)
    return [*pairs, *(child for pair in pairs for child in _children(pair))]


@only("sqlite")
def test_sqlite_is_locked_and_full(world: World) -> None:
    """F19: the hook fails whole, with the host; workers back off and go on."""
    world.worker()
    before = fresh(2)
    world.store(*before)
    world.await_settled()
    path = make_url(world.database_url).database
    assert path is not None
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        world.store(*fresh(1))
    other.execute("ROLLBACK")
    other.close()
    with world.in_app():
        host.db.engine.dispose()
        host.db.session.execute(text("PRAGMA max_page_count = 1"))  # no smaller than it is
        mail_id, customer = fresh(1)[0]
        with pytest.raises(OperationalError, match="full"):
            host.store(mail_id, customer, text="x" * 4_000_000)
        host.db.session.execute(text("PRAGMA max_page_count = 1000000"))
        host.db.session.rollback()
    world.injected += 2
    assert set(world.committed()) == {mail_id for mail_id, _ in before}
    assert len(world.entries()) == 4
    world.store(*fresh(4))
    world.await_settled()
    world.assert_nothing_lost_or_doubled()


def test_postgres_is_restarted_under_load(own_postgres: PostgresServer, world_on_it: World) -> None:
    """F19: the hook fails whole while the database is away; workers back off and go on."""
    world = world_on_it
    worker = world.worker()
    world.store(*fresh(2))
    world.await_settled()
    for _ in range(2):
        world.store(*fresh(20))
        own_postgres.stop()
        with pytest.raises(OperationalError):
            world.store(*fresh(1))
        world.injected += 1
        own_postgres.start()
    # The pool's dead connections are found out by whoever uses them first.
    for _ in range(20):
        try:
            world.store(*fresh(2))
            break
        except OperationalError:
            continue
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    assert worker.alive


@pytest.mark.field_case("D13")
def test_a_worker_that_starts_before_the_database_waits_for_it(
    own_postgres: PostgresServer, world_on_it: World
) -> None:
    world = world_on_it
    world.store(*fresh(2))
    own_postgres.stop()
    world.injected += 1
    worker = world.worker()
    await_true(lambda: world.log.exists() and "is waiting for it." in world.log.read_text())
    assert "The database is not responding" in world.log.read_text()
    assert worker.alive
    own_postgres.start()
    for _ in range(20):  # this process's own pool
        with contextlib.suppress(OperationalError):
            world.await_settled()
            break
    world.assert_nothing_lost_or_doubled()


JUMP = """
    CREATE SCHEMA jumped;
    CREATE TABLE jumped.by (amount interval NOT NULL);
    INSERT INTO jumped.by VALUES ('0');
    CREATE FUNCTION jumped.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
        'SELECT pg_catalog.clock_timestamp() + (SELECT amount FROM jumped.by)';
"""


@contextmanager
def movable_clock(world: World) -> Iterator[psycopg.Connection]:
    """Its database's clock can be moved, as an operator moves the server's."""
    url = make_url(world.database_url)
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(JUMP)  # type: ignore[call-overload]
        connection.execute(
            f'ALTER DATABASE "{url.database}" SET search_path = jumped, pg_catalog, public'  # type: ignore[arg-type]
        )
        with world.in_app():
            host.db.engine.dispose()
        try:
            yield connection
        finally:  # the next world has this database, too
            connection.execute(f'ALTER DATABASE "{url.database}" RESET search_path')  # type: ignore[arg-type]
            connection.execute("DROP SCHEMA jumped CASCADE")


@only("postgres")
@pytest.mark.parametrize("jump", ["1 hour", "-1 hour"])
@pytest.mark.parametrize("step", ["drain.marked:1", "drain.sent:2"])
def test_the_databases_clock_jumps_an_hour(world: World, jump: str, step: str) -> None:
    """F20: a running sweeper sees it, takes nothing over for a minute, and then recovers."""
    with movable_clock(world) as clock:
        watcher = world.worker()
        world.store(*fresh(2))
        world.await_settled()
        await_true(lambda: _owner(world) is None)
        watcher.signal(signal.SIGSTOP, everyone=True)
        sleeper = world.worker(f"{step}:stop")
        time.sleep(5 * world.scale)
        world.store(*fresh(4))
        await_true(lambda: sleeper.struck, what=step)
        watcher.signal(signal.SIGCONT, everyone=True)
        clock.execute(f"UPDATE jumped.by SET amount = '{jump}'")  # type: ignore[arg-type]
        world.injected += 1
        owner = _owner(world)
        quarantine = time.monotonic() + 30 * world.scale
        while time.monotonic() < quarantine:
            assert _owner(world) == owner
            time.sleep(0.1)
        took = world.await_settled()
        assert took < (75 + 60) * world.scale + 10
        for pid in sleeper.children():
            os.kill(pid, signal.SIGCONT)
        sleeper.stop()
        world.assert_nothing_lost_or_doubled()


def _owner(world: World) -> str | None:
    with world.in_app() as state, state.database.read() as session:
        return session.scalar(select(OrgLease.owner))


@on("postgres", "sqlite")
def test_a_key_is_missing_or_wrong_at_start(world: World) -> None:
    """F22: the host stays up and keeps its rows, the worker refuses with a sentence, and nothing is
    deleted: with the right key everything is sent."""
    right = world.config["KEEPING_SECRET_KEYS"]
    without = {key: value for key, value in world.config.items() if "SECRET_KEYS" not in key}
    with pytest.raises(ConfigurationError, match="KEEPING_SECRET_KEYS"):
        host.create_app(without)
    world.config["KEEPING_SECRET_KEYS"] = Fernet.generate_key().decode()
    worker = world.worker()
    assert worker.wait() == 1
    assert "KEEPING_SECRET_KEYS" in world.log.read_text()
    assert "Traceback" not in world.log.read_text()
    with_wrong_key = world.host_process()
    mails = fresh(2)
    for mail_id, customer in mails:
        assert with_wrong_key.order({"mail_id": mail_id, "customer": customer or ""}) == mail_id
    world.injected += 2
    assert len(world.entries()) == 4
    assert world.connection().tokens is not None
    world.config["KEEPING_SECRET_KEYS"] = right
    world.worker()
    world.await_settled()
    world.assert_nothing_lost_or_doubled()


@only("postgres")
def test_the_engine_of_this_test_speaks_the_moved_clock(world: World) -> None:
    """F20 rests on it: what the plugin asks for as the database's time is what was moved."""
    with movable_clock(world) as clock:
        clock.execute("UPDATE jumped.by SET amount = '1 hour'")
        engine = create_engine(world.database_url)
        with engine.connect() as connection:
            ahead = connection.scalar(
                text("SELECT clock_timestamp() - pg_catalog.clock_timestamp()")
            )
        engine.dispose()
        assert ahead is not None
        assert ahead.total_seconds() > 3_500
