"""F1 with a limit for new people: a worker dies around the decision, and neither more people are
added than the limit lets through, nor is anybody lost who is held."""

from __future__ import annotations

import pytest

from keeping_plugin.models import EntryState
from keeping_plugin.services.admin import held
from keeping_plugin.services.people import policy
from keeping_plugin.types import Action, Agent
from tests.faults import host
from tests.faults.processes import await_true
from tests.faults.world import World, contacts_in, fresh

ADMIN = Agent("ada", host.COMPANY, "Ada", is_admin=True)
LIMIT = 2


@pytest.mark.parametrize("step", ["drain.looked:1", "drain.sent:1"])
def test_a_worker_that_dies_lets_nobody_else_pass_and_loses_nobody(world: World, step: str) -> None:
    with world.in_app() as runtime, runtime.database.write() as session:
        policy.save(session, ADMIN, policy.COMPANY, an_hour=LIMIT)
    doomed = world.worker(f"{step}:kill")
    mails = fresh(10)  # of five customers
    world.store(*mails)
    await_true(lambda: doomed.struck, what=step)
    doomed.wait()
    world.worker()

    def decided() -> bool:
        rows = world.entries()
        open_ = [each for each in rows if each.state in (EntryState.PENDING, EntryState.SENDING)]
        return len(rows) > len(mails) and all(each.reason == "held" for each in open_)

    await_true(decided, seconds=240.0, what="a decision on everybody")
    people = {address for _, address in mails if address}
    assert len(people & set(contacts_in(world.org))) == LIMIT
    kept = [each for each in world.entries() if each.reason == "held"]
    adding = {each.address for each in kept if each.action == Action.ADD_CONTACT}
    assert len(adding) == len(people) - LIMIT
    with world.in_app() as runtime:
        rung = held.add(runtime.database, ADMIN, domain=None, until=kept[-1].id)
        assert rung is not None
        runtime.queue.ring([rung])
    world.recoveries.append(world.await_settled())
    world.assert_nothing_lost_or_doubled()
