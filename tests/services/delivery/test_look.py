"""The look for Tasks of unclear sends: where it begins and ends, and whom it may hold up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keeping_plugin.errors import OutcomeUnclear, PermissionDenied, SalesforceUnavailable
from keeping_plugin.models import SyncEntry, now
from keeping_plugin.types import Action
from tests.services.delivery.house import JANE, House

pytestmark = pytest.mark.field_case("A18")

UNCLEAR = OutcomeUnclear("no answer", timed_out=True)
SLOW = SalesforceUnavailable("slow", timed_out=True)


def leave_unclear(house: House, message_id: str, *, written: bool = False) -> None:
    house.owe(message_id, Action.LOG_TASK)
    house.salesforce.fail("create_many", UNCLEAR, after=written)
    house.drain()


def test_a_look_ends_at_the_latest_moment_at_which_its_send_can_have_been_committed(
    house: House,
) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    leave_unclear(house, "m1")
    house.pass_time(86_000)
    (entry,) = house.entries()
    assert entry.sent_at is not None
    house.drain()
    (look,) = house.salesforce.looks
    assert look.until is not None
    assert look.until - entry.sent_at <= timedelta(minutes=16)
    assert entry.sent_at - look.since <= timedelta(minutes=11)
    assert house.states() == [("done", "logged")]
    assert len(house.tasks()) == 1


def test_an_old_mark_makes_no_young_ones_look_longer(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    leave_unclear(house, "old", written=True)
    house.pass_time(20_000)
    leave_unclear(house, "young", written=True)
    house.change(timeouts=0, paused_until=None)
    house.pass_time(31)
    house.drain()
    assert house.states() == [("done", "logged")] * 2
    assert len(house.tasks()) == 2
    assert all(
        look.until is not None and look.until - look.since < timedelta(minutes=30)
        for look in house.salesforce.looks
    )


@pytest.mark.parametrize("error", [SLOW, PermissionDenied("Task")], ids=["slow", "refused"])
def test_a_look_that_is_not_answered_holds_up_nobody_else(
    house: House, error: SalesforceUnavailable | PermissionDenied
) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    leave_unclear(house, "m1", written=True)
    house.pass_time(31)
    house.salesforce.fail("find tasks", error, times=3)
    for number in range(3):
        house.owe(f"new{number}", Action.LOG_TASK)
        house.drain()
        house.pass_time(301)
    assert house.states()[1:] == [("done", "logged")] * 3
    assert house.states()[0][0] == "sending"
    assert house.connection().paused_until is None
    house.drain()
    assert house.states() == [("done", "logged")] * 4
    assert len(house.tasks()) == 4


def test_an_org_that_answers_nothing_is_paused_as_ever(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    leave_unclear(house, "m1")
    house.pass_time(31)
    house.salesforce.fail("find", SLOW, times=4)
    house.drain()
    house.drain()
    assert house.connection().pause_reason == "unavailable"


@pytest.mark.both_databases
def test_more_spans_than_a_batch_asks_about_take_their_turn(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    for number in range(6):
        leave_unclear(house, f"m{number}", written=True)
        house.change(timeouts=0, paused_until=None)
        house.pass_time(3_000 if number < 5 else 31)
        if number < 5:
            _hold(house)
    _release(house)
    house.drain()
    assert sorted(house.states()).count(("done", "logged")) == 4
    house.pass_time(301)
    house.drain()
    assert house.states() == [("done", "logged")] * 6
    assert len(house.tasks()) == 6


def _hold(house: House) -> None:
    """Their looks are not due while the others are sent."""
    _due(house, timedelta(days=1))


def _release(house: House) -> None:
    _due(house, timedelta(days=-1))


def _due(house: House, step: timedelta) -> None:
    with house.database.write() as session:
        for entry in session.query(SyncEntry).all():
            if entry.sent_at is not None:
                entry.due_at = now(session) + step
