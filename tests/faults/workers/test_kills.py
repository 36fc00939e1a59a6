"""F1: kill -9 at every step. Nothing is lost, nothing doubled, and work goes on by itself."""

from __future__ import annotations

import pytest

from keeping_plugin import failpoints
from tests.faults.on import only
from tests.faults.processes import await_true
from tests.faults.workers.test_undoing import STEPS as UNDO_STEPS
from tests.faults.world import World, fresh

# The first send of a batch of new customers makes their Contacts, the second one logs their Tasks.
WORKER_STEPS = (
    "drain.began:1",
    "drain.leased:1",
    "drain.claimed:1",
    "drain.looked:1",
    "drain.marked:1",
    "drain.marked:2",
    "drain.sent:1",
    "drain.sent:2",
    "drain.settled:1",
    "drain.settled:2",
    "drain.released:1",
    "sweep.began:1",
)
HOST_STEPS = ("host.stored:1", "host.committed:1")
REFRESH = "refresh.answered:1"
THREE = ("drain.marked:1", "drain.sent:2", "drain.settled:1")


def test_every_failpoint_is_killed_at() -> None:
    """F1: sixteen steps, none forgotten."""
    steps = {step.split(":")[0] for step in (*WORKER_STEPS, *HOST_STEPS, REFRESH, *UNDO_STEPS)}
    assert steps == set(failpoints.NAMES)
    assert len(steps) == 16


def kill_a_worker(world: World, step: str) -> None:
    """The first worker dies there, the next one finishes; a dead child ends its parent."""
    doomed = world.worker(f"{step}:kill")
    world.store(*fresh(6))
    await_true(lambda: doomed.struck, what=step)
    doomed.wait()
    world.worker()
    world.recoveries.append(world.await_settled())
    world.assert_nothing_lost_or_doubled()


@pytest.mark.parametrize("step", WORKER_STEPS)
def test_a_worker_is_killed(world: World, step: str) -> None:
    """F1: a worker or its sweeping parent is killed."""
    kill_a_worker(world, step)


@only("postgres-keyed")
@pytest.mark.parametrize("step", ["drain.marked:2", "drain.sent:2"])
def test_a_worker_is_killed_where_tasks_need_no_look(world: World, step: str) -> None:
    """F1: with the org's unique field, where it is not known whether the Tasks were made."""
    kill_a_worker(world, step)


@only("sqlite")
@pytest.mark.parametrize("step", THREE)
def test_a_worker_is_killed_on_sqlite(world: World, step: str) -> None:
    """F1: a worker is killed, on SQLite."""
    kill_a_worker(world, step)


@pytest.mark.parametrize("step", HOST_STEPS)
def test_the_host_is_killed(world: World, step: str) -> None:
    """F1: the host dies before or after its commit: its message and what is owed for it are there
    together, or not at all."""
    doomed = world.host_process(f"{step}:kill")
    (mail,) = fresh(1)
    assert doomed.order({"mail_id": mail[0], "customer": mail[1] or ""}) is None
    stored = list(world.committed())
    assert stored == ([mail[0]] if step.startswith("host.committed") else [])
    assert len(world.entries()) == 2 * len(stored)
    world.worker()
    world.await_settled()
    world.assert_nothing_lost_or_doubled()


@pytest.mark.parametrize("step", [REFRESH])
def test_a_worker_is_killed_while_it_refreshes(world: World, step: str) -> None:
    """F1: Salesforce has answered the refresh, and nobody stored its answer."""
    world.org.expire_access_tokens()
    kill_a_worker(world, step)
    assert world.connection().status == "live"
