"""What happens between two steps of ours: somebody corrects, lags, stands still, or changes the
org."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from keeping_plugin.models import AddressClaim, Connection, SyncEntry, now
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.panel.add import Exists, add_person
from keeping_plugin.services.panel.view import linked
from keeping_plugin.services.schema import task_key
from keeping_plugin.types import Found, NewRecord
from tests.faults import host
from tests.faults.conftest import KEYED
from tests.faults.on import only
from tests.faults.processes import await_true
from tests.faults.world import ADMIN, World, contacts_in, fresh, names, struck, tasks_in

TASKS = {"contains": '"type": "Task"'}


@pytest.mark.field_case("D3")
def test_customers_are_corrected_while_their_mail_is_queued(world: World) -> None:
    """The corrected address is looked for, claimed and written, also by the worker that goes on
    where one was killed."""
    mails = fresh(12)
    world.store(*mails)
    corrected = {mail_id: f"right-{address}" for mail_id, address in mails[:6]}
    known = world.org.create("Contact", LastName="Known", Email=corrected[mails[0][0]])
    with world.in_app():
        for mail_id, address in corrected.items():
            host.db.session.execute(
                update(host.Mail).where(host.Mail.id == mail_id).values(customer=address)
            )
        host.db.session.commit()
    world.injected += 1
    world.worker("drain.claimed:1:kill")
    await_true(lambda: any(entry.claim for entry in world.entries()))
    world.worker()
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    people = contacts_in(world.org)
    assert not any(people[address or ""] for _, address in mails[:6])
    assert world.entries(mails[0][0])[1].contact_id == known


@pytest.mark.field_case("D4")
def test_the_host_reads_a_replica_that_is_behind(world: World) -> None:
    """Nothing is given up because the inbox does not show it yet."""
    world.config["HOST_LAG"] = 0.5
    mails = fresh(10)
    world.worker()
    for mail in mails:
        world.store(mail)
    world.injected += 1
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    assert {state for state, _ in world.outcomes()} == {"done"}


class StandsStill:
    """The gateway of a process that stands still once its first look has been answered."""

    def __init__(self, gateway: SalesforceGateway, meanwhile: list[Callable[[], None]]) -> None:
        self._gateway, self._meanwhile = gateway, meanwhile

    def find(self, addresses: Sequence[str], **more: Any) -> Found:
        found = self._gateway.find(addresses, **more)
        while self._meanwhile:
            self._meanwhile.pop()()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gateway, name)


@pytest.mark.field_case("D6")
def test_an_agents_process_stands_still_past_its_claim(world: World) -> None:
    """Meanwhile the drain adds the person; the agent's save finds that and adds nobody."""
    ((mail_id, address),) = mails = fresh(1)
    assert address is not None
    world.worker()

    def meanwhile() -> None:
        world.change(AddressClaim, until=_a_minute_ago(world))
        world.store(*mails)
        await_true(lambda: tasks_in(world.org, {mail_id})[mail_id])

    with world.in_app() as state:
        with state.database.read() as session:
            link = linked(session, host.COMPANY)
        assert link is not None
        inner, stops = state.gateways, [meanwhile]

        def gateways(connection_id: int, **more: Any) -> Any:
            return StandsStill(inner(connection_id, **more), stops)

        still = replace(state, gateways=gateways)
        fields = {"LastName": "Agent's", "Email": address}
        done = add_person(still, ADMIN, link, "Contact", fields)
    world.injected += 1
    assert isinstance(done, Exists)
    world.await_settled()
    world.assert_nothing_lost_or_doubled()


def _a_minute_ago(world: World) -> Any:
    with world.in_app() as state, state.database.read() as session:
        return now(session) - timedelta(minutes=1)


def _use_field(world: World, field: str | None) -> None:
    """As the describe job does when it has found that."""
    connection_id = world.connection().id
    with world.in_app() as state, state.database.write() as session:
        task_key.keep(session, connection_id, field)


@contextmanager
def _key_field_added(world: World) -> Iterator[None]:
    world.org.add_field(
        "Task",
        {
            "name": task_key.NAME,
            "label": "Keeping Key",
            "type": "string",
            "length": 80,
            "createable": True,
            "updateable": True,
            "nillable": True,
            "custom": True,
            "unique": True,
            "externalId": True,
            "idLookup": True,
        },
    )
    try:
        _use_field(world, task_key.NAME)
        yield
    finally:
        world.org.remove_field("Task", task_key.NAME)


@pytest.mark.field_case("A17")
@only("postgres", "sqlite")
@pytest.mark.parametrize("when", ["after", "before"])
def test_the_org_gets_our_field_between_an_unclear_send_and_its_look(
    world: World, when: str
) -> None:
    """The first send carried no key, so a second one would not be refused for it."""
    mails = fresh(3)
    fault = world.org.fault("reset", when=when, scope=TASKS)
    worker = world.worker()
    world.store(*mails)
    await_true(lambda: struck(world, fault) and _marked(world))
    worker.stop()
    world.injected += 1
    with _key_field_added(world):
        world.worker()
        world.store(*fresh(2))
        world.await_settled()
        world.assert_nothing_lost_or_doubled()


@pytest.mark.field_case("A17")
@only(f"postgres{KEYED}")
@pytest.mark.parametrize("when", ["after", "before"])
def test_the_org_loses_our_field_between_an_unclear_send_and_its_look(
    world: World, when: str
) -> None:
    mails = fresh(3)
    fault = world.org.fault("reset", when=when, scope=TASKS)
    worker = world.worker()
    world.store(*mails)
    await_true(lambda: struck(world, fault) and _marked(world))
    worker.stop()
    world.injected += 1
    _use_field(world, None)
    world.worker()
    world.store(*fresh(2))
    world.await_settled()
    world.assert_nothing_lost_or_doubled()


def _marked(world: World) -> bool:
    return any(entry.sent_at and entry.state == "sending" for entry in world.entries())


@pytest.mark.field_case("A18")
def test_much_was_logged_since_an_old_mark(world: World) -> None:
    """Its look asks for the minutes around its send, so that nobody waits for what came later."""
    mails = fresh(2, per_customer=1)
    fault = world.org.fault("reset", when="before", scope=TASKS)
    worker = world.worker()
    world.store(mails[0])
    await_true(lambda: struck(world, fault) and _marked(world))
    worker.stop()
    world.injected += 1
    with world.in_app() as state, state.database.write() as session:
        then = now(session) - timedelta(days=1)
        for entry in session.query(SyncEntry).filter(SyncEntry.sent_at.is_not(None)):
            entry.sent_at = entry.sent_key_at = entry.sent_after = then
        session.execute(update(Connection).values(connected_at=now(session)))
    with world.in_app() as state:
        gateway = state.gateways(world.connection().id)
        many = [NewRecord("Task", {"Subject": f"Call {number}"}) for number in range(1_000)]
        for _ in range(3):
            gateway.create_many(many)
    seen = len(world.org.log())
    world.worker()
    world.store(mails[1])
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    assert not [call for call in world.org.log()[seen:] if "-2000" in call["path"]]
    assert tasks_in(world.org, names(mails)) == dict.fromkeys(names(mails), 1)
