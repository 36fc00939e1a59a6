"""F3: Redis stopped, frozen, flushed, or empty after a restart, under load."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.faults.processes import await_true
from tests.faults.world import World, fresh, struck


def stopped(world: World, meanwhile: Callable[[], None]) -> None:
    world.redis.stop(signal.SIGKILL)
    meanwhile()
    world.redis.start()  # in memory only: it comes back empty


def frozen(world: World, meanwhile: Callable[[], None]) -> None:
    os.kill(world.redis.pid, signal.SIGSTOP)
    try:
        meanwhile()
    finally:
        os.kill(world.redis.pid, signal.SIGCONT)


def flushed(world: World, meanwhile: Callable[[], None]) -> None:
    world.redis.flush()
    meanwhile()
    world.redis.flush()


def killed_twice(world: World, meanwhile: Callable[[], None]) -> None:
    for _ in range(2):
        world.redis.stop(signal.SIGKILL)
        world.redis.start()
        meanwhile()


@pytest.mark.parametrize("away", [stopped, frozen, flushed, killed_twice])
def test_redis_is_away(world: World, away: Callable[[World, Callable[[], None]], None]) -> None:
    """F3: the intake is not held up, and what was not rung is found by the sweep."""
    world.flask("worker", "-n", "2")
    world.store(*fresh(2))
    world.await_settled()
    world.store(*fresh(10))
    before = fresh(30)

    def store() -> None:
        began = time.monotonic()
        world.store(*before)
        before[:] = fresh(30)
        # A quarter of a second once in five seconds, not for each of them.
        assert time.monotonic() - began < 30 * 0.25

    away(world, store)
    world.injected += 1
    world.store(*fresh(4))
    world.await_settled()
    world.assert_nothing_lost_or_doubled()


def test_a_worker_whose_redis_dies_during_a_job_goes_on(world: World) -> None:
    """F3: the end of the job cannot be written down, and the worker waits instead of ending."""
    worker = world.worker()
    world.store(*fresh(2))
    world.await_settled()
    call = {"contains": '"type": "Contact"'}
    fault = world.org.fault("delay", when="before", seconds=1.0, scope=call)
    world.store(*fresh(2))
    await_true(lambda: struck(world, fault))
    world.redis.stop(signal.SIGKILL)
    world.injected += 1
    await_true(lambda: "worker_waits_for_redis" in world.log.read_text())
    world.redis.start()
    world.store(*fresh(2))
    world.await_settled()
    assert worker.alive
    world.assert_nothing_lost_or_doubled()


def test_a_tick_rings_and_resume_rings_again(world: World) -> None:
    """F3: with Redis emptied and every worker stopped, `tick` and `resume` fill the queue."""
    world.store(*fresh(2))
    with world.in_app() as state:
        assert state.queue.length() == 1
        world.redis.flush()
        world.injected += 1
        assert world.flask("tick").wait() == 0
        assert state.queue.length() == 1
        world.redis.flush()
        assert world.flask("resume").wait() == 0
        assert state.queue.length() == 1
        assert "1 jobs are waiting" in world.log.read_text()
        world.redis.stop()
        assert world.flask("resume").wait() == 1
        assert "is not responding" in world.log.read_text()
        assert world.flask("tick").wait() == 1
    world.redis.start()
    world.worker()
    world.await_settled()
    world.assert_nothing_lost_or_doubled()


@pytest.mark.field_case("D13")
@pytest.mark.parametrize("words", [("worker",), ("worker", "-n", "2")], ids=["one", "two"])
def test_a_worker_that_starts_before_redis_waits_for_it(
    world: World, words: tuple[str, ...]
) -> None:
    """At boot, services come up in any order."""
    world.store(*fresh(2))
    world.redis.stop()
    world.injected += 1
    worker = world.flask(*words)
    await_true(lambda: world.log.exists() and "is waiting for it." in world.log.read_text())
    assert "Redis at KEEPING_REDIS_URL is not responding" in world.log.read_text()
    assert worker.alive
    world.redis.start()
    world.await_settled()
    assert "What the worker was waiting for is available again" in world.log.read_text()
    world.assert_nothing_lost_or_doubled()


@pytest.mark.field_case("D13")
def test_a_worker_that_waits_for_redis_ends_when_it_is_told_to(world: World) -> None:
    world.redis.stop()
    worker = world.worker()
    await_true(lambda: world.log.exists() and "is waiting for it." in world.log.read_text())
    worker.stop(10)
    world.redis.start()


def test_a_worker_that_blocks_on_a_frozen_redis_ends_when_it_is_told_to(world: World) -> None:
    """F3: SIGTERM is heard while Redis says nothing, within the deadline of a call and some."""
    worker = world.worker()
    world.store(*fresh(2))
    world.await_settled()
    frozen(world, lambda: await_true(lambda: worker.stop(45) in (0, 1)))
