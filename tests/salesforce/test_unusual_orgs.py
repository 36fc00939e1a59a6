"""An org that keeps addresses encrypted, has several currencies and lists of states, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from keeping_plugin.errors import KeepingError, RecordRejected
from keeping_plugin.objects import emails_are_searched
from keeping_plugin.services.panel.cards import asked
from keeping_plugin.services.panel.display import shown
from keeping_plugin.types import ContactMatch, LeadMatch, ObjectSchema
from salesforce_simulator.describe import load
from salesforce_simulator.process import OrgProcess
from tests.fake_salesforce.org_under_test import schemas_of
from tests.salesforce.conftest import CALLBACK, LiveOrg

PLACES = {"US": ["CA"], "AU": ["NSW"]}
NAMES = {"US": "United States", "CA": "California", "AU": "Australia", "NSW": "New South Wales"}


@pytest.fixture(scope="module")
def unusual() -> Iterator[LiveOrg]:
    with OrgProcess(redirects=[CALLBACK]) as process:
        org = LiveOrg(process, process.production)
        email = next(field for field in load("Contact")["fields"] if field["name"] == "Email")
        org.control.add_field("Contact", {**email, "filterable": False})
        org.control.use_currencies("USD", "EUR", "JPY")
        org.control.use_places(PLACES, NAMES)
        yield org


@pytest.fixture(scope="module")
def schemas(unusual: LiveOrg) -> Mapping[str, ObjectSchema]:
    return schemas_of(unusual.gateway)


def ask(org: LiveOrg, schemas: Mapping[str, ObjectSchema], address: str) -> list[object]:
    wanted = {name: asked(schema, ("Name", "Email")) for name, schema in schemas.items()}
    wanted["Contact"] = asked(schemas["Contact"], ("Name", "Email", "MailingAddress"))
    wanted["Opportunity"] = asked(schemas["Opportunity"], ("Name", "Amount"))
    return list(org.gateway.panel(address, schemas, wanted))


@pytest.mark.field_case("A10")
def test_a_query_for_an_encrypted_address_is_refused_and_a_search_finds_it(
    unusual: LiveOrg, schemas: Mapping[str, ObjectSchema]
) -> None:
    assert emails_are_searched(schemas)
    jane = unusual.add("Contact", LastName="Doe", Email="jane-q.doe@encrypted.example")
    with pytest.raises(KeepingError):
        unusual.gateway.find(["jane-q.doe@encrypted.example"])
    address = "Jane-Q.Doe@encrypted.example"
    people = unusual.gateway.find([address], by_search=True).people
    assert [one.id for one in people["jane-q.doe@encrypted.example"]] == [jane]


@pytest.mark.field_case("A10")
def test_the_panel_shows_all_that_stands_around_a_person_whom_a_search_found(
    unusual: LiveOrg, schemas: Mapping[str, ObjectSchema]
) -> None:
    account = unusual.add("Account", Name="Acme")
    jane = unusual.add("Contact", LastName="Roe", Email="roe@encrypted.example", AccountId=account)
    unusual.add("Contact", LastName="Other", Email="roe+shop@encrypted.example")
    unusual.add("Case", Subject="Broken", ContactId=jane)
    lead = unusual.add("Lead", LastName="Roe", Company="Roe", Email="roe@encrypted.example")
    unusual.control.reset_log()
    contact, other = ask(unusual, schemas, "roe@encrypted.example")
    assert unusual.control.counters()["data_round_trips"] == 2
    assert isinstance(contact, ContactMatch)
    assert contact.contact.id == jane
    assert contact.account is not None
    assert len(contact.around["cases"]) == 1
    assert isinstance(other, LeadMatch)
    assert other.lead.id == lead


@pytest.mark.field_case("A10")
def test_an_address_that_a_search_does_not_find_costs_one_request(
    unusual: LiveOrg, schemas: Mapping[str, ObjectSchema]
) -> None:
    unusual.control.reset_log()
    assert ask(unusual, schemas, "nobody@encrypted.example") == []
    assert unusual.control.counters()["data_round_trips"] == 1


@pytest.mark.field_case("A10")
def test_records_whose_names_are_encrypted_are_looked_up_by_a_search(unusual: LiveOrg) -> None:
    name = next(field for field in load("Account")["fields"] if field["name"] == "Name")
    unusual.control.add_field("Account", {**name, "filterable": False, "sortable": False})
    try:
        made = unusual.add("Account", Name="Ünusual & Sons (Roofing)")
        for typed in ("Ünus", "Sons", "Ünusual & Sons (Roof"):
            found = unusual.gateway.search("Account", typed)
            assert [(one.id, one.fields) for one in found] == [
                (made, {"Name": "Ünusual & Sons (Roofing)"})
            ], typed
        assert not unusual.gateway.search("Account", "Nobody")
    finally:
        unusual.control.add_field("Account", name)


@pytest.mark.field_case("A11")
def test_each_amount_comes_with_its_currency(
    unusual: LiveOrg, schemas: Mapping[str, ObjectSchema]
) -> None:
    jane = unusual.add("Contact", LastName="Rich", Email="rich@encrypted.example")
    for code in ("JPY", "USD", "EUR"):
        fields = {"Name": code, "StageName": "Prospecting", "CloseDate": "2026-12-31"}
        deal = unusual.add("Opportunity", Amount=1_200_000, CurrencyIsoCode=code, **fields)
        unusual.add("OpportunityContactRole", OpportunityId=deal, ContactId=jane)
    [match] = ask(unusual, schemas, "rich@encrypted.example")
    assert isinstance(match, ContactMatch)
    opportunity = schemas["Opportunity"]
    assert {shown(opportunity, deal, "Amount").text for deal in match.around["opportunities"]} == {
        "JPY 1,200,000",
        "USD 1,200,000.00",
        "EUR 1,200,000.00",
    }


@pytest.mark.field_case("A12")
def test_codes_are_written_and_labels_shown(
    unusual: LiveOrg, schemas: Mapping[str, ObjectSchema]
) -> None:
    jane = unusual.add("Contact", LastName="Far", Email="far@encrypted.example")
    changes = {"MailingCountryCode": "AU", "MailingStateCode": "NSW"}
    unusual.gateway.update("Contact", jane, changes)
    [match] = ask(unusual, schemas, "far@encrypted.example")
    assert isinstance(match, ContactMatch)
    address = shown(schemas["Contact"], match.contact, "MailingAddress").text
    assert address == "New South Wales\nAustralia"
    with pytest.raises(RecordRejected) as refused:
        unusual.gateway.update("Contact", jane, {"MailingCountryCode": "US"})
    assert refused.value.complaints[0].code == "FIELD_INTEGRITY_EXCEPTION"


@pytest.mark.field_case("A9")
def test_an_org_refuses_a_task_without_a_field_of_its_own_that_it_requires(
    unusual: LiveOrg,
) -> None:
    field = {"name": "Order__c", "label": "Order", "type": "string", "nillable": False}
    unusual.control.add_field("Task", field)
    [described] = unusual.gateway.describe(["Task"])
    assert described.schema is not None
    assert described.schema.fields["Order__c"].required
    with pytest.raises(RecordRejected) as refused:
        unusual.gateway.create("Task", {"Subject": "x"})
    assert refused.value.complaints[0].code == "REQUIRED_FIELD_MISSING"
    unusual.control.remove_field("Task", "Order__c")


def test_assignment_rules_run_only_where_they_are_asked_for(unusual: LiveOrg) -> None:
    queue = unusual.control.queue("Support", ["Case"])
    unusual.control.assignment_rule("Case", queue)
    owners = [
        unusual.gateway.read(
            "Case", unusual.gateway.create("Case", {}, assign=assign).id, ["OwnerId"]
        )
        for assign in (True, False)
    ]
    assert [one.fields["OwnerId"] == queue for one in owners] == [True, False]
    unusual.control.clear_rules()
