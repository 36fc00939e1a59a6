"""An org keeps addresses encrypted: messages are logged, nobody is added automatically."""

from __future__ import annotations

import pytest

from keeping_plugin.types import Action
from tests.services.delivery.house import JANE, House
from tests.services.delivery.test_what_the_org_takes import describe


@pytest.fixture
def encrypted(house: House) -> House:
    describe(house, "Contact", Email={"filterable": False})
    return house


@pytest.mark.field_case("A10")
def test_messages_are_logged_on_the_contact_that_a_search_finds(encrypted: House) -> None:
    contact = encrypted.salesforce.add("Contact", LastName="Doe", Email=JANE)
    encrypted.owe("m-1", Action.LOG_TASK)
    encrypted.drain()
    assert encrypted.states() == [("done", "logged")]
    assert [task["WhoId"] for task in encrypted.tasks()] == [contact]


@pytest.mark.field_case("A10")
def test_nobody_is_added_where_absence_is_not_known_and_the_message_waits(
    encrypted: House,
) -> None:
    encrypted.owe("m-1")
    encrypted.drain()
    assert encrypted.states() == [("cancelled", "address_encrypted"), ("waiting", "no_contact")]
    assert encrypted.contacts() == []
    assert encrypted.connection().pause_reason == ""

    # An agent adds them; once the search knows, what waits is logged.
    contact = encrypted.salesforce.add("Contact", LastName="Doe", Email=JANE)
    encrypted.pass_time(15 * 60)
    encrypted.drain()
    encrypted.drain()
    assert encrypted.states()[1] == ("done", "logged")
    assert [task["WhoId"] for task in encrypted.tasks()] == [contact]


@pytest.mark.field_case("A10")
def test_who_is_there_already_counts_as_there(encrypted: House) -> None:
    encrypted.salesforce.add("Contact", LastName="Doe", Email=JANE)
    encrypted.owe("m-1")
    encrypted.drain()
    assert encrypted.states() == [("done", "exists"), ("done", "logged")]
