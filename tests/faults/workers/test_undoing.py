"""An undo of 200 records whose workers die, one after the other, and one without answers: nothing
is deleted twice, reported wrongly or left out."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select

from keeping_plugin.models import AuditRecord, UndoItem, UndoRun
from keeping_plugin.services.corrections import runs
from keeping_plugin.services.corrections.choice import By, Choice
from tests.faults.processes import await_true
from tests.faults.world import ADMIN, World, fresh

STEPS = ("undo.looked", "undo.marked", "undo.sent", "undo.settled")


def sent(world: World) -> list[str]:
    """200 records that the automations made; their ids."""
    world.store(*fresh(100, per_customer=1))
    worker = world.worker()
    world.await_settled()
    worker.stop()
    return sorted(entry.record_id or "" for entry in world.entries())


def start(world: World) -> int:
    domain = world.entries()[0].address.partition("@")[2]
    with world.in_app() as runtime:
        return runs.start(runtime.database, ADMIN, Choice(By.DOMAIN, domain))


def state(world: World, run_id: int) -> str:
    with world.in_app() as runtime, runtime.database.read() as session:
        return session.get_one(UndoRun, run_id).state


def assert_each_is_deleted_once_and_told(world: World, run_id: int, records: list[str]) -> None:
    assert len(records) == len(set(records)) == 200
    there = {
        row["Id"]
        for name in ("Contact", "Task")
        for row in world.org.query(f"SELECT Id FROM {name}")
    }
    assert there.isdisjoint(records)
    with world.in_app() as runtime, runtime.database.read() as session:
        items = session.scalars(select(UndoItem).where(UndoItem.run_id == run_id)).all()
        deleted = session.scalars(
            select(AuditRecord.record_id).where(AuditRecord.action == "record_deleted")
        ).all()
    assert Counter(item.state for item in items) == {"deleted": 200}
    assert sorted(deleted) == records
    assert world.outcomes() == {("done", "undone"): 200}
    # Deleted on purpose: not what the tally of `make faults` calls lost.
    world.excused |= {entry.message_id for entry in world.entries()}


def test_workers_are_killed_in_the_middle_of_an_undo(world: World) -> None:
    """F27: one dies at each step of it, the next one goes on."""
    records = sent(world)
    run_id = start(world)
    for step in STEPS:
        doomed = world.worker(f"{step}:1:kill")
        await_true(lambda doomed=doomed: doomed.struck, what=step)  # type: ignore[misc]
        doomed.wait()
    world.worker()
    await_true(lambda: state(world, run_id) == "done")
    assert_each_is_deleted_once_and_told(world, run_id, records)


def test_deletes_whose_answers_are_lost_are_told_right(world: World) -> None:
    """F27: Salesforce deletes and its answer is lost, and it answers before anything is deleted."""
    records = sent(world)
    run_id = start(world)
    for when in ("after", "before"):
        world.org.fault("reset", when=when, scope={"call": "delete_many"})
        world.injected += 1
    world.worker()
    await_true(lambda: state(world, run_id) == "done")
    assert_each_is_deleted_once_and_told(world, run_id, records)
