"""Other address fields in the delivery: asked for whom Email does not find, and nobody doubled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import event, update

from keeping_plugin.errors import RateLimited, SalesforceUnavailable, SchemaStale
from keeping_plugin.models import (
    Connection,
    FindingPolicy,
    Installation,
    Lane,
    SchemaDocument,
    upsert,
)
from keeping_plugin.objects import DESCRIBED
from keeping_plugin.services.automation import by_hand
from keeping_plugin.services.people import address_fields, picks
from keeping_plugin.services.people.predict import predict
from keeping_plugin.services.people.preflight import lines
from keeping_plugin.types import Action, Agent, ObjectSchema
from keeping_plugin.types.schema_document import dump_schema
from tests.fake_salesforce.addresses import with_email_fields, without_fields
from tests.services.delivery.house import BOTH, COMPANY, JANE, MAILBOX, House

ADMIN = Agent("ada", COMPANY, "Ada", is_admin=True)
FIVE = ("One__c", "Two__c", "Three__c", "Four__c", "Five__c")
ONE = {"Contact": ("One__c",), "Lead": ("One__c",)}


@pytest.fixture
def town(house: House) -> House:
    """An org whose people have five address fields beside Email."""
    org = house.salesforce.org
    org.schemas = with_email_fields(org.schemas, *FIVE)
    describe(house, org.schemas)
    return house


def describe(house: House, schemas: dict[str, ObjectSchema]) -> None:
    with house.database.write() as session:
        for name in DESCRIBED:
            document = dump_schema(schemas[name]) if name in schemas else None
            row = {
                "connection_id": house.connection_id,
                "object": name,
                "document": document,
                "digest": sha256((document or "").encode()).hexdigest(),
                "fetched_at": house.runtime.clock.now(),
            }
            upsert(session, SchemaDocument, row)


def tick(house: House, ticked: dict[str, tuple[str, ...]] = ONE) -> None:
    with house.database.write() as session:
        for object, fields in ticked.items():
            address_fields.save(session, ADMIN, object, fields)


@contextmanager
def counted(house: House) -> Iterator[list[str]]:
    """The statements of a block."""
    statements: list[str] = []

    def note(_c: Any, _x: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(house.database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(house.database.engine, "before_cursor_execute", note)


def verbs(house: House) -> list[str]:
    return [call.verb for call in house.salesforce.calls]


@pytest.mark.both_databases
def test_mail_is_logged_on_a_contact_with_the_address_in_another_field(town: House) -> None:
    tick(town, {"Contact": FIVE, "Lead": FIVE})
    jane = town.salesforce.add("Contact", LastName="Doe", Three__c=JANE.upper(), Five__c=JANE)
    town.owe("m1")
    town.drain()
    assert town.states() == [("done", "exists"), ("done", "logged")]
    assert [task["WhoId"] for task in town.tasks()] == [jane]
    assert town.entries()[0].record_id == jane
    assert len(town.salesforce.rows("Contact")) == 1
    assert verbs(town) == ["find", "find by fields", "create_many"]


def test_nothing_ticked_costs_no_request_and_no_statement(town: House) -> None:
    def drained(message: str, address: str) -> tuple[list[str], int]:
        town.owe(message, address=address)
        before = len(town.salesforce.calls)
        with counted(town) as statements:
            town.drain()
        return verbs(town)[before:], len(statements)

    drained("m0", "first@x.example")  # what is asked once of a company's domain
    off = drained("m1", "a@x.example")
    assert off[0] == ["find", "create_many", "create_many"]
    known = drained("m2", "a@x.example")
    tick(town)
    requests, statements = drained("m3", "b@x.example")
    assert requests == ["find", "find by fields", "create_many", "create_many"]
    assert statements == off[1]
    assert drained("m4", "b@x.example") == known, "none more for whom Email finds"
    tick(town, {"Contact": (), "Lead": ()})
    assert drained("m5", "c@x.example") == off


@pytest.mark.both_databases
def test_waiting_mail_is_logged_once_another_field_has_the_address(town: House) -> None:
    town.switch(add_contacts=False)
    town.owe("m1", Action.LOG_TASK)
    town.drain()
    assert town.states() == [("waiting", "no_contact")]

    def looked(seconds: float) -> tuple[list[str], int]:
        town.pass_time(seconds)
        before = len(town.salesforce.calls)
        with counted(town) as statements:
            town.drain()
        return verbs(town)[before:], len(statements)

    off = looked(700)
    assert off[0] == ["find"]
    tick(town)
    assert looked(3_700) == (["find", "find by fields"], off[1] + 1), "who chose a record for it"
    town.salesforce.add("Contact", LastName="Doe", One__c=JANE)
    looked(22_000)
    assert town.entries()[0].state == "pending"
    town.drain()
    assert town.states() == [("done", "logged")]


def test_mail_of_a_chosen_lead_waits_for_its_conversion_and_for_nobody_else(town: House) -> None:
    tick(town)
    town.salesforce.add("Contact", LastName="Other", One__c=JANE)
    lead = town.salesforce.add("Lead", LastName="Chosen", Company="C")
    with town.database.write() as session:
        picks.keep(session, ADMIN, town.connection_id, JANE, "Lead", lead)
    town.owe("m1", Action.LOG_TASK)
    town.drain()
    town.pass_time(700)
    town.drain()
    assert town.states() == [("waiting", "no_contact")]
    assert "find by fields" not in verbs(town)


def test_several_by_another_field_are_never_picked(town: House) -> None:
    """An assistant's address, say: nobody is added, and mail waits for an agent's choice."""
    tick(town)
    bosses = [town.salesforce.add("Contact", LastName=name, One__c=JANE) for name in "AB"]
    town.owe("m1")
    town.drain()
    assert town.states() == [("done", "exists"), ("waiting", "several_contacts")]
    town.pass_time(700)
    town.drain()
    town.drain()
    assert town.states()[1] == ("waiting", "several_contacts"), "a look picks none either"
    with town.database.write() as session:
        assert picks.keep(session, ADMIN, town.connection_id, JANE, "Contact", bosses[1]) == 1
    before = len(town.salesforce.calls)
    town.drain()
    assert [task["WhoId"] for task in town.tasks()] == [bosses[1]]
    assert verbs(town)[before:] == ["find", "create_many"], "a choice leaves nothing to ask"


@pytest.mark.parametrize("by_email", ["Lead", "Contact"])
def test_a_contact_comes_before_a_lead_and_email_before_other_fields(
    town: House, by_email: str
) -> None:
    tick(town)
    other = town.salesforce.add("Contact", LastName="Other", One__c=JANE)
    town.salesforce.add("Lead", LastName="Other", Company="C", One__c=JANE)
    email = town.salesforce.add(by_email, LastName="Email", Company="C", Email=JANE)
    town.owe("m1")
    town.drain()
    assert [task["WhoId"] for task in town.tasks()] == [other if by_email == "Lead" else email]
    assert town.states()[0] == ("done", "exists")


def test_a_lead_by_another_field_is_existing_and_takes_no_mail(town: House) -> None:
    tick(town)
    lead = town.salesforce.add("Lead", LastName="Doe", Company="C", One__c=JANE)
    town.owe("m1")
    town.drain()
    assert town.states() == [("done", "exists"), ("waiting", "no_contact")]
    assert town.entries()[0].record_id == lead


@pytest.mark.parametrize("how", ["hidden", "unfilterable"])
def test_a_field_that_is_gone_is_left_out_and_the_others_still_find(town: House, how: str) -> None:
    """Before the describe says so: Salesforce names the field, and the delivery goes on."""
    tick(town, {"Contact": ("One__c", "Two__c"), "Lead": ("One__c",)})
    jane = town.salesforce.add("Contact", LastName="Doe", Two__c=JANE)
    org = town.salesforce.org
    if how == "hidden":
        org.schemas = without_fields(org.schemas, "One__c")
    else:
        org.schemas = with_email_fields(org.schemas, "One__c", filterable=False)
    town.owe("m1")
    town.drain()
    assert [task["WhoId"] for task in town.tasks()] == [jane]
    assert len(town.salesforce.rows("Contact")) == 1
    # Once it is described, it is not asked for, and the check of the connection says so.
    describe(town, org.schemas)
    before = len(town.salesforce.calls)
    town.owe("m2")
    town.drain()
    assert verbs(town)[before:] == ["find", "find by fields", "create_many"]
    with town.database.read() as session:
        connection = session.get_one(Connection, town.connection_id)
        kept = address_fields.load(session, COMPANY)
    assert kept["Contact"] == ("One__c", "Two__c"), "the choice is kept"
    told = [one.finding for one in lines(town.runtime)(town.salesforce(1), connection, org.schemas)]
    assert [one for one in told if "One__c" in one and "Not used" in one]


def test_a_slow_field_holds_up_only_whom_email_does_not_find(town: House) -> None:
    tick(town)
    town.salesforce.add("Contact", LastName="Email", Email="known@x.example")
    town.owe("m1", address="known@x.example")
    town.owe("m2")
    town.salesforce.fail("find by fields", SalesforceUnavailable())
    town.drain()
    assert town.states() == [
        ("done", "exists"),
        ("done", "logged"),
        ("pending", "unavailable"),
        ("pending", "unavailable"),
    ]
    assert len(town.salesforce.rows("Contact")) == 1, "who was not asked about is not added"
    town.pass_time(1_000)
    town.drain()
    assert town.states()[2:] == [("done", "created"), ("done", "logged")]


def test_imported_mail_and_the_prediction_agree(town: House) -> None:
    tick(town)
    for name in "AB":
        town.salesforce.add("Contact", LastName=name, One__c=JANE)
    with town.database.read() as session:
        connection = session.get_one(Connection, town.connection_id)
    would = predict(town.runtime, ADMIN, connection, MAILBOX.id, [JANE, "new@x.example"])
    assert [len(would.people[key].there) for key in (JANE, "new@x.example")] == [2, 0]
    assert [would.people[key].undecided for key in (JANE, "new@x.example")] == [True, False]
    town.owe("m1", *BOTH, lane=Lane.BACKFILL)
    town.drain()
    assert town.states() == [("done", "exists"), ("waiting", "several_contacts")]


def test_before_the_org_is_described_nobody_known_is_added(house: House) -> None:
    org = house.salesforce.org
    org.schemas = with_email_fields(org.schemas, "One__c")
    tick(house)
    house.salesforce.add("Contact", LastName="Doe", One__c=JANE)
    house.owe("m1", Action.ADD_CONTACT)
    house.drain()
    assert house.states() == [("done", "exists")]


def test_an_org_that_encrypts_email_still_finds_by_a_field_that_can_be_filtered(
    town: House,
) -> None:
    org = town.salesforce.org
    contact = org.schemas["Contact"]
    email = replace(contact.fields["Email"], filterable=False)
    org.schemas["Contact"] = replace(contact, fields={**contact.fields, "Email": email})
    describe(town, org.schemas)
    tick(town)
    jane = town.salesforce.add("Contact", LastName="Doe", One__c=JANE)
    town.owe("m1", Action.LOG_TASK)
    town.drain()
    assert [task["WhoId"] for task in town.tasks()] == [jane]


def test_a_limit_that_is_reached_is_the_connections(town: House) -> None:
    tick(town)
    town.owe("m1")
    town.salesforce.fail("find by fields", RateLimited())
    town.drain()
    assert town.connection().pause_reason == "rate_limited"
    assert {state for state, _ in town.states()} == {"pending"}


@pytest.mark.both_databases
def test_each_objects_choice_is_kept_by_itself_and_audited(house: House) -> None:
    tick(house, {"Contact": ("One__c",)})
    tick(house, {"Lead": ("Two__c",)})
    tick(house, {"Lead": ("Two__c",)})
    with house.database.read() as session:
        assert address_fields.load(session, COMPANY) == {
            "Contact": ("One__c",),
            "Lead": ("Two__c",),
        }
        assert session.get_one(FindingPolicy, COMPANY).search is False


def test_of_several_fields_only_the_stale_one_is_left_out() -> None:
    ticked = {"Contact": ("A__c", "B__c"), "Lead": ("A__c",)}
    assert address_fields.without(ticked, SchemaStale(field="a__c")) == {"Contact": ("B__c",)}
    assert address_fields.without(ticked, SchemaStale(object="Lead")) == {
        "Contact": ("A__c", "B__c")
    }
    assert address_fields.without(ticked, SchemaStale()) == ticked


def test_mail_logged_by_hand_is_on_whom_another_field_finds_or_waits_for_a_choice(
    town: House,
) -> None:
    tick(town)
    town.switch(add_contacts=False, log_tasks=False)
    with town.database.write() as session:
        session.execute(update(Installation).values(contract=1))
    first = town.salesforce.add("Contact", LastName="Doe", One__c=JANE)
    gus = Agent("gus", COMPANY, "Gus")
    for message_id in ("m1", "m2"):
        town.add_mail(message_id)
        if message_id == "m2":
            town.salesforce.add("Contact", LastName="Doe", One__c=JANE)
        by_hand.log_now(town.runtime, gus, f"c-{message_id}", message_id)
        town.drain()
    assert town.states() == [("done", "logged"), ("waiting", "several_contacts")]
    with town.database.write() as session:
        picks.keep(session, gus, town.connection_id, JANE, "Contact", first)
    town.drain()
    assert town.states() == [("done", "logged")] * 2
    assert [task["WhoId"] for task in town.tasks()] == [first] * 2
