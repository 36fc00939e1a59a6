"""Who used the org's API requests: counted by day, mailbox and feature."""

from __future__ import annotations

import pytest

from keeping_plugin.errors import SalesforceUnavailable
from keeping_plugin.models import ApiUse, Database, Lane, SyncEntry
from keeping_plugin.services import metering
from keeping_plugin.services.metering import Feature, shared
from keeping_plugin.services.operations.retention import run_retention
from keeping_plugin.times import Times
from keeping_plugin.types import Action
from tests.services.delivery.house import House


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def kept(house: House) -> dict[tuple[str, str], int]:
    with house.database.read() as session:
        rows = session.query(ApiUse).filter_by(connection_id=house.connection_id).all()
        return {(row.mailbox_id, row.feature): row.requests for row in rows}


def test_a_drain_counts_what_salesforce_counted(house: House) -> None:
    house.owe("m1")
    house.owe("m2", address="two@customer.example", lane=Lane.BACKFILL)
    house.drain()
    use = kept(house)
    assert set(use) == {("sales", "automations"), ("sales", "backfill")}
    assert sum(use.values()) == house.salesforce.used > 0


def test_the_look_for_awaited_contacts_counts_for_itself(house: House) -> None:
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    before = kept(house)
    house.pass_time(11 * 60)
    house.drain()
    assert kept(house) == {**before, ("", "waiting"): 1}


def test_a_batch_that_failed_counts_too(house: House) -> None:
    house.owe("m1")
    house.salesforce.fail("find", SalesforceUnavailable("timed out", timed_out=True))
    house.drain()
    assert kept(house) == {("sales", "automations"): 1}


def test_counts_add_up_from_several_processes(house: House) -> None:
    for _ in range(3):
        with house.database.write() as session:
            metering.add(session, house.connection_id, {("sales", Feature.PANEL): 2})
    assert kept(house) == {("sales", "panel"): 6}
    with house.database.write() as session:
        metering.add(session, house.connection_id, {("", Feature.SCHEMA): 0})
    assert kept(house) == {("sales", "panel"): 6}


def entry(mailbox_id: str, lane: Lane = Lane.LIVE) -> SyncEntry:
    return SyncEntry(mailbox_id=mailbox_id, lane=lane)


@pytest.mark.parametrize("requests", [0, 1, 2, 3, 7])
def test_a_shared_batch_gives_away_every_request_and_no_more(requests: int) -> None:
    rows = [entry("a")] * 7 + [entry("b")] * 2 + [entry("b", Lane.BACKFILL)]
    use = shared(requests, rows)
    assert use.total() == requests
    assert use["a", Feature.AUTOMATIONS] >= use["b", Feature.AUTOMATIONS]


def test_whoever_only_rides_along_pays_nothing() -> None:
    use = shared(3, [entry("a")] * 199 + [entry("b")])
    assert {key: count for key, count in use.items() if count} == {("a", Feature.AUTOMATIONS): 3}


def ask(house: House) -> None:
    """One request of an agent."""
    with house.runtime.gateway(house.connection_id, Feature.RECORDS) as gateway:
        gateway.limits()


def test_each_request_is_counted_once_for_the_feature_that_opened_its_gateway(
    house: House,
) -> None:
    with house.runtime.gateway(house.connection_id, Feature.SCHEMA) as gateway:
        gateway.closed_task_status()
        ask(house)
    assert kept(house) == {("", "schema"): 1, ("", "records"): 1}


@pytest.mark.both_databases
def test_gateways_of_one_block_are_counted_together(house: House) -> None:
    with house.runtime.metered(Feature.RECORDS) as gateways:
        gateways(house.connection_id, deadline=1.0).limits()
        gateways(house.connection_id).limits()
    assert kept(house) == {("", "records"): 2}


@pytest.mark.both_databases
def test_a_request_that_fails_is_counted(house: House) -> None:
    house.salesforce.fail("limits", SalesforceUnavailable("away"))
    with pytest.raises(SalesforceUnavailable):
        ask(house)
    assert kept(house) == {("", "records"): 1}


def test_whoever_asks_keeps_what_salesforce_told_of_the_day(house: House) -> None:
    """So that automations stop in time, also when others use the allowance up."""
    house.salesforce.used, house.salesforce.limit = 12_345, 15_000
    ask(house)
    kept_by = house.connection()
    assert (kept_by.api_used, kept_by.api_limit) == (house.salesforce.used, 15_000)
    assert kept_by.api_seen_at is not None
    house.owe("m1")
    house.drain()
    assert house.connection().pause_reason == "budget"
    assert not house.tasks()


@pytest.mark.both_databases
def test_within_a_minute_only_what_matters_is_written(house: House) -> None:
    house.salesforce.used, house.salesforce.limit = 1_000, 15_000
    ask(house)
    first = house.connection().api_used
    ask(house)
    assert house.connection().api_used == first
    house.salesforce.used += 150  # a hundredth
    ask(house)
    assert house.connection().api_used == house.salesforce.used
    ask(house)
    house.change(api_seen_at=house.connection().connected_at)
    ask(house)
    assert house.connection().api_used == house.salesforce.used


@pytest.mark.both_databases
def test_use_is_told_by_feature_and_mailbox_the_most_first(house: House) -> None:
    with house.database.write() as session:
        metering.add(session, house.connection_id, {("sales", Feature.PANEL): 2})
        session.add(
            ApiUse(
                connection_id=house.connection_id,
                day="2020-01-01",
                mailbox_id="sales",
                feature=Feature.PANEL,
                requests=1_000,
            )
        )
        metering.add(session, house.connection_id, {("", Feature.SCHEMA): 5})
    with house.database.read() as session:
        told = metering.used_by(session, house.connection_id, days=30)
    assert [(one.feature, one.mailbox_id, one.today, one.total) for one in told] == [
        ("schema", "", 5, 5),
        ("panel", "sales", 2, 2),
    ]


def test_counts_are_cleared_after_the_days_they_are_kept(house: House) -> None:
    with house.database.write() as session:
        metering.add(session, house.connection_id, {("sales", Feature.PANEL): 2})
        session.add(
            ApiUse(
                connection_id=house.connection_id,
                day="2020-01-01",
                mailbox_id="old",
                feature=Feature.PANEL,
                requests=7,
            )
        )
    run_retention(house.database, Times(), keep_days=400)
    assert kept(house) == {("sales", "panel"): 2}
