"""People without an Account, without JavaScript: look, attach some, take back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import html

from keeping_plugin.errors import SalesforceUnavailable
from keeping_plugin.models import Connection, ConnectionStatus
from keeping_plugin.types import Action
from tests.blueprints.inbox import ADMIN, INSTANCE, Inbox, token
from tests.blueprints.ledger import Ledger
from tests.blueprints.settings.test_undo import page, read

REPAIR = "/salesforce/settings/repair"


def added(inbox: Inbox, name: str, address: str) -> str:
    """A Contact that the automation made without an Account; its id."""
    contact = inbox.salesforce.add("Contact", LastName=name, Email=address)
    ledger = Ledger(inbox.database, inbox.connection_id)
    ledger.entry(Action.ADD_CONTACT, record_id=contact, reason="created", address=address)
    return contact


@pytest.fixture
def people(inbox: Inbox) -> tuple[str, str, str]:
    """Jane and Joe of one company, which has an Account, and Kim of none; Jane, Joe, Account."""
    account = inbox.salesforce.add("Account", Name="Acme <Ltd>", Website="acme.example")
    jane, joe = (added(inbox, name, f"{name}@acme.example") for name in ("jane", "joe"))
    added(inbox, "kim", "kim@nowhere.example")
    return jane, joe, account


def post(inbox: Inbox, **data: object) -> str:
    client = inbox.client(ADMIN)
    answer = client.post(REPAIR, data={**data, "csrf_token": token(client)})
    assert answer.status_code == 303, answer.text
    return read(html.fromstring(client.get(answer.location).text))


def test_people_are_attached_after_a_look_and_taken_back(
    inbox: Inbox, people: tuple[str, str, str]
) -> None:
    jane, joe, account = people
    assert REPAIR in page(inbox, "/salesforce/settings/").xpath("//a/@href")
    found = page(inbox, REPAIR)
    assert "3 added people checked on this page, 3 of them without an Account." in read(found)
    assert "its Website is this email domain" in read(found)
    assert read(found).count("No Account is proposed") == 1
    assert f"{INSTANCE}/lightning/r/Account/{account}/view" in found.xpath("//a/@href")
    offered = found.xpath("//input[@name='attach']/@value")
    assert sorted(offered) == sorted([f"{jane}:{account}", f"{joe}:{account}"])
    after = post(inbox, do="attach", attach=[f"{jane}:{account}"])
    assert "1 person has an Account now." in after
    assert inbox.salesforce.fields("Contact", jane)["AccountId"] == account
    assert inbox.salesforce.fields("Contact", joe)["AccountId"] is None
    assert "Attached here" in after
    back = post(inbox, do="take_back", attached=[jane])
    assert "1 person has no Account again." in back
    assert inbox.salesforce.fields("Contact", jane)["AccountId"] is None
    assert "Choose at least one person." in post(inbox, do="attach")
    audit = read(page(inbox, "/salesforce/settings/audit"))
    assert "an Account was attached" in audit
    assert "an attached Account was taken back" in audit


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("silent", "Salesforce is not responding"),
        ("no right", "cannot edit the Account of a Contact"),
    ],
)
def test_where_it_cannot_be_done_the_page_says_why(
    inbox: Inbox, people: tuple[str, str, str], case: str, sentence: str
) -> None:
    if case == "silent":
        inbox.salesforce.fail("read_many", SalesforceUnavailable())
    else:
        schemas = dict(inbox.salesforce.org.schemas)
        contact = schemas["Contact"]
        lookup = replace(contact.fields["AccountId"], updateable=False)
        fields = {**contact.fields, "AccountId": lookup}
        inbox.describe({**schemas, "Contact": replace(contact, fields=fields)})
    found = page(inbox, REPAIR)
    assert sentence in read(found)
    assert not found.xpath("//button[@value='attach']")


def test_without_a_connection_it_leads_back(inbox: Inbox) -> None:
    with inbox.database.write() as session:
        connection = session.get_one(Connection, inbox.connection_id)
        connection.current, connection.status = False, ConnectionStatus.DISCONNECTED
    answer = inbox.client(ADMIN).get(REPAIR)
    assert (answer.status_code, answer.location) == (303, "/salesforce/settings/")
