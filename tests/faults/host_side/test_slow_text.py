"""F25: a body made to take long, and a host that stands still while it fetches one."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.hostile_text import SHAPES
from keeping_plugin.models import EntryState, SyncEntry
from keeping_plugin.times import LEASE
from keeping_plugin.types import Action
from tests.faults.host import STALLS
from tests.faults.processes import await_true
from tests.faults.world import SCALE, World, fresh, names


def logging(world: World, message_id: str) -> SyncEntry:
    """The entry of its Task."""
    return next(each for each in world.entries(message_id) if each.action == Action.LOG_TASK)


def test_hostile_bodies_at_the_head_of_a_batch_are_sent_with_it(
    world: World, shapes: Sequence[str]
) -> None:
    """Every one is logged with its batch: no worker ever stood still, so that nobody waited."""
    hostile, around = fresh(len(shapes), per_customer=1), fresh(6)
    for mail, name in zip(hostile, shapes, strict=True):
        world.store(mail, text=SHAPES[name].text(64 * 1024))
    world.store(*around)
    world.injected += len(shapes)
    world.worker()
    world.worker()
    world.await_settled()
    assert world.outcomes(*names(around))["done", "logged"] == len(around)
    for mail_id in names([*hostile, *around]):
        entry = logging(world, mail_id)
        assert (entry.state, entry.attempts, entry.note) == (EntryState.DONE, 0, None)
    world.assert_nothing_lost_or_doubled()


def test_a_message_that_every_worker_stands_still_at_goes_alone_and_is_counted(
    world: World, to_its_end: bool
) -> None:
    """Its neighbours are sent by the other worker as soon as the lease has run out."""
    ((stalling, customer),) = fresh(1)
    around = fresh(6)
    world.store((stalling, customer), text=f"{STALLS}{LEASE * SCALE + 1}")
    world.store(*around)
    world.excused.add(stalling)
    world.injected += 1
    world.worker()
    world.worker()
    await_true(lambda: world.outcomes(*names(around))["done", "logged"] == len(around))
    assert logging(world, stalling).batch_size == 1
    await_true(lambda: logging(world, stalling).attempts > 0)
    if to_its_end:
        await_true(lambda: logging(world, stalling).state == EntryState.FAILED)
        assert logging(world, stalling).reason == "no_outcome"
    world.assert_nothing_lost_or_doubled()
