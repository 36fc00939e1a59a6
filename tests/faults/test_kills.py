"""F1: kill -9 at every step. Nothing is lost, nothing doubled, and work goes on by itself."""

from __future__ import annotations

import uuid

import pytest

from tests.faults.world import World, await_true
from tests.servers.stores import DATABASES

WORKER_STEPS = (
    "drain.began",
    "drain.leased",
    "drain.claimed",
    "drain.looked",
    "drain.marked",
    "drain.sent",
    "drain.settled",
    "drain.released",
    "sweep.began",
)
STEPS = {"postgres": WORKER_STEPS, "sqlite": ("drain.marked", "drain.sent", "drain.settled")}
KILLS = [(database, step) for database in DATABASES for step in STEPS[database]]


def fresh(count: int) -> list[tuple[str, str]]:
    """Messages of new customers nobody wrote to before, two messages each."""
    run = uuid.uuid4().hex[:8]
    return [(f"{run}-{n}", f"p{n // 2}-{run}@customer.example.com") for n in range(count)]


@pytest.mark.parametrize(("database_url", "step"), KILLS, indirect=["database_url"])
def test_a_worker_killed_at(step: str, world: World) -> None:
    """The first worker dies there, the next one finishes."""
    doomed = world.worker(f"{step}:1:kill")
    world.store(*fresh(6))
    await_true(world.struck)
    doomed.wait(20)
    world.worker()
    world.await_settled()
    verdict = world.verdict()
    mine = set(world.stored) | set(world.stored.values())
    assert not mine & set(verdict.lost)
    assert not mine & set(verdict.doubled)
