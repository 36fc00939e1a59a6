"""Addresses that Salesforce writes or compares otherwise than we do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keeping_plugin.models import AddressClaim, now
from keeping_plugin.services.ledger import claims
from keeping_plugin.types import Action
from tests.services.delivery.house import House

TARO = "taro..x@docomo.example"


@pytest.mark.field_case("A14")
@pytest.mark.parametrize("held", [TARO, '"taro..x"@docomo.example'])
def test_mail_of_a_contact_whose_address_has_two_dots_is_logged_on_it(
    house: House, held: str
) -> None:
    contact = house.salesforce.add("Contact", LastName="Taro", Email=held)
    house.owe("m1", address=TARO)
    house.owe("m2", address='"Taro..X"@docomo.example')
    house.drain()
    assert {task["WhoId"] for task in house.tasks()} == {contact}
    assert len(house.tasks()) == 2
    assert {entry.reason for entry in house.entries()} == {"exists", "logged"}


@pytest.mark.field_case("A14")
def test_a_customer_with_two_dots_is_added_once(house: House) -> None:
    house.owe("m1", address=TARO)
    house.drain()
    house.owe("m2", address=TARO)
    house.drain()
    (contact,) = house.contacts(TARO)
    assert {task["WhoId"] for task in house.tasks()} == {contact}


@pytest.mark.field_case("A14")
def test_two_spellings_that_salesforce_stores_alike_become_one_contact(house: House) -> None:
    house.owe("m1", address="MÜLLER@example.com")
    house.owe("m2", address="müller@example.com")
    house.drain()
    (contact,) = house.salesforce.rows("Contact")
    assert {task["WhoId"] for task in house.tasks()} == {contact["Id"]}
    house.owe("m3", address="MÜLLER@example.com")
    house.drain()
    assert len(house.salesforce.rows("Contact")) == 1
    assert len(house.tasks()) == 3


@pytest.mark.field_case("A14")
@pytest.mark.parametrize("held", ["mÜller@example.com", "müller@example.com"])
def test_a_claim_on_either_spelling_keeps_the_other_from_being_added(
    house: House, held: str
) -> None:
    """0.1.0, which may work beside us, claims the key alone."""
    house.owe("m1", Action.ADD_CONTACT, address="MÜLLER@example.com")
    org_id = house.connection().org_id
    with house.database.write() as session:
        until = now(session) + timedelta(seconds=60)
        session.add(AddressClaim(org_id=org_id, address=held, owner="agent:0.1.0", until=until))
    house.drain()
    assert house.states() == [("pending", "address_busy")]
    assert not house.salesforce.rows("Contact")
    with house.database.write() as session:
        claims.release(session, org_id=org_id, addresses=[held], owner="agent:0.1.0")
    house.pass_time(6)
    house.drain()
    assert len(house.salesforce.rows("Contact")) == 1
