"""Adding the conversation's address to a chosen record, and replacing its Email: never unseen."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import lxml.html
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from keeping_plugin.errors import (
    Complaint,
    OutcomeUnclear,
    RecordChanged,
    RecordRejected,
    SalesforceUnavailable,
)
from keeping_plugin.models import AuditRecord, Installation
from keeping_plugin.services.people import address_fields, finding
from tests.blueprints.inbox import ADMIN, CUSTOMER, Inbox, post, token, url
from tests.fake_salesforce.org import DuplicateRule

JSON = {"Accept": "application/json"}
FIELD = "Second_Email__c"
SETTINGS = "/salesforce/settings/finding"


@pytest.fixture
def named(inbox: Inbox) -> Inbox:
    """Agents search, and an admin has named a field of Contacts."""
    with inbox.database.write() as session:
        finding.allow_search(session, ADMIN, wanted=True)
        finding.name_address_field(session, ADMIN, "Contact", FIELD)
        assert finding.find_by(session, ADMIN, inbox.salesforce.org.schemas["Contact"], FIELD)
    return inbox


@pytest.fixture
def ada(inbox: Inbox) -> str:
    return inbox.salesforce.add(
        "Contact", FirstName="Ada", LastName="Byron", Email="ada@old.example"
    )


def choose(inbox: Inbox, ada: str, then: str = "/pick", **form: str) -> FlaskClient:
    """Find her by name and say that this is her."""
    client = inbox.client()
    client.get(url())
    client.get(url("/find?q=byron"))
    inbox.salesforce.calls.clear()
    answer = post(client, then, {"record": f"Contact/{ada}", **form})
    assert answer.status_code in {200, 303}, answer.text
    return client


def written(inbox: Inbox) -> list[tuple[str, list[str], str]]:
    with inbox.database.read() as session:
        rows = session.scalars(select(AuditRecord).where(AuditRecord.action == "record_updated"))
        return [(row.agent_id, row.fields or [], row.detail) for row in rows]


def test_find_and_add_the_address_costs_one_request_and_the_card(named: Inbox, ada: str) -> None:
    client = choose(named, ada, "/address", do="add")
    assert named.calls() == ["panel", "update"]
    kept = named.salesforce.fields("Contact", ada)
    assert (kept["Email"], kept[FIELD]) == ("ada@old.example", CUSTOMER.email)
    assert written(named) == [("gus", [FIELD], "")]
    named.salesforce.calls.clear()
    page = client.get(url()).text
    assert named.calls() == ["panel"]
    assert "Chosen for" in page
    assert "Add the address" not in page
    assert "Replace the address" not in page
    again = post(client, "/address", {"do": "add"})
    assert "already has this address" in again.text
    assert written(named) == [("gus", [FIELD], "")], "nothing is written twice"
    assert post(client, "/unpick", {}).status_code == 303
    found = client.get(url(), headers=JSON).json
    assert found["match"]["person"]["id"] == ada, "now the field finds her"
    assert (found["state"], found["candidates"], found["chosen"]) == ("matched", [], False)


def test_adding_the_address_is_offered_only_once_a_field_is_selected(
    inbox: Inbox, ada: str
) -> None:
    with inbox.database.write() as session:
        finding.allow_search(session, ADMIN, wanted=True)
    client = inbox.client()
    assert "and add the address" not in client.get(url("/find?q=byron")).text
    client = choose(inbox, ada)
    page = client.get(url()).text
    assert "Add the address" not in page
    assert "Replace the address" in page
    assert post(client, "/address", {"do": "add"}).status_code == 404
    with inbox.database.write() as session:
        finding.name_address_field(session, ADMIN, "Contact", FIELD)
    assert client.get(url("/find?q=byron"), headers=JSON).json["records"][0]["addable"] is True
    ways = client.get(url(), headers=JSON).json["address_ways"]
    assert [(way["do"], way["field"], way["reason"]) for way in ways] == [
        ("add", FIELD, None),
        ("replace", "Email", None),
    ]
    inbox.salesforce.calls.clear()
    assert "address was saved" in post(client, "/address", {"do": "add"}).text
    assert inbox.calls() == ["panel", "update"]


def test_another_value_is_shown_before_it_is_overwritten(named: Inbox, ada: str) -> None:
    named.salesforce.update("Contact", ada, **{FIELD: "ada@home.example"})
    client = choose(named, ada, "/pick")
    asked = post(client, "/address", {"do": "add"})
    assert asked.status_code == 409
    assert "ada@home.example" in asked.text
    assert named.salesforce.fields("Contact", ada)[FIELD] == "ada@home.example"
    named.salesforce.update("Contact", ada, **{FIELD: "ada@third.example"})
    stale = post(client, "/address", {"do": "add", "seen": "ada@home.example"}, headers=JSON)
    assert (stale.status_code, stale.json["seen"]) == (409, "ada@third.example")
    done = post(client, "/address", {"do": "add", "seen": "ada@third.example"})
    assert done.status_code == 200
    assert named.salesforce.fields("Contact", ada)[FIELD] == CUSTOMER.email
    assert written(named) == [("gus", [FIELD], "")]


def test_the_email_is_replaced_after_confirming_and_nothing_is_duplicated(
    named: Inbox, ada: str
) -> None:
    client = choose(named, ada)
    client.get(url())
    named.salesforce.calls.clear()
    look = client.get(url("/address?do=replace"))
    assert look.status_code == 200
    assert named.calls() == [], "the look costs nothing"
    seen = re.search(r'name="seen" value="([^"]*)"', look.text)
    assert seen is not None
    assert html.unescape(seen[1]) == "ada@old.example"
    assert post(client, "/address", {"do": "replace"}).status_code == 409, "never unseen"
    assert written(named) == []
    named.salesforce.calls.clear()
    answer = post(client, "/address", {"do": "replace", "seen": seen[1]})
    assert named.calls() == ["panel", "update"]
    assert CUSTOMER.email in answer.text
    assert named.salesforce.fields("Contact", ada)["Email"] == CUSTOMER.email
    assert written(named) == [("gus", ["Email"], "")]
    # Undo restores what it held; here what somebody else has saved since is shown, not overwritten.
    way_back = f"/Contact/{ada}/edit/Email"
    [form] = lxml.html.fromstring(answer.text).xpath(
        f"//form[@action='{url(way_back)}' and .//button[text()='Undo']]"
    )
    ticket = {"undo": form.fields["undo"]}
    named.salesforce.update("Contact", ada, Email="ada@third.example")
    assert "ada@third.example" in post(client, way_back, ticket).text
    assert named.salesforce.fields("Contact", ada)["Email"] == "ada@third.example"
    named.salesforce.update("Contact", ada, Email=CUSTOMER.email)
    assert post(client, way_back, ticket).status_code == 200
    assert named.salesforce.fields("Contact", ada)["Email"] == "ada@old.example"
    named.salesforce.update("Contact", ada, Email=CUSTOMER.email)
    assert post(client, "/unpick", {}).status_code == 303
    shown = client.get(url(), headers=JSON).json
    assert (shown["state"], shown["match"]["person"]["id"]) == ("matched", ada)
    assert [row["Id"] for row in named.salesforce.rows("Contact")] == [ada]


def test_a_record_that_changes_meanwhile_is_read_again(named: Inbox, ada: str) -> None:
    client = choose(named, ada)
    named.salesforce.meanwhile(
        "update", lambda: named.salesforce.update("Contact", ada, Title="Countess")
    )
    named.salesforce.fail("update", RecordChanged(), times=1)
    named.salesforce.calls.clear()
    assert post(client, "/address", {"do": "add"}).status_code == 200
    assert named.calls() == ["panel", "update", "read", "update"]
    assert named.salesforce.fields("Contact", ada)[FIELD] == CUSTOMER.email


def test_without_the_right_it_is_not_offered_and_says_why(named: Inbox, ada: str) -> None:
    schemas = named.salesforce.org.schemas
    contact = schemas["Contact"]
    locked = {
        name: replace(contact.fields[name], updateable=False, createable=False)
        for name in (FIELD, "Email")
    }
    client = choose(named, ada)
    named.describe({**schemas, "Contact": replace(contact, fields={**contact.fields, **locked})})
    page = client.get(url()).text
    assert "k-address-" not in page
    assert "cannot be added: <bdi>Second E-mail</bdi>, No permission." in page
    assert "cannot be replaced: <bdi>Email</bdi>, No permission." in page
    assert "and add the address" not in client.get(url("/find?q=byron")).text
    for way in ("add", "replace"):
        assert post(client, "/address", {"do": way, "seen": "x"}).status_code == 400
    assert written(named) == []
    fields = {name: spec for name, spec in contact.fields.items() if name != FIELD}
    named.describe({**schemas, "Contact": replace(contact, fields=fields)})
    assert f"cannot be added: <bdi>{FIELD}</bdi>, Not visible." in client.get(url()).text


def test_what_salesforce_refuses_is_told_and_the_choice_stands(named: Inbox, ada: str) -> None:
    words = Complaint("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Ask sales first", (FIELD,))
    named.salesforce.fail("update", RecordRejected(complaints=(words,)), times=1)
    client = choose(named, ada)
    answer = post(client, "/address", {"do": "add"})
    assert answer.status_code == 422
    assert "Ask sales first" in answer.text
    named.salesforce.fail("panel", SalesforceUnavailable(), times=1)
    assert post(client, "/address", {"do": "add"}).status_code == 503
    named.salesforce.fail("update", OutcomeUnclear(), times=1, after=True)
    assert post(client, "/address", {"do": "add"}, headers=JSON).status_code == 504
    assert written(named) == [("gus", [FIELD], "outcome_unclear")]
    assert client.get(url(), headers=JSON).json["chosen"] is True


def test_a_duplicate_rules_refusal_is_shown_and_may_be_overruled(named: Inbox, ada: str) -> None:
    client = choose(named, ada)
    named.salesforce.add("Contact", LastName="Twin", Email=CUSTOMER.email)
    named.salesforce.org.duplicate_rules.append(DuplicateRule("Contact", ("Email",)))
    client.get(url())
    assert "1 other record already has this address" in client.get(url("/address?do=replace")).text
    said = {"do": "replace", "seen": "ada@old.example"}
    answer = post(client, "/address", said, headers=JSON)
    assert (answer.status_code, answer.json["may_save_anyway"]) == (409, True)
    assert post(client, "/address", {**said, "save_anyway": "1"}).status_code == 200
    assert named.salesforce.fields("Contact", ada)["Email"] == CUSTOMER.email


def test_nobody_writes_onto_a_record_that_was_not_chosen(named: Inbox, ada: str) -> None:
    client = named.client()
    client.get(url())
    assert post(client, "/address", {"do": "add"}).status_code == 404
    unsought = {"do": "add", "record": f"Contact/{ada}"}
    assert post(client, "/address", unsought).status_code == 404
    choose(named, ada)
    for way in ("", "everything", "Email"):
        assert post(client, "/address", {"do": way, "seen": ""}).status_code == 404
    with named.database.write() as session:
        finding.allow_search(session, ADMIN, wanted=False)
    assert "k-address-" not in client.get(url()).text
    assert post(client, "/address", {"do": "add"}).status_code == 404
    assert written(named) == []


def test_an_admin_names_a_field_of_type_email_that_can_be_edited(inbox: Inbox) -> None:
    admin = inbox.client(ADMIN)
    page = admin.get(SETTINGS).text
    assert "Second E-mail (Second_Email__c)" in page
    assert 'value="Email"' not in page
    assert "Leads: no further field of type Email" in page
    data = {"search": "on", "address_Contact": FIELD, "csrf_token": token(admin)}
    assert admin.post(SETTINGS, data=data).status_code == 303
    with inbox.database.read() as session:
        assert finding.load(session, "acme") == (True, {"Contact": FIELD}, {"Contact": (FIELD,)})
        rows = session.scalars(select(AuditRecord).order_by(AuditRecord.id)).all()
        assert [(row.action, row.object, row.fields) for row in rows] == [
            ("search_switched", "", None),
            ("address_field_named", "Contact", [FIELD]),
            ("address_fields_chosen", "Contact", [FIELD]),
        ]
    for field in ("Email", "Phone", "Nothing__c"):
        assert admin.post(SETTINGS, data={**data, "address_Contact": field}).status_code == 400
    schemas = inbox.salesforce.org.schemas
    fields = {name: spec for name, spec in schemas["Contact"].fields.items() if name != FIELD}
    inbox.describe({**schemas, "Contact": replace(schemas["Contact"], fields=fields)})
    assert "can no longer edit this field" in admin.get(SETTINGS).text
    assert admin.post(SETTINGS, data=data).status_code == 303, "what is named stays"
    assert admin.post(SETTINGS, data={**data, "address_Contact": ""}).status_code == 303
    with inbox.database.write() as session:
        assert finding.load(session, "acme").add_to == {}
        session.get_one(Installation, 1).contract = 0  # processes of 0.1.0 may run
        address_fields.save(session, ADMIN, "Contact", ())
    inbox.describe(schemas)
    assert admin.post(SETTINGS, data=data).status_code == 303
    assert "is matched by the agent’s choice only" in admin.get(SETTINGS).text


def test_nothing_is_written_onto_a_record_that_a_colleague_chose_meanwhile(
    named: Inbox, ada: str
) -> None:
    """Neither unasked nor over a value that happens to be the same; and their choice stands."""
    client = choose(named, ada)
    assert f'name="id" value="{ada}"' in client.get(url()).text
    assert f'name="id" value="{ada}"' in client.get(url("/address?do=replace")).text
    org = named.salesforce
    bob = org.add("Contact", FirstName="Bob", LastName="Byron", Email="ada@old.example")
    choose(named, bob)
    for said in ({"do": "add"}, {"do": "replace", "seen": "ada@old.example"}):
        asked = post(client, "/address", {**said, "id": ada}, headers=JSON)
        assert (asked.status_code, asked.json["id"]) == (409, bob)
    assert "Another record was chosen" in post(client, "/address", {"do": "add", "id": ada}).text
    assert written(named) == []
    post(client, "/unpick", {"id": ada})
    assert client.get(url(), headers=JSON).json["match"]["person"]["id"] == bob
    assert post(client, "/address", {"do": "add", "id": bob}).status_code == 200
    assert named.salesforce.fields("Contact", bob)[FIELD] == CUSTOMER.email
    for body in (b'{"id": "%b"}' % ada.encode(), b""):
        headers = {**JSON, "X-CSRF-Token": token(client), "Content-Type": "application/json"}
        left = client.post(url("/unpick"), data=body, headers=headers).json
        assert left["chosen"] is bool(body)
