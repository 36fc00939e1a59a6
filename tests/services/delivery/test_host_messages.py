"""The inbox does not show a message: it is deleted, or the replica that answers is behind."""

from __future__ import annotations

import pytest

from keeping_plugin.errors import OutcomeUnclear
from keeping_plugin.types import Action, Mailbox, Message
from tests.services.delivery.house import COMPANY, JANE, House

pytestmark = pytest.mark.field_case("D4")

MISSING = [("pending", "message_missing")] * 2
UNCLEAR = OutcomeUnclear("no answer", timed_out=True)


def take_away(house: House, message_id: str = "m1") -> Message:
    return house.desk.company(COMPANY).messages.pop(message_id)


def take_mailbox(house: House) -> list[Mailbox]:
    boxes = house.desk.company(COMPANY).mailboxes
    taken = list(boxes)
    boxes.clear()
    return taken


def test_a_message_that_the_replica_shows_late_is_sent_as_soon_as_it_does(house: House) -> None:
    house.owe("m1")
    message = take_away(house)
    house.drain()
    assert house.states() == MISSING
    house.desk.add_message(message)
    house.pass_time(5)
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]


def test_a_mailbox_that_the_replica_shows_late_is_no_deleted_one(house: House) -> None:
    house.owe("m1")
    boxes = take_mailbox(house)
    house.drain()
    assert house.states() == MISSING
    house.desk.company(COMPANY).mailboxes.extend(boxes)
    house.pass_time(5)
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]


@pytest.mark.parametrize("what", ["message", "mailbox"])
def test_what_is_gone_is_believed_within_twelve_minutes(house: House, what: str) -> None:
    house.owe("m1")
    if what == "message":
        take_away(house)
    else:
        take_mailbox(house)
    for _ in range(60):
        house.drain()
        if house.states()[0][0] == "cancelled":
            break
        house.pass_time(15)
    (entry, _) = house.entries()
    assert entry.settled_at is not None
    assert 600 <= (entry.settled_at - entry.created_at).total_seconds() <= 720
    assert house.states() == [("cancelled", f"{what}_deleted")] * 2
    assert house.salesforce.used <= 1  # nothing is asked of Salesforce while it is put off


def test_an_old_entry_is_asked_for_twice_a_minute_apart(house: House) -> None:
    house.owe("m1")
    house.pass_time(3_600)
    take_away(house)
    house.drain()
    house.pass_time(55)
    house.drain()
    assert house.states() == MISSING
    house.pass_time(6)
    house.drain()
    assert house.states() == [("cancelled", "message_deleted")] * 2


def test_two_quick_answers_to_a_young_entry_are_no_two_answers_later(house: House) -> None:
    """The first answers came seconds apart; then the worker slept for an hour."""
    house.owe("m1")
    take_away(house)
    house.drain()
    house.pass_time(3_600)
    house.drain()
    assert house.states() == MISSING
    house.pass_time(61)
    house.drain()
    assert house.states() == [("cancelled", "message_deleted")] * 2


@pytest.mark.parametrize("written", [True, False], ids=["written", "not written"])
def test_what_was_sent_before_its_message_went_is_looked_up(house: House, written: bool) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.fail("create_many", UNCLEAR, after=written)
    house.drain()
    take_away(house)
    house.pass_time(31)
    house.drain()
    if written:
        assert house.states() == [("done", "logged")]
        return
    assert house.states() == [("pending", "message_missing")]
    assert house.entries()[0].sent_at is not None
    for _ in range(12):
        house.pass_time(61)
        house.drain()
    assert house.states() == [("cancelled", "message_deleted")]
    assert not house.tasks()


def test_neighbours_of_a_missing_message_are_sent(house: House) -> None:
    house.owe("m1")
    house.owe("m2", address="joe@customer.example")
    take_away(house)
    house.drain()
    assert house.states()[:2] == MISSING
    assert house.states()[2:] == [("done", "created"), ("done", "logged")]
