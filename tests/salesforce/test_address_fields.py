"""Five address fields on each kind of people, over HTTP: one request more at most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from keeping_plugin.types import LeadMatch, ObjectSchema
from salesforce_simulator.describe import load
from salesforce_simulator.process import OrgProcess
from tests.fake_salesforce.addresses import without_fields
from tests.fake_salesforce.org_under_test import schemas_of, someone
from tests.salesforce.conftest import CALLBACK, LiveOrg

FIVE = ("One__c", "Two__c", "Three__c", "Four__c", "Five__c")
OTHERS = {"Contact": FIVE, "Lead": FIVE}
SHOWN = {"Contact": ["Name"], "Lead": ["Name"], "Account": ["Name"], "Opportunity": ["Name"]}


@pytest.fixture(scope="module")
def town() -> Iterator[LiveOrg]:
    with OrgProcess(redirects=[CALLBACK]) as process:
        org = LiveOrg(process, process.production)
        email = next(field for field in load("Contact")["fields"] if field["name"] == "Email")
        for object in OTHERS:
            for name in FIVE:
                # The last has no index: asked along with Email it would slow down every panel.
                indexed = name != "Five__c"
                org.control.add_field(
                    object,
                    {**email, "name": name, "label": name, "custom": True, "idLookup": indexed},
                )
        yield org


@pytest.fixture(scope="module")
def schemas(town: LiveOrg) -> Mapping[str, ObjectSchema]:
    return schemas_of(town.gateway)


def panel(
    org: LiveOrg,
    address: str,
    schemas: Mapping[str, ObjectSchema],
    others: Mapping[str, tuple[str, ...]] = OTHERS,
) -> tuple[list[tuple[str, str]], int]:
    """Who is shown, by which field, and in how many requests."""
    org.control.reset_log()
    found = org.gateway.panel(address, schemas, SHOWN, others=others)
    told = [
        (one.lead.id if isinstance(one, LeadMatch) else one.contact.id, one.by) for one in found
    ]
    return told, org.control.counters()["data_round_trips"]


def test_the_panel_and_the_drain_find_by_any_of_ten_fields(
    town: LiveOrg, schemas: Mapping[str, ObjectSchema]
) -> None:
    address = f"o'neil%{someone()}"
    account = town.add("Account", Name="Account")
    contact = town.add(
        "Contact", LastName="C", AccountId=account, Two__c=address.upper(), Five__c=address
    )
    lead = town.add("Lead", LastName="L", Company="L", Four__c=address)
    became = town.convert(town.add("Lead", LastName="B", Company="B", One__c=address))
    town.add("Contact", LastName="Other", Two__c=someone())
    told, asked = panel(town, address, schemas)
    assert set(told) == {(contact, "Two__c"), (lead, "Four__c"), (became, "")}
    assert told[-1] == (lead, "Four__c"), "Contacts first"
    assert asked == 2
    people = town.gateway.find([address, someone()], fields=OTHERS).people
    assert {(one.id, one.by) for one in people[address.lower()]} == {
        (contact, "Two__c"),
        (lead, "Four__c"),
    }
    found = town.add("Contact", LastName="Email", Email=address)
    assert panel(town, address, schemas) == ([(found, "")], 1)


def test_indexed_fields_travel_with_email_while_the_composite_has_room(
    town: LiveOrg, schemas: Mapping[str, ObjectSchema]
) -> None:
    address, indexed = someone(), {"Contact": FIVE[:4]}
    contact = town.add("Contact", LastName="C", Four__c=address)
    # Without Leads the panel asks two things of its five.
    small = {name: schema for name, schema in schemas.items() if name != "Lead"}
    assert panel(town, address, small, indexed) == ([(contact, "Four__c")], 1)
    email = town.add("Contact", LastName="E", Email=address)
    assert panel(town, address, small, indexed) == ([(email, "")], 1)
    assert panel(town, someone(), small, indexed) == ([], 1)
    assert panel(town, someone(), schemas, indexed) == ([], 2), "no room"
    assert panel(town, someone(), small, {"Contact": FIVE}) == ([], 2), "one without an index"
    assert panel(town, someone(), schemas, {}) == ([], 1)


def test_a_lead_by_email_hides_no_contact_in_the_same_request_either(
    town: LiveOrg, schemas: Mapping[str, ObjectSchema]
) -> None:
    address = someone()
    contact = town.add("Contact", LastName="C", One__c=address)
    lead = town.add("Lead", LastName="L", Company="L", Email=address)
    town.add("Lead", LastName="O", Company="O", One__c=address)
    # Without what stands around them there is room for both.
    bare = without_fields(dict(schemas), "AccountId", "ConvertedContactId")
    some = {"Contact": FIVE[:4], "Lead": FIVE[:4]}
    assert panel(town, address, bare, some) == ([(contact, "One__c"), (lead, "")], 1)
    assert panel(town, address, schemas, OTHERS) == ([(contact, "One__c"), (lead, "")], 2)


@pytest.mark.field_case("A10")
def test_an_org_that_encrypts_email_finds_by_a_field_that_can_be_filtered(
    town: LiveOrg, schemas: Mapping[str, ObjectSchema]
) -> None:
    """Described as encrypted, so that the panel searches for Email: one request more at most."""
    email = replace(schemas["Contact"].fields["Email"], filterable=False)
    contact = replace(schemas["Contact"], fields={**schemas["Contact"].fields, "Email": email})
    encrypted = {**schemas, "Contact": contact}
    address = someone()
    assert panel(town, address, encrypted, {}) == ([], 1)
    assert panel(town, address, encrypted) == ([], 2)
    there = town.add("Contact", LastName="C", Three__c=address)
    assert panel(town, address, encrypted) == ([(there, "Three__c")], 2)
