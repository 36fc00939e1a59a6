"""F12, F13: disconnected, switched off, moved or deleted while it was queued."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from sqlalchemy import delete, update

from keeping_plugin.models import MailboxPolicy
from tests.faults import host
from tests.faults.org.test_tokens import owe
from tests.faults.processes import await_true
from tests.faults.world import World, fresh, names, tasks_in

MARK_AGE, CALL = 2.0, 20.0


def test_disconnect_with_five_hundred_queued_and_four_workers_running(world: World) -> None:
    """F12: no call whose mark is later starts; what runs ends and is recorded; the rest is never
    sent, and what nobody knows is looked up after a reconnect."""
    mails = fresh(250, per_customer=1)
    owe(world, mails)
    world.org.set(latency_ms=300)
    for _ in range(4):
        world.worker()
    await_true(lambda: tasks_in(world.org) or _sending(world))
    world.disconnect()
    at = datetime.fromisoformat(world.org.call("GET", "/clock")["now"])
    world.injected += 1
    await_true(lambda: not _claimed(world))
    slack = timedelta(seconds=MARK_AGE * world.scale + 1.0)
    late = [
        each
        for each in world.org.log()
        if "/services/data/" in each["path"]
        and datetime.fromisoformat(each["time"]) - timedelta(milliseconds=each["duration_ms"])
        > at + slack
    ]
    assert not late
    assert not world.outcomes()["pending", ""]
    assert {entry.sent_epoch for entry in world.entries() if entry.sent_at} <= {1}
    world.org.set(latency_ms=0)
    world.reconnect()
    world.await_settled()
    done = {entry.message_id for entry in world.entries() if entry.reason == "logged"}
    world.excused |= set(names(mails)) - done
    assert tasks_in(world.org, names(mails)) == dict.fromkeys(done, 1)
    assert {entry.state for entry in world.entries()} <= {"done", "cancelled"}
    fresher = fresh(2)
    world.store(*fresher)
    world.await_settled()
    world.assert_nothing_lost_or_doubled()


def _sending(world: World) -> bool:
    return any(entry.state == "sending" for entry in world.entries())


def _claimed(world: World) -> bool:
    return any(entry.claim and entry.state != "cancelled" for entry in world.entries())


def test_what_changes_while_a_message_is_queued(world: World) -> None:
    """F13: checked again at claim time, and cancelled with the reason."""
    moved, deleted, plain = fresh(1), fresh(1), fresh(2)
    world.store(*moved, *deleted, *plain)
    closed = fresh(1)
    world.store(*closed, box=host.OTHER_BOX.id)
    with world.in_app():
        session = host.db.session
        session.execute(
            update(host.Mail).where(host.Mail.id == moved[0][0]).values(box=host.OTHER_BOX.id)
        )
        session.execute(delete(host.Mail).where(host.Mail.id == deleted[0][0]))
        session.add(host.ClosedBox(id=host.OTHER_BOX.id))
        session.commit()
    world.injected += 3
    world.make_old(601)  # younger entries wait for an inbox that may be behind
    world.worker()
    world.await_settled()
    assert world.outcomes(moved[0][0]) == {("cancelled", "mailbox_moved"): 2}
    assert world.outcomes(deleted[0][0]) == {("cancelled", "message_deleted"): 2}
    assert world.outcomes(closed[0][0]) == {("cancelled", "mailbox_deleted"): 2}
    world.excused |= {moved[0][0], closed[0][0]}
    assert not tasks_in(world.org, {moved[0][0], deleted[0][0], closed[0][0]})
    world.assert_nothing_lost_or_doubled()


def test_a_toggle_goes_off_and_what_was_sent_is_looked_up_first(world: World) -> None:
    """F13: a marked row is `done` when it is there, else cancelled; so is an unmarked one."""
    there, missing, unsent = fresh(1), fresh(1), fresh(2)
    worker = world.worker()
    for mails, when in ((there, "after"), (missing, "before")):
        world.org.fault("reset", when=when, scope={"contains": '"type": "Task"'})
        world.store(*mails)
        await_true(lambda mails=mails: _marked(world, mails[0][0]))
    worker.stop()
    world.injected += 2
    world.store(*unsent)
    world.change(MailboxPolicy, add_contacts=False, log_tasks=False)
    world.worker()
    world.await_settled()
    assert world.outcomes(there[0][0])["done", "logged"] == 1
    assert world.outcomes(missing[0][0])["cancelled", "switched_off"] == 1
    assert world.outcomes(*names(unsent)) == {("cancelled", "switched_off"): 4}
    world.excused |= {missing[0][0], *names(unsent)}
    world.assert_nothing_lost_or_doubled()
    assert not tasks_in(world.org, {missing[0][0], *names(unsent)})


def _marked(world: World, message_id: str) -> bool:
    time.sleep(0.05)
    return any(
        entry.action == "log_task" and entry.sent_at and entry.claim is None
        for entry in world.entries(message_id)
    )
