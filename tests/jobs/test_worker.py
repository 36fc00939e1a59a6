"""A job that takes too long, and a worker's processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keeping_plugin.jobs.worker import _fork, _Stop, make_worker
from keeping_plugin.models import EntryState
from salesforce_simulator.process import OrgProcess
from tests.faults.processes import await_true
from tests.faults.world import World, fresh, struck
from tests.servers.needs import needs


@needs("redis")
@pytest.mark.parametrize("where", ["before", "after"])
def test_a_job_that_takes_too_long_leaves_its_rows_recoverable(
    where: str, postgres_url: str, orgs: OrgProcess, tmp_path: Path
) -> None:
    """RQ interrupts it in the middle of a call: nothing is swallowed, lost or doubled."""
    with World(postgres_url, orgs, tmp_path) as world:
        world.store(*fresh(4))
        call = {"contains": '"type": "Contact"'}
        fault = world.org.fault("delay", when=where, seconds=1.5, scope=call)
        with world.in_app() as state, _interrupting(lambda: struck(world, fault)):
            worker = make_worker(world.app, state)
            worker.work(burst=True, logging_level="CRITICAL")
            assert len(worker.queues[0].failed_job_registry.get_job_ids()) == 1
        assert {entry.state for entry in world.entries()} <= {
            EntryState.PENDING,
            EntryState.SENDING,
        }
        assert all(entry.claim is None for entry in world.entries())
        world.worker()
        world.await_settled()
        world.assert_nothing_lost_or_doubled()


@contextmanager
def _interrupting(ready: Callable[[], bool]) -> Iterator[None]:
    """RQ's own alarm, rung when the moment has come and not when a clock says so."""
    main = threading.get_ident()

    def ring() -> None:
        await_true(ready)
        signal.pthread_kill(main, signal.SIGALRM)

    bell = threading.Thread(target=ring)
    bell.start()
    try:
        yield
    finally:
        bell.join()


def test_a_child_is_told_to_end_once(tmp_path: Path) -> None:
    """RQ takes a second SIGTERM for the wish to end in the middle of a job."""
    heard = tmp_path / "heard"
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def child() -> None:
        count = 0

        def note(*_: object) -> None:
            nonlocal count
            count += 1
            heard.write_text(str(count))

        signal.signal(signal.SIGTERM, note)
        heard.write_text("0")
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            time.sleep(0.01)

    try:
        stop = _Stop()
        stop.children.add(_fork(child))
        while not heard.exists() or heard.read_text() != "0":
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.asked()
        assert stop.finish(10)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert heard.read_text() == "1"


def test_a_child_that_does_not_end_is_killed(tmp_path: Path) -> None:
    """And one that was forked as the signal came hears of it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def deaf() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (tmp_path / "deaf").touch()
        time.sleep(60)

    def obedient() -> None:
        time.sleep(60)

    try:
        stop = _Stop()
        stop.children.add(_fork(deaf))
        while not (tmp_path / "deaf").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        stop.children.add(_fork(obedient))
        began = time.monotonic()
        assert not stop.finish(0.5)
        assert time.monotonic() - began < 20
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
