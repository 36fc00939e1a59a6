"""F9, F16: a worker that is frozen past its lease, and an org that hangs."""

from __future__ import annotations

import os
import signal

import pytest

from tests.faults import host
from tests.faults.processes import await_true
from tests.faults.world import World, fresh, names, tasks_in

STEPS = (
    "drain.leased:1",
    "drain.claimed:1",
    "drain.looked:1",
    "drain.marked:1",
    "drain.marked:2",
    "drain.sent:1",
    "drain.sent:2",
    "drain.settled:1",
)


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_is_frozen_past_its_lease(world: World, step: str) -> None:
    """F9: another one takes over; the first one wakes up and neither sends nor writes anything."""
    sleeper = world.worker(f"{step}:stop")
    world.store(*fresh(6))
    await_true(lambda: sleeper.struck, what=step)
    world.worker()
    world.await_settled()
    before = [(entry.state, entry.record_id) for entry in world.entries()]
    for pid in sleeper.children():
        os.kill(pid, signal.SIGCONT)
    sleeper.stop()
    world.assert_nothing_lost_or_doubled()
    assert [(entry.state, entry.record_id) for entry in world.entries()] == before


def test_an_org_that_hangs_does_not_hold_the_workers_that_others_need(world: World) -> None:
    """F16: with two workers the other company's work goes on, and after two timeouts the org that
    hangs is paused; counted, not timed."""
    world.connect("other", world.orgs.sandbox)
    world.org.fault("hang", times=None)
    world.injected += 1
    hanging, theirs = fresh(10), fresh(20)
    world.store(*hanging)
    world.worker()
    world.worker()
    for number in range(0, 20, 4):
        world.store(*theirs[number : number + 4], company="other")
    await_true(lambda: not world.owed("other"))
    sandbox = world.orgs.sandbox.control
    assert tasks_in(sandbox, names(theirs)) == dict.fromkeys(names(theirs), 1)
    assert world.owed(host.COMPANY) == 20
    await_true(lambda: world.connection().pause_reason in ("unavailable", "outcome_unclear"))
    world.org.clear_faults()
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
