"""F4, F5, F6: what the host does with its transaction, and many messages at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy.dialects import postgresql, sqlite

from keeping_plugin import MessageArrived
from keeping_plugin.services.delivery.drain import drain
from keeping_plugin.types import Action
from tests.faults import host
from tests.faults.on import on
from tests.faults.processes import await_true
from tests.faults.world import World, contacts_in, fresh, names, tasks_in


def all_at_once(world: World, work: Callable[[int], None], *, number: int = 16) -> None:
    """Call `work` so often at the same moment, each in a thread with a host session of its own."""
    start = threading.Barrier(number)
    errors: list[BaseException] = []

    def run(index: int) -> None:
        try:
            with world.in_app():
                start.wait(10)
                work(index)
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


@on("postgres", "sqlite")
def test_a_host_transaction_that_is_rolled_back_sends_nothing(world: World) -> None:
    """F4: rolled back as a whole or to a savepoint; only what was committed is sent."""
    gone, kept = fresh(10), fresh(2)
    with world.in_app():
        for mail_id, customer in gone[:5]:
            host.add(mail_id, customer)
            host.db.session.rollback()
        for mail_id, customer in gone[5:]:
            savepoint = host.db.session.begin_nested()
            host.add(mail_id, customer)
            savepoint.rollback()
        host.db.session.commit()
        assert not world.entries()
        assert world.state.queue.length() == 0
    world.injected += len(gone)
    world.worker()
    world.store(*kept)
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    assert not tasks_in(world.org, names(gone))
    assert not set(contacts_in(world.org)) & {customer for _, customer in gone}


def deliver_again(mail_id: str, customer: str) -> None:
    """A host to which mail comes in more than once keeps one message and tells us each time."""
    mail = host.Mail(id=mail_id, company=host.COMPANY, box=host.BOX.id, customer=customer)
    mail.at = host.datetime.now(host.UTC)
    values = {name: getattr(mail, name) for name in ("id", "company", "box", "customer", "at")}
    on_sqlite = host.db.engine.dialect.name == "sqlite"
    insert = (sqlite if on_sqlite else postgresql).insert(host.Mail)
    host.db.session.execute(insert.values(values).on_conflict_do_nothing())
    host.salesforce.message_arrived(MessageArrived(**host.arrived(mail)))
    host.db.session.commit()


@on("postgres", "sqlite")
def test_a_message_delivered_again_and_sixteen_times_at_once_is_one_task(world: World) -> None:
    """F5: one Decision, one entry an action, one Task."""
    world.worker()
    ((twice, customer), (many, other)) = fresh(2, per_customer=1)
    assert customer is not None
    assert other is not None
    with world.in_app():
        for _ in range(2):
            deliver_again(twice, customer)
    all_at_once(world, lambda _: deliver_again(many, other))
    world.injected += 2
    world.await_settled()
    with world.in_app():
        deliver_again(twice, customer)  # and once more, long after it was sent
    world.await_settled()
    assert len(world.entries()) == 4
    assert tasks_in(world.org, {twice, many}) == {twice: 1, many: 1}
    world.assert_nothing_lost_or_doubled()


@on("postgres", "sqlite")
def test_sixteen_messages_of_one_new_address_at_once_make_one_contact(world: World) -> None:
    """F6: one Contact, sixteen Tasks on it, with two workers at it."""
    world.worker()
    world.worker()
    mails = fresh(16, per_customer=16)
    all_at_once(world, lambda index: host.store(*mails[index]))
    world.injected += 1
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    on_whom = {entry.contact_id for entry in world.entries() if entry.action == Action.LOG_TASK}
    assert len(on_whom) == 1


@on("postgres", "sqlite")
def test_twenty_workers_on_one_org_make_one_contact_and_one_task_each(world: World) -> None:
    """F6: every drain at the same moment, again and again until nothing is owed; whoever does not
    get the org's lease leaves its connection with the one who has it."""
    mails = fresh(40, per_customer=8)
    world.store(*mails)
    connection_id = world.connection().id

    def work(_: int) -> None:
        parts = world.state
        await_true(lambda: drain(parts, connection_id) or not world.owed())

    all_at_once(world, work, number=20)
    world.injected += 1
    assert world.outcomes() == {
        ("done", "created"): 5,
        ("done", "exists"): 35,
        ("done", "logged"): 40,
    }
    world.assert_nothing_lost_or_doubled()
