"""F1 with what agents decide by hand: a worker dies around the send, agents press again and again,
and there is one Task for each message that was asked for, and none for one that was kept out."""

from __future__ import annotations

import pytest

from keeping_plugin.models import EntryState, Installation, MailboxPolicy
from keeping_plugin.services.automation import by_hand
from keeping_plugin.types import Action, Agent
from tests.faults import host
from tests.faults.processes import await_true
from tests.faults.world import World, fresh, names, tasks_in

AGENTS = (Agent("gus", host.COMPANY, "Gus"), Agent("ann", host.COMPANY, "Ann"))


@pytest.mark.parametrize("step", ["drain.claimed:1", "drain.sent:2"])
def test_a_worker_that_dies_leaves_one_task_or_none(world: World, step: str) -> None:
    world.change(Installation, contract=1)
    world.change(MailboxPolicy, log_tasks=False)
    mails = fresh(10)
    world.store(*mails)
    kept_out, late, *asked = names(mails)
    world.excused |= {kept_out, late}

    def press() -> None:
        with world.in_app() as runtime:
            for message_id in asked:
                for agent in AGENTS:
                    by_hand.log_now(runtime, agent, f"c-{message_id}", message_id)

    def keep_out(message_id: str) -> None:
        with world.in_app() as runtime:
            by_hand.do_not_log(runtime, AGENTS[0], f"c-{message_id}", message_id)

    asked += [kept_out, late]
    press()
    asked = asked[:-2]
    keep_out(kept_out)
    doomed = world.worker(f"{step}:kill")
    await_true(lambda: doomed.struck, what=step)
    doomed.wait()
    press()
    keep_out(late)
    world.worker()
    world.recoveries.append(world.await_settled())
    world.assert_nothing_lost_or_doubled()
    tasks = tasks_in(world.org)
    assert not tasks[kept_out]
    (entry,) = [row for row in world.entries(late) if row.action == Action.LOG_TASK]
    assert (entry.state == EntryState.DONE) is (tasks[late] == 1)
    assert entry.state == EntryState.DONE or entry.reason == "kept_out"
    if step == "drain.claimed:1":
        assert not tasks[late], "nothing of it had left"
