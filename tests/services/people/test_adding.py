"""How people are added: on which Account, as what, with which values, and what becomes of a batch
in which Salesforce does not take one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from keeping_plugin.errors import Complaint, OutcomeUnclear, RecordRejected, SalesforceUnavailable
from keeping_plugin.models import DomainAccount, SchemaLoad, now
from keeping_plugin.services.people import accounts
from keeping_plugin.services.people.policy import AddAs
from keeping_plugin.services.schema import describe as schema_cache
from keeping_plugin.types import Action, FieldSpec, NewRecord
from tests.fake_salesforce import shipped_schemas
from tests.services.delivery.house import House

BY_DOMAIN = {"by_colleagues": True, "by_website": True}
JANE, JOE, MAX = "jane@customer.example", "joe@customer.example", "max@gmail.com"
GONE = RecordRejected(
    complaints=(Complaint("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ()),)
)


@pytest.fixture
def described(house: House) -> House:
    """The house, whose org has been described."""
    with house.database.write() as session:
        schema_cache.start_load(session, house.connection_id, at=now(session))
    schema_cache.describe(house.runtime, house.connection_id)
    house.choose(by_colleagues=False, by_website=False)
    house.salesforce.calls.clear()
    return house


def verbs(house: House) -> list[str]:
    return [call.verb for call in house.salesforce.calls]


def row(house: House, object: str, email: str) -> Any:
    [found] = [one for one in house.salesforce.rows(object) if one["Email"] == email]
    return found


def with_account(account: str) -> Callable[[NewRecord], bool]:
    return lambda record: record.fields.get("AccountId") == account


def colleagues(house: House, account: str, domain: str = "customer.example") -> None:
    for number in range(2):
        house.salesforce.add(
            "Contact", LastName="C", Email=f"c{number}@{domain}", AccountId=account
        )


@pytest.mark.both_databases
def test_with_the_rule_on_a_new_domain_costs_one_request_and_a_known_one_none(
    described: House,
) -> None:
    house = described
    account = house.salesforce.add("Account", Name="Customer")
    colleagues(house, account)
    house.owe("m-0", address=MAX)
    house.drain()
    assert verbs(house) == ["find", "create_many", "create_many"], "the rule is off"
    house.choose(**BY_DOMAIN)
    house.salesforce.calls.clear()
    house.owe("m-1", address=JANE)
    house.drain()
    assert verbs(house) == ["find", "accounts", "create_many", "create_many"]
    house.salesforce.calls.clear()
    house.owe("m-2", address=JOE)
    house.owe("m-3", address="anna@gmail.com")
    house.drain()
    assert verbs(house) == ["find", "create_many", "create_many"]
    assert row(house, "Contact", JANE)["AccountId"] == account
    assert row(house, "Contact", JOE)["AccountId"] == account
    assert row(house, "Contact", "anna@gmail.com")["AccountId"] is None
    assert set(house.states()) == {("done", "created"), ("done", "logged")}


def test_an_account_deleted_a_second_ago_is_found_again_once(described: House) -> None:
    house = described
    old = house.salesforce.add("Account", Name="Old")
    colleagues(house, old)
    house.choose(**BY_DOMAIN)
    house.owe("m-1", Action.ADD_CONTACT, address="first@customer.example")
    house.drain()
    for contact in house.salesforce.rows("Contact"):
        house.salesforce.delete("Contact", contact["Id"])
    house.salesforce.delete("Account", old)
    new = house.salesforce.add("Account", Name="New", Website="customer.example")
    house.salesforce.refuse_rows(GONE, with_account(old), times=None)
    house.owe("m-2", address=JANE)
    house.owe("m-3", address="else@gmail.com")
    house.drain()
    assert row(house, "Contact", JANE)["AccountId"] == new
    assert row(house, "Contact", "else@gmail.com")
    assert {entry.state for entry in house.entries()} == {"done"}
    assert not any(entry.note for entry in house.entries())


def test_an_account_that_cannot_be_used_leaves_the_contact_without_one_and_says_so(
    described: House,
) -> None:
    house = described
    hidden = house.salesforce.add("Account", Name="Hidden", Website="customer.example")
    refusal = RecordRejected(
        complaints=(
            Complaint("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "insufficient access", ()),
        )
    )
    house.salesforce.refuse_rows(refusal, with_account(hidden), times=None)
    house.choose(**BY_DOMAIN)
    house.owe("m-1", address=JANE)
    house.owe("m-2", address="else@gmail.com")
    house.drain()
    assert row(house, "Contact", JANE)["AccountId"] is None
    added, logged, *others = house.entries()
    assert (added.state, added.reason, added.note) == ("done", "created", "without_account")
    assert (logged.state, logged.reason) == ("done", "logged")
    assert {entry.state for entry in others} == {"done"}
    assert verbs(house).count("accounts") == 2, "asked again once"


def test_a_chosen_account_that_is_gone_is_not_tried_again_for_the_next_person(
    described: House,
) -> None:
    house = described
    chosen = house.salesforce.add("Account", Name="Everybody else")
    house.choose(account_id=chosen, account_name="Everybody else")
    house.owe("m-1", Action.ADD_CONTACT, address=MAX)
    house.drain()
    assert row(house, "Contact", MAX)["AccountId"] == chosen
    named = Complaint("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ("AccountId",))
    refusal = RecordRejected(complaints=(named,))
    house.salesforce.refuse_rows(refusal, with_account(chosen), times=None)
    house.owe("m-2", Action.ADD_CONTACT, address="two@gmail.com")
    house.drain()
    house.salesforce.calls.clear()
    house.owe("m-3", Action.ADD_CONTACT, address="three@gmail.com")
    house.drain()
    assert verbs(house) == ["find", "create_many"]
    assert [entry.note for entry in house.entries()] == [
        None,
        "chosen_account_gone",
        "chosen_account_gone",
    ]
    assert {entry.state for entry in house.entries()} == {"done"}
    with house.database.read() as session:
        known = accounts.kept(session, house.connection_id, [], house.runtime.times)
    assert list(known.gone) == [chosen]


def test_a_refusal_that_names_nothing_leaves_the_chosen_account_to_the_next_person(
    described: House,
) -> None:
    house = described
    chosen = house.salesforce.add("Account", Name="Everybody else")
    house.choose(account_id=chosen, account_name="Everybody else")
    house.salesforce.refuse_rows(GONE, lambda new: new.fields["Email"] == MAX, times=2)
    house.owe("m-1", Action.ADD_CONTACT, address=MAX)
    house.owe("m-2", Action.ADD_CONTACT, address="two@gmail.com")
    house.drain()
    assert [entry.note for entry in house.entries()] == ["without_account", None]
    assert row(house, "Contact", "two@gmail.com")["AccountId"] == chosen
    with house.database.read() as session:
        known = accounts.kept(session, house.connection_id, [], house.runtime.times)
    assert not known.gone


@pytest.mark.both_databases
def test_a_chosen_account_that_no_refusal_names_costs_one_more_send_for_one_person(
    described: House,
) -> None:
    house = described
    chosen = house.salesforce.add("Account", Name="Everybody else")
    house.choose(account_id=chosen, account_name="Everybody else")
    house.salesforce.refuse_rows(GONE, with_account(chosen), times=None)
    house.owe("m-1", address=MAX)
    house.drain()
    assert verbs(house).count("create_many") == 3, "the Contact twice, and its Task"
    house.salesforce.calls.clear()
    for number in range(2):
        house.owe(f"m-{number + 2}", Action.ADD_CONTACT, address=f"p{number}@gmail.com")
    house.drain()
    assert verbs(house) == ["find", "create_many"]
    notes = [entry.note for entry in house.entries() if entry.action == Action.ADD_CONTACT]
    assert notes == ["without_account", "chosen_account_gone", "chosen_account_gone"]
    assert {entry.state for entry in house.entries()} == {"done"}
    with house.database.read() as session:
        known = accounts.kept(session, house.connection_id, [], house.runtime.times)
    assert list(known.gone) == [chosen]


def test_a_domain_of_which_there_is_too_much_is_asked_apart_and_then_comes_later(
    described: House,
) -> None:
    house = described
    account = house.salesforce.add("Account", Name="Customer")
    colleagues(house, account)
    house.choose(**BY_DOMAIN)
    house.salesforce.crowded = {"customer.example": 4}
    house.owe("m-1", address=JANE)
    house.owe("m-2", Action.ADD_CONTACT, address="bo@other.example")
    house.drain()
    assert verbs(house).count("accounts") == 3, "at most so many a batch"
    assert house.states() == [
        ("pending", "account_open"),
        ("pending", "contact_first"),
        ("done", "created"),
    ]
    house.pass_time(10)
    house.drain()
    assert row(house, "Contact", JANE)["AccountId"] == account
    assert {state for state, _ in house.states()} == {"done"}


def test_where_accounts_are_not_told_in_time_the_next_step_decides(described: House) -> None:
    house = described
    chosen = house.salesforce.add("Account", Name="Everybody else")
    house.salesforce.fail("accounts", SalesforceUnavailable(), times=2)
    house.choose(**BY_DOMAIN)
    house.owe("m-1", Action.ADD_CONTACT, address=JANE)
    house.drain()
    house.choose(account_id=chosen)
    house.owe("m-2", Action.ADD_CONTACT, address=JOE)
    house.drain()
    first, second = house.entries()
    assert (first.state, first.note) == ("done", "account_unanswered")
    assert (second.state, second.note) == ("done", None)
    assert row(house, "Contact", JANE)["AccountId"] is None
    assert row(house, "Contact", JOE)["AccountId"] == chosen


@pytest.mark.both_databases
def test_what_is_not_told_in_time_is_not_asked_by_every_batch_nor_waited_for_without_end(
    described: House,
) -> None:
    house = described
    crowds = [f"crowd{number}.example" for number in range(6)]
    house.salesforce.crowded = dict.fromkeys(crowds, 9)
    house.salesforce.meanwhile(
        "accounts answered", lambda: house.salesforce.fail("accounts", SalesforceUnavailable())
    )
    house.choose(**BY_DOMAIN)
    for number, domain in enumerate(crowds):
        house.owe(f"m-{number}", Action.ADD_CONTACT, address=f"a@{domain}")
    house.drain()
    assert {entry.state for entry in house.entries()} == {"done"}
    assert {entry.note for entry in house.entries()} == {"account_unanswered"}
    assert verbs(house).count("accounts") == 2
    house.owe("m-7", Action.ADD_CONTACT, address=f"b@{crowds[0]}")
    house.drain()
    assert verbs(house).count("accounts") == 2, "known not to be answered"
    assert house.entries()[-1].note == "account_unanswered"
    house.salesforce.crowded.clear()
    with house.database.write() as session:
        for known in session.query(DomainAccount):
            known.told_at -= timedelta(minutes=15)
    house.owe("m-8", Action.ADD_CONTACT, address=f"c@{crowds[0]}")
    house.drain()
    assert verbs(house).count("accounts") == 3
    assert house.entries()[-1].note is None


@pytest.mark.both_databases
def test_as_leads_people_are_added_with_a_company_and_their_mail_waits_for_a_contact(
    described: House,
) -> None:
    house = described
    house.salesforce.add("Account", Name="Customer Inc.", Website="customer.example")
    house.choose(add_as=AddAs.LEAD, **BY_DOMAIN)
    house.owe("m-1", address=JANE)
    house.owe("m-2", Action.ADD_CONTACT, address="bo@acme-tools.example")
    house.owe("m-3", Action.ADD_CONTACT, address=MAX)
    house.owe("m-4", Action.ADD_CONTACT, address=JANE)
    house.drain()
    assert not house.salesforce.rows("Contact")
    companies = {one["Email"]: one["Company"] for one in house.salesforce.rows("Lead")}
    assert companies == {
        JANE: "Customer Inc.",
        "bo@acme-tools.example": "Acme Tools",
        MAX: "Jane Doe",
    }
    assert house.states() == [
        ("done", "created"),
        ("waiting", "no_contact"),
        ("done", "created"),
        ("done", "created"),
        ("done", "exists"),
    ]
    house.owe("m-5", Action.ADD_CONTACT, address=JANE)
    house.drain()
    assert house.states()[-1] == ("done", "exists")
    assert len(house.salesforce.rows("Lead")) == 3


def test_a_lead_whose_answer_was_lost_is_found_and_counts_as_created(described: House) -> None:
    house = described
    house.choose(add_as=AddAs.LEAD)
    house.salesforce.fail("create_many", OutcomeUnclear(), after=True)
    house.owe("m-1", Action.ADD_CONTACT, address=JANE)
    house.drain()
    house.pass_time(40)
    house.drain()
    assert len(house.salesforce.rows("Lead")) == 1
    assert house.states() == [("done", "created")]


def test_chosen_values_fill_what_the_message_does_not_give(described: House) -> None:
    house = described
    source = next(
        value.value
        for value in shipped_schemas()["Contact"].fields["LeadSource"].picklist
        if value.active
    )
    house.choose(
        defaults={
            "Contact": {
                "LeadSource": source,
                "FirstName": "Nobody",
                "Department": "Buying",
                "Gone__c": "x",
            },
            "Task": {"Subject": "Other", "CallDisposition": "By mail"},
        }
    )
    house.owe("m-1", address=JANE)
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]
    contact = row(house, "Contact", JANE)
    assert (contact["FirstName"], contact["LeadSource"]) == ("Jane", source)
    assert contact["Department"] == "Buying"
    [task] = house.tasks()
    assert task["CallDisposition"] == "By mail"
    assert task["Subject"] != "Other"


def test_a_chosen_value_that_the_org_no_longer_has_is_left_out(described: House) -> None:
    house = described
    house.choose(defaults={"Lead": {"Rating": "Lukewarm"}, "Contact": {"LeadSource": "Old list"}})
    house.owe("m-1", Action.ADD_CONTACT, address=JANE)
    house.drain()
    assert house.states() == [("done", "created")]


def describe_with(house: House, spec: FieldSpec, *, ago: timedelta = timedelta(0)) -> None:
    """The org's Contacts have this field, and were described so long ago."""
    contact = house.salesforce.org.schemas["Contact"]
    fields = {**contact.fields, spec.name: spec}
    house.salesforce.org.schemas["Contact"] = replace(contact, fields=fields)
    house.salesforce.metadata_changed = f"the {len(spec.picklist)} values of today"
    schema_cache.refresh_soon(house.database, house.connection_id)
    schema_cache.describe(house.runtime, house.connection_id)
    with house.database.write() as session:
        session.execute(update(SchemaLoad).values(finished_at=now(session) - ago))


def test_a_value_that_its_list_lost_a_second_ago_is_left_out_once_that_is_known(
    described: House,
) -> None:
    house = described
    spec = replace(shipped_schemas()["Contact"].fields["LeadSource"], restricted=True)
    describe_with(house, spec, ago=timedelta(minutes=2))
    house.choose(defaults={"Contact": {"LeadSource": spec.picklist[0].value}})
    shorter = replace(spec, picklist=spec.picklist[1:])
    contact = house.salesforce.org.schemas["Contact"]
    house.salesforce.org.schemas["Contact"] = replace(
        contact, fields={**contact.fields, spec.name: shorter}
    )
    house.salesforce.metadata_changed = "a second ago"
    house.owe("m-1", address=JANE)
    house.owe("m-2", address=JOE)
    house.drain()
    assert ("pending", "schema_stale") in house.states()
    assert house.queue.jobs == [("describe", house.connection_id)]  # once for all
    schema_cache.describe(house.runtime, house.connection_id)
    house.pass_time(60)
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")] * 2
    assert row(house, "Contact", JANE)["LeadSource"] is None


def test_a_value_that_salesforce_never_takes_fails_with_its_words(described: House) -> None:
    """Such as one that the list has, but not for this record type: described once, no more."""
    house = described
    never = Complaint("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "bad value", ("LeadSource",))
    house.salesforce.refuse_rows(RecordRejected(complaints=(never,)), times=None)
    house.owe("m-1", Action.ADD_CONTACT, address=JANE)
    for _ in range(7):
        house.drain()
        house.pass_time(600)
    [entry] = house.entries()
    assert (entry.state, entry.reason) == ("failed", "rejected")
    assert entry.words == [[never.code, never.message, ["LeadSource"]]]
    assert not house.queue.jobs  # it was described less than a minute ago
