"""Messages arrive in orgs that lock, hide, rename or encrypt what we write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from keeping_plugin.models import SchemaDocument, SchemaLoad, now, upsert
from keeping_plugin.services.schema import describe as schema_cache
from keeping_plugin.types import Action, PicklistValue
from tests.services.delivery.house import JANE, House
from tests.services.runtimes import make_runtime


def describe(house: House, object: str, **fields: Mapping[str, Any]) -> None:
    """The org has these fields otherwise, and the describe job has been there."""
    schemas = house.salesforce.org.schemas
    known = dict(schemas[object].fields)
    for name, said in fields.items():
        known[name] = replace(known[name], **said)
    schemas[object] = replace(schemas[object], fields=known)
    with house.database.write() as session:
        session.query(SchemaDocument).delete()
        due = {"connection_id": house.connection_id, "due_at": now(session)}
        upsert(session, SchemaLoad, due)
    reading = make_runtime(house.database, times=house.runtime.times, gateways=house.salesforce)
    schema_cache.describe(reading, house.connection_id)


def entry(value: str) -> PicklistValue:
    return PicklistValue(value, value)


@pytest.mark.field_case("A9")
def test_messages_are_logged_without_a_description_that_may_not_be_written(house: House) -> None:
    describe(house, "Task", Description={"createable": False})
    house.owe("m-1")
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]
    (task,) = house.tasks()
    assert task["Description"] is None
    assert task["Subject"].startswith("Email received: Where is my order?")
    assert task["Status"] == "Completed"


@pytest.mark.field_case("A9")
def test_messages_are_logged_where_the_org_has_other_list_values(house: House) -> None:
    describe(
        house,
        "Task",
        TaskSubtype={"picklist": (entry("Task"), entry("Call"))},
        Priority={
            "picklist": (entry("P1"), entry("P2")),
            "restricted": True,
            "nillable": False,
            "defaulted_on_create": False,
        },
    )
    house.owe("m-1")
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]
    (task,) = house.tasks()
    assert task["Priority"] == "P1"
    assert task["TaskSubtype"] != "Email"


@pytest.mark.field_case("A9")
def test_a_contact_is_added_without_a_first_name_that_may_not_be_written(house: House) -> None:
    describe(house, "Contact", FirstName={"createable": False})
    house.owe("m-1")
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]
    (contact,) = house.salesforce.rows("Contact")
    assert (contact["FirstName"], contact["LastName"]) == (None, "Doe")


def test_what_the_org_takes_costs_no_request_and_one_statement_a_batch(house: House) -> None:
    describe(house, "Task")
    house.choose(by_colleagues=False, by_website=False)
    house.salesforce.calls.clear()
    for number in range(5):
        house.owe(f"m-{number}")
    house.drain()
    verbs = [call.verb for call in house.salesforce.calls]
    assert verbs == ["find", "create_many", "create_many"]


@pytest.fixture
def encrypted(house: House) -> House:
    """The org keeps addresses encrypted: messages are logged, nobody is added automatically."""
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


@pytest.mark.both_databases
@pytest.mark.field_case("A10")
def test_who_is_there_already_counts_as_there(encrypted: House) -> None:
    encrypted.salesforce.add("Contact", LastName="Doe", Email=JANE)
    encrypted.owe("m-1")
    encrypted.drain()
    assert encrypted.states() == [("done", "exists"), ("done", "logged")]
