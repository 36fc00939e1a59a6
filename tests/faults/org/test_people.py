"""F7: others make the same person, at each step, and we make none beside it."""

from __future__ import annotations

import pytest

from keeping_plugin.errors import BeingAdded, KeepingError, OutcomeUnclear
from keeping_plugin.models import Pick, now
from keeping_plugin.services.panel.add import Exists, add_person
from keeping_plugin.services.panel.view import linked
from keeping_plugin.types import Action, Saved
from tests.faults import host
from tests.faults.processes import await_true
from tests.faults.world import ADMIN, World, contacts_in, fresh, struck, tasks_in

CREATES = {"contains": '"records"'}
FINDS = {"contains": "FROM+Contact"}


def add(world: World, address: str) -> Saved | Exists:
    """An agent saves the form of a new Contact."""
    with world.in_app() as state:
        with state.database.read() as session:
            link = linked(session, host.COMPANY)
        assert link is not None
        fields = {"LastName": "Agent's", "Email": address}
        return add_person(state, ADMIN, link, "Contact", fields)


def on_whom(world: World) -> set[str | None]:
    return {entry.contact_id for entry in world.entries() if entry.action == Action.LOG_TASK}


def test_a_person_is_there_before_our_look_is_answered(world: World) -> None:
    """F7: the look was sent, and somebody makes the Contact before it is carried out."""
    ((_, address),) = mails = fresh(1)
    fault = world.org.fault("delay", when="before", seconds=1.0, scope={"path": "*/composite"})
    world.worker()
    world.store(*mails)
    await_true(lambda: struck(world, fault))
    made = world.org.create("Contact", LastName="Already there", Email=address)
    world.injected += 1
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    assert on_whom(world) == {made}
    assert ("done", "exists") in world.outcomes()


def test_an_agent_adds_the_same_person(world: World) -> None:
    """F7: the agent is first, and its create takes a while: the drain waits, and finds."""
    ((_, address),) = mails = fresh(1)
    assert address is not None
    world.store(*mails)
    world.org.fault("delay", when="before", seconds=0.5, scope={"path": "*/sobjects/Contact"})
    worker = world.worker()
    made = add(world, address)
    world.injected += 1
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    assert isinstance(made, Saved | Exists)
    assert worker.alive


def test_an_agents_create_loses_its_reply_and_is_saved_again(world: World) -> None:
    """F7: the second Save looks first, and so does the drain: one Contact, with the Task on it."""
    ((_, address),) = mails = fresh(1)
    assert address is not None
    world.org.fault("reset", when="after", scope={"path": "*/sobjects/Contact"})
    with pytest.raises(OutcomeUnclear):
        add(world, address)
    world.injected += 1
    world.store(*mails)
    world.worker()
    again: list[Saved | Exists] = []

    def save() -> bool:
        try:
            again.append(add(world, address))
        except BeingAdded:
            return False
        return True

    await_true(save)
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    assert isinstance(again[0], Exists)
    assert on_whom(world) == {again[0].people[0].id}


def test_an_agents_create_that_was_never_carried_out_is_made_once(world: World) -> None:
    """F7: the reply was lost, and so was the request: one of the two makes the Contact."""
    ((_, address),) = mails = fresh(1)
    assert address is not None
    world.org.fault("reset", when="before", scope={"path": "*/sobjects/Contact"})
    with pytest.raises(KeepingError):
        add(world, address)
    world.injected += 1
    world.store(*mails)
    world.worker()
    world.await_settled()
    world.assert_nothing_lost_or_doubled()


@pytest.mark.parametrize("kind", ["reset", "late_commit"])
def test_two_conversations_of_one_new_address_around_an_unclear_create(
    world: World, kind: str
) -> None:
    """F7: the second message comes while nobody knows whether the first one's Contact is there."""
    options = {"seconds": 1.0} if kind == "late_commit" else {"when": "after"}
    fault = world.org.fault(kind, scope=CREATES, **options)
    first, second = fresh(2)
    world.worker()
    world.store(first)
    await_true(lambda: struck(world, fault))
    world.injected += 1
    world.store(second)
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    assert len(on_whom(world)) == 1


def test_of_several_contacts_the_pick_is_taken_else_the_oldest(world: World) -> None:
    """F7: several matches make no new Contact."""
    picked, plain = fresh(2, per_customer=1)
    oldest = {}
    for _, address in (picked, plain):
        oldest[address] = world.org.create("Contact", LastName="Older", Email=address)
        world.org.advance(5)
        younger = world.org.create("Contact", LastName="Younger", Email=address)
        if address == picked[1]:
            connection_id = world.connection().id
            with world.in_app() as state, state.database.write() as session:
                session.add(
                    Pick(
                        connection_id=connection_id,
                        address=address,
                        object="Contact",
                        record_id=younger,
                        picked_by="agent",
                        picked_at=now(session),
                    )
                )
            oldest[address] = younger
    world.excused |= {picked[0], plain[0]}  # their Contacts are two, and not of our making
    world.store(picked, plain)
    world.worker()
    world.await_settled()
    world.injected += 2
    logged = {
        entry.address: entry.contact_id
        for entry in world.entries()
        if entry.action == Action.LOG_TASK
    }
    assert logged == oldest
    assert tasks_in(world.org, {picked[0], plain[0]}) == {picked[0]: 1, plain[0]: 1}


def test_a_lead_only_prevents_auto_add(world: World) -> None:
    """F7: no Contact beside a Lead; the Task waits and is never on the Lead."""
    ((mail_id, address),) = mails = fresh(1)
    world.org.create("Lead", LastName="Doe", Company="Acme", Email=address)
    world.store(*mails)
    world.worker()
    world.await_settled()
    world.injected += 1
    world.excused.add(mail_id)
    assert world.outcomes() == {("done", "exists"): 1, ("waiting", "no_contact"): 1}
    assert not contacts_in(world.org)[address or ""]
    assert not tasks_in(world.org, {mail_id})
