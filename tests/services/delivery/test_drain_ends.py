"""A drain always comes to an end: nothing rings for itself without making way, nothing sleeps
through a clock that was set back, and whoever is asked to stop begins no further call."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from keeping_plugin.errors import CallNotStarted, ConnectionLost, OutcomeUnclear
from keeping_plugin.models import AddressClaim, OrgLease, SyncEntry, now
from keeping_plugin.services.connection import leftovers
from keeping_plugin.services.connection.disconnect import end_connection
from keeping_plugin.services.delivery.drain import owes
from keeping_plugin.services.delivery.plan import WAITS
from keeping_plugin.services.delivery.sweep import sweep
from keeping_plugin.services.ledger import claims
from keeping_plugin.services.ledger.batch import claim
from keeping_plugin.services.ledger.lease import take_lease
from keeping_plugin.services.ledger.settle import settle
from keeping_plugin.types import Action
from tests.services.delivery.house import COMPANY, JANE, House

TIMED_OUT = OutcomeUnclear("no answer", timed_out=True)


def rung(house: House) -> bool:
    return house.connection_id in house.queue.take()[0]


def test_marked_rows_that_may_not_be_looked_at_ring_nobody(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.fail("create_many", TIMED_OUT, after=True)
    house.drain()
    house.pass_time(31)
    with house.database.read() as session:
        house.runtime.watch.observe(now(session) + timedelta(hours=1))
    house.queue.take()
    house.drain()
    assert not rung(house)
    assert not owes(house.runtime, house.connection_id)


def test_waiting_rows_over_the_budget_pause_instead_of_ringing_on(house: House) -> None:
    house.switch(add_contacts=False)
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    house.pass_time(601)
    house.salesforce.limit, house.salesforce.used = 100, 90
    house.change(api_used=90, api_limit=100)
    house.queue.take()
    house.drain()
    assert house.salesforce.used == 91  # the one cheap call
    assert house.connection().pause_reason == "budget"
    assert not rung(house)
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.salesforce.used = 5
    house.pass_time(901)
    house.drain()
    house.drain()
    assert house.states() == [("done", "logged")]


def test_a_refused_client_of_a_live_connection_pauses_it(house: House) -> None:
    house.owe("m1")
    house.salesforce.fail("find", ConnectionLost("not valid for use with the REST API"), times=9)
    house.queue.take()
    house.drain()
    assert house.connection().pause_reason == "connection_lost"
    assert not rung(house)


def test_a_call_that_never_starts_in_time_pauses_the_connection(house: House) -> None:
    house.owe("m1")
    house.salesforce.fail("create_many", CallNotStarted("slow machine"), times=3)
    house.queue.take()
    house.drain()
    assert house.connection().pause_reason == "not_started"
    assert not rung(house)
    assert all(entry.sent_at is None for entry in house.entries())
    house.pass_time(60)
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]


def test_messages_that_take_longer_to_read_than_the_lease_travel_in_fewer(house: House) -> None:
    for number in range(20):
        house.owe(f"m{number}", Action.LOG_TASK)
    slow = house.worker()
    object.__setattr__(slow, "end_host_transaction", lambda: house.pass_time(46))
    house.drain(slow)
    assert {entry.batch_size for entry in house.entries()} == {10}
    assert all(entry.claim is None for entry in house.entries())


def test_a_worker_asked_to_stop_begins_no_further_call(house: House) -> None:
    house.owe("m1")
    house.salesforce.meanwhile("find", house.runtime.stopping.set)
    house.drain()
    assert house.salesforce.used == 1
    assert house.states() == [("pending", "")] * 2
    assert all(entry.claim is None for entry in house.entries())
    assert rung(house)
    house.drain(house.worker())
    assert house.states() == [("done", "created"), ("done", "logged")]


def test_a_worker_asked_to_stop_while_it_creates_gives_the_tasks_back(house: House) -> None:
    house.owe("m1")
    house.salesforce.meanwhile("create_many", house.runtime.stopping.set)
    house.drain()
    assert house.states() == [("done", "created"), ("pending", "")]
    with house.database.read() as session:
        assert not session.scalars(select(AddressClaim)).all()
        assert session.scalars(select(OrgLease)).one().owner is None
    house.drain(house.worker())
    assert len(house.tasks()) == 1


@pytest.mark.both_databases
def test_a_lease_of_the_future_is_cut_to_what_one_can_be(house: House) -> None:
    house.owe("m1")
    with house.database.write() as session:
        take_lease(house.runtime, session, org_id=house.salesforce.org_id, connection_id=99)
    house.pass_time(-3600)
    house.drain()
    assert house.salesforce.used == 0
    house.pass_time(46)
    sweep(house.runtime)
    with house.database.write() as session:
        session.execute(update(SyncEntry).values(due_at=now(session)))
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]


@pytest.mark.both_databases
def test_after_the_clock_was_set_back_nothing_sleeps_until_it_catches_up(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.fail("create_many", TIMED_OUT, after=True)
    house.drain()
    house.owe("m2", Action.LOG_TASK)
    house.pass_time(-3600)
    with house.database.write() as session:  # Salesforce's Date is not ours to set back
        before = now(session) - timedelta(seconds=1)
        session.execute(update(SyncEntry).values(sent_after=before))
    house.drain()
    assert [state for state, _ in house.states()] == ["sending", "pending"]
    with house.database.read() as session:
        house.runtime.watch.observe(now(session) + timedelta(hours=1))
    sweep(house.runtime)  # it sees the clock set back
    house.drain()
    assert house.states()[1] == ("done", "logged")
    house.pass_time(31)
    house.drain(house.worker())
    assert house.states() == [("done", "logged")] * 2
    assert len(house.tasks()) == 2


def test_the_claim_of_a_sender_that_died_outlives_the_settle_time(house: House) -> None:
    org = house.salesforce.org_id
    times = house.runtime.times
    with house.database.write() as session:
        claims.take(session, org_id=org, addresses={JANE}, owner="drain", times=times)
    house.pass_time(50)
    with house.database.write() as session:
        at = now(session)
        claims.mark(session, org_id=org, addresses={JANE}, owner="drain", at=at, times=times)
    house.pass_time(29)
    with house.database.write() as session:
        assert not claims.take(session, org_id=org, addresses={JANE}, owner="agent", times=times)
    house.pass_time(2)
    with house.database.write() as session:
        assert claims.take(session, org_id=org, addresses={JANE}, owner="agent", times=times)


def test_a_drain_writes_nothing_over_what_a_disconnect_cancelled(house: House) -> None:
    house.owe("m1", Action.LOG_TASK)
    with house.database.write() as session:
        lease = take_lease(house.runtime, session, org_id=house.salesforce.org_id, connection_id=1)
    assert lease is not None
    batch = claim(house.runtime, lease, house.connection_id)
    assert batch is not None
    with house.database.write() as session:
        connection = session.merge(house.connection())
        end_connection(
            session, connection, agent_id=COMPANY, at=now(session), times=house.runtime.times
        )
    leftovers.settle(house.database, seconds=1.0)
    with house.database.write() as session:
        settle(session, batch, {batch.rows[0].id: WAITS}, times=house.runtime.times)
    assert house.states() == [("cancelled", "disconnected")]


def test_a_job_does_a_few_batches_and_rings_again_so_that_nobody_starves(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much one company owes, the queue comes round to the others."""
    monkeypatch.setattr("keeping_plugin.services.ledger.batch.BATCH", 2)
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    for number in range(13):
        house.owe(f"m{number}", Action.LOG_TASK)
    house.drain()
    assert len(house.tasks()) == 10  # five batches of two
    assert house.queue.take()[0] == [house.connection_id]
    house.drain()
    assert len(house.tasks()) == 13
    assert house.queue.take()[0] == []
