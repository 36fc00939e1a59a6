"""F26: Salesforce refuses the login for a while. F23: tokens rotate and admins disconnect under an
ordinary load."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, text

from keeping_plugin.services.connection import barred
from tests.faults import host
from tests.faults.on import on, only
from tests.faults.org.test_tokens import owe
from tests.faults.processes import await_true
from tests.faults.world import World, fresh

WORDS = "ip restricted or invalid login hours"


def refuse(world: World, *, lasting: float | None = None) -> None:
    world.org.fault(
        "token_refused",
        times=None,
        lasting=lasting,
        error="invalid_grant",
        error_description=WORDS,
    )
    world.org.expire_access_tokens()
    world.org.reset_log()
    world.injected += 1


def refreshes(world: World) -> int:
    """How often the token endpoint was asked since the log was cleared."""
    return sum(each["path"] == "/services/oauth2/token" for each in world.org.log())


@pytest.mark.field_case("A1")
@on("postgres", "sqlite")
def test_work_waits_while_the_refresh_is_barred_and_goes_on_by_itself(world: World) -> None:
    """F26: nobody logs in again, nobody asks in between, and no row has failed."""
    refuse(world)
    owe(world, fresh(50))
    world.worker()
    await_true(lambda: world.connection().is_barred)
    row = world.connection()
    assert (row.status, row.barred_words) == ("live", WORDS)
    assert row.tokens is not None
    world.store(*fresh(2))  # mail that comes meanwhile is owed, too
    await_true(lambda: world.connection().barred_probes == 1)
    assert {entry.state for entry in world.entries()} == {"pending"}
    assert refreshes(world) == 2, "nothing is asked between two tries"
    world.org.clear_faults()
    with world.in_app() as state:
        barred.try_now(state.database)
    world.await_settled()
    assert not world.connection().is_barred
    assert {entry.state for entry in world.entries()} == {"done"}
    world.assert_nothing_lost_or_doubled()


@pytest.mark.field_case("A8")
def test_a_session_that_is_refused_without_end_is_not_tried_without_end(world: World) -> None:
    """F26: one try, one refresh, then nobody asks until the next one is due."""
    number = world.org.fault("unauthorized", times=None)
    world.org.reset_log()
    world.injected += 1
    owe(world, fresh(20))
    world.worker()
    await_true(lambda: world.connection().is_barred)
    assert refreshes(world) == 1
    world.org.clear_faults(number)
    world.await_settled()
    assert not world.connection().is_barred
    world.assert_nothing_lost_or_doubled()


# F23 ----------------------------------------------------------------------------------------------

OPEN = 0.3  # seconds that each transaction of the host stays open
RATE = 12  # mails a second


@contextmanager
def mail_coming_in(world: World) -> Iterator[list[tuple[str, str | None]]]:
    """Overlapping transactions of the host, 12 mails a second, each open for 0.3 s; yields the
    mails. Fails when one of them had to wait for a lock of ours."""
    stored: list[tuple[str, str | None]] = []
    failed: list[BaseException] = []
    over = threading.Event()
    senders = 6

    def send() -> None:
        try:
            while not over.is_set():
                run = uuid.uuid4().hex[:8]
                with world.in_app():
                    # Of locks, that is: a busy machine may take its time.
                    host.db.session.execute(text("SET LOCAL lock_timeout = '500ms'"))
                    host.add(run, f"{run}@customer.example.com")
                    host.db.session.flush()
                    time.sleep(OPEN)
                    host.db.session.commit()
                stored.append((run, f"{run}@customer.example.com"))
                over.wait(senders / RATE - OPEN)
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=send) for _ in range(senders)]
    for thread in threads:
        thread.start()
    try:
        yield stored
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not failed


def renewed_after(world: World, version: int) -> None:
    await_true(lambda: world.connection().token_version > version)


@pytest.mark.field_case("D1")
@only("postgres")
def test_an_ordinary_load_loses_no_connection(world: World, under_load: float) -> None:
    """F23: refresh tokens rotate, sessions end and an admin disconnects and reconnects while the
    host stores mail in overlapping transactions; for 10 minutes in `make faults`."""
    locks: list[str] = []

    def note(*arguments: object) -> None:
        statement = str(arguments[2])
        if "FOR UPDATE" in statement:
            locks.append(statement)

    with world.in_app():
        event.listen(host.db.engine, "before_cursor_execute", note)
    world.org.set(rotate_refresh_tokens=True)
    for _ in range(2):
        world.worker()
    disconnects: list[float] = []
    until = time.monotonic() + under_load
    with mail_coming_in(world) as stored:
        rounds = 0
        while time.monotonic() < until or not disconnects:
            rounds += 1
            version = world.connection().token_version
            world.org.expire_access_tokens()
            renewed_after(world, version)
            assert world.connection().status == "live"
            if rounds % 4 == 0:
                began = time.monotonic()
                world.disconnect()
                disconnects.append(time.monotonic() - began)
                world.reconnect()
        world.injected += rounds
    assert world.connection().status == "live"
    assert len(stored) > under_load
    # A lock that it cannot get ends it after 5 s.
    assert max(disconnects) < (1 if under_load > 60 else 4), sorted(disconnects)[-3:]
    assert locks == []
    world.await_settled()
    # What was owed when the admin disconnected was cancelled; what came before the reconnect was
    # never owed.
    owed = {entry.message_id for entry in world.entries()}
    cancelled = {entry.message_id for entry in world.entries() if entry.reason == "disconnected"}
    world.excused |= cancelled | (world.committed().keys() - owed)
    assert owed - cancelled
    world.assert_nothing_lost_or_doubled()
