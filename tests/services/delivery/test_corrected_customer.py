"""The host corrects the customer of a message while what was granted for it is still owed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from keeping_plugin.errors import OutcomeUnclear
from keeping_plugin.models import Decision
from keeping_plugin.types import Action, Address, Direction
from tests.services.delivery.house import COMPANY, JANE, House

pytestmark = pytest.mark.field_case("D3")

JANET = "janet@customer.example"
UNCLEAR = OutcomeUnclear("no answer", timed_out=True)


def correct(house: House, message_id: str, **changes: object) -> None:
    messages = house.desk.company(COMPANY).messages
    messages[message_id] = replace(messages[message_id], **changes)  # type: ignore[arg-type]


def correct_address(house: House, message_id: str, address: str) -> None:
    correct(house, message_id, customer=Address(address, "Janet Doe"))


def addresses(house: House) -> set[str]:
    return {entry.address for entry in house.entries()}


def occasions(house: House) -> list[str]:
    with house.database.read() as session:
        return [
            decision.occasion.partition(":")[0]
            for decision in session.scalars(select(Decision).order_by(Decision.id))
        ]


def test_a_corrected_address_is_claimed_looked_for_and_written(house: House) -> None:
    known = house.salesforce.add("Contact", LastName="Doe", Email=JANET)
    house.owe("m1")
    correct_address(house, "m1", JANET)
    house.drain()
    assert house.states() == [("done", "exists"), ("done", "logged")]
    assert addresses(house) == {JANET}
    assert house.contacts(JANET) == [known]
    assert not house.contacts(JANE)
    assert [task["WhoId"] for task in house.tasks()] == [known]
    assert occasions(house) == ["corrected"]


def test_a_corrected_address_that_is_new_becomes_one_contact(house: House) -> None:
    house.owe("m1")
    house.owe("m2", address=JANET)
    correct_address(house, "m1", JANET)
    house.drain()
    assert len(house.contacts(JANET)) == 1
    assert not house.contacts(JANE)
    assert {task["WhoId"] for task in house.tasks()} == set(house.contacts(JANET))
    assert len(house.tasks()) == 2


@pytest.mark.both_databases
def test_a_message_that_lost_its_customer_ends(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1")
    correct(house, "m1", customer=None)
    house.drain()
    assert house.states() == [("cancelled", "customer_changed")] * 2
    assert not house.tasks()


def test_a_corrected_customer_for_whom_the_rules_grant_less_keeps_what_they_grant(
    house: House,
) -> None:
    house.desk.company(COMPANY).skipped.append("partner.example")
    house.owe("m1")
    correct_address(house, "m1", "ann@partner.example")
    house.drain()
    assert house.states() == [("cancelled", "customer_changed"), ("waiting", "no_contact")]
    assert not house.salesforce.rows("Contact")


def test_an_internal_customer_ends_both(house: House) -> None:
    house.desk.company(COMPANY).internal.append("acme.example")
    house.owe("m1")
    correct_address(house, "m1", "boss@acme.example")
    house.drain()
    assert house.states() == [("cancelled", "customer_changed")] * 2


def test_a_message_that_turned_out_to_be_ours_adds_nobody(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1")
    correct(house, "m1", direction=Direction.OUTBOUND)
    house.drain()
    assert house.states() == [("cancelled", "customer_changed"), ("done", "logged")]


def test_an_action_that_the_corrected_customer_calls_for_is_owed_too(house: House) -> None:
    house.owe("m1", Action.LOG_TASK)
    correct_address(house, "m1", JANET)
    house.drain()
    assert len(house.contacts(JANET)) == 1
    assert len(house.tasks()) == 1
    assert {entry.state for entry in house.entries()} == {"done"}


def test_a_message_that_moved_and_was_corrected_is_not_sent(house: House) -> None:
    house.owe("m1")
    correct(house, "m1", mailbox_id="billing", customer=Address(JANET))
    house.drain()
    assert house.states() == [("cancelled", "mailbox_moved")] * 2
    assert not house.salesforce.rows("Contact")


def test_another_spelling_of_the_same_address_is_no_correction(house: House) -> None:
    house.owe("m1")
    correct_address(house, "m1", "JANE@Customer.Example")
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]
    assert house.contacts(JANE)
    assert occasions(house) == []


@pytest.mark.parametrize("written", [True, False], ids=["written", "not written"])
def test_a_sent_row_keeps_its_address_until_its_outcome_is_known(
    house: House, written: bool
) -> None:
    house.owe("m1", Action.ADD_CONTACT)
    house.salesforce.fail("create_many", UNCLEAR, after=written)
    house.drain()
    correct_address(house, "m1", JANET)
    house.drain()
    assert addresses(house) == {JANE}
    house.pass_time(31)
    house.drain()
    house.drain()
    if written:
        assert addresses(house) == {JANE}
        assert house.states()[0] == ("done", "created")
        assert (len(house.contacts(JANE)), len(house.contacts(JANET))) == (1, 0)
    else:
        assert addresses(house) == {JANET}
        assert (len(house.contacts(JANE)), len(house.contacts(JANET))) == (0, 1)


@pytest.mark.parametrize("written", [True, False], ids=["written", "not written"])
@pytest.mark.parametrize("key_field", [None, "CallObject"])
def test_a_sent_task_of_a_corrected_customer_is_never_doubled(
    house: House, written: bool, key_field: str | None
) -> None:
    if key_field is not None:
        house.salesforce.make_unique("Task", key_field)
        house.change(activity_key_field=key_field)
    known = house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    corrected = house.salesforce.add("Contact", LastName="Doe", Email=JANET)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.fail("create_many", UNCLEAR, after=written)
    house.drain()
    correct_address(house, "m1", JANET)
    house.pass_time(31)
    house.drain()
    house.drain()
    assert [task["WhoId"] for task in house.tasks()] == [known if written else corrected]
    assert house.entries()[0].state == "done"


def test_each_correction_is_judged_once(house: House) -> None:
    house.switch(add_contacts=False)
    house.owe("m1", Action.LOG_TASK)
    correct_address(house, "m1", JANET)
    house.drain()
    house.pass_time(601)
    house.drain()
    assert occasions(house) == ["corrected"]
    assert addresses(house) == {JANET}


@pytest.mark.both_databases
def test_a_task_that_waits_for_somebody_else_than_its_customer_is_judged_again_after_a_look(
    house: House,
) -> None:
    """The first address never becomes known."""
    house.switch(add_contacts=False)
    house.owe("m1", Action.LOG_TASK)
    house.owe("m2", Action.LOG_TASK)
    house.drain()
    assert house.states() == [("waiting", "no_contact")] * 2
    right = house.salesforce.add("Contact", LastName="Doe", Email=JANET)
    correct_address(house, "m1", JANET)
    house.pass_time(601)
    house.drain()
    house.drain()
    assert [task["WhoId"] for task in house.tasks()] == [right]
    assert house.states() == [("done", "logged"), ("waiting", "no_contact")]
    assert house.desk.bodies_read.count("m2") == 1, "the look reads no bodies"


def test_a_waiting_task_whose_customer_turned_out_to_be_ours_ends(house: House) -> None:
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    correct(house, "m1", customer=None)
    house.pass_time(601)
    house.drain()
    house.drain()
    assert house.states() == [("cancelled", "customer_changed")]


@pytest.mark.parametrize("written", [True, False], ids=["written", "not written"])
def test_a_task_follows_its_customer_there_and_back_while_its_contact_is_in_doubt(
    house: House, written: bool
) -> None:
    house.owe("m1")
    house.salesforce.fail("create_many", UNCLEAR, after=written)
    house.drain()
    for address in (JANET, JANE):
        correct_address(house, "m1", address)
        house.pass_time(1_000)
        house.drain()
    for _ in range(4):
        house.pass_time(4_000)
        house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]
    # Not written, the Contact was made while the message named Janet.
    made = house.contacts(JANE if written else JANET)
    assert len(house.salesforce.rows("Contact")) == len(made) == 1
    assert [task["WhoId"] for task in house.tasks()] == made


def test_a_corrected_waiting_task_is_logged_where_its_customer_is(house: House) -> None:
    """It is judged again when it comes due: the first address became known meanwhile."""
    house.switch(add_contacts=False)
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    right = house.salesforce.add("Contact", LastName="Doe", Email=JANET)
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    correct_address(house, "m1", JANET)
    house.pass_time(601)
    house.drain()
    house.drain()
    assert [task["WhoId"] for task in house.tasks()] == [right]
