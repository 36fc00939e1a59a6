"""The Automation tab says what the org would refuse before anything is switched on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html

from keeping_plugin.services.automation import policy
from keeping_plugin.services.automation.policy import MailboxAutomation
from tests.blueprints.inbox import ADMIN, Inbox, token
from tests.forms.samples import spec

TAB = "/salesforce/settings/automation?mailbox=support"


def require(inbox: Inbox, object: str, **said: Any) -> None:
    """The org has come to require a field of its own, and it was described."""
    schemas = inbox.salesforce.org.schemas
    given = {"name": "Order__c", "label": "Order number", "nillable": False, "custom": True} | said
    field = spec("string", length=20, **given)
    fields = {**schemas[object].fields, field.name: field}
    inbox.describe({**schemas, object: replace(schemas[object], fields=fields)})


def switches(inbox: Inbox) -> MailboxAutomation:
    with inbox.database.read() as session:
        return policy.mailbox_automation(session, "acme", "support")


def save(client: FlaskClient, *on: str) -> Any:
    return client.post(TAB, data={"csrf_token": token(client), **dict.fromkeys(on, "on")})


def described_by(page: Any, switch: str) -> str:
    (ids,) = page.xpath(f"//input[@name='{switch}']/@aria-describedby")
    return " ".join(page.get_element_by_id(one).text_content() for one in ids.split())


@pytest.mark.field_case("A9")
@pytest.mark.parametrize(
    ("object", "switch", "other"),
    [("Contact", "add_contacts", "log_tasks"), ("Task", "log_tasks", "add_contacts")],
)
def test_a_required_field_of_the_org_keeps_its_automation_from_being_switched_on(
    inbox: Inbox, object: str, switch: str, other: str
) -> None:
    require(inbox, object)
    client = inbox.client(ADMIN)
    page = html.fromstring(client.get(TAB).text)
    assert page.xpath(f"//input[@name='{switch}']/@disabled")
    assert not page.xpath(f"//input[@name='{other}']/@disabled")
    told = described_by(page, switch)
    assert f"“Order number” ({object}.Order__c)" in told
    assert "give Order__c a default value or make it optional" in told

    answer = save(client, switch, other)
    assert answer.status_code == 422
    assert switches(inbox) == MailboxAutomation()
    again = html.fromstring(answer.text)
    assert again.xpath("//*[@role='alert']")
    for name in (switch, other):  # as it was sent
        assert again.xpath(f"//input[@name='{name}']/@checked")

    assert save(client, other).status_code == 303
    assert getattr(switches(inbox), other)


@pytest.mark.field_case("A9")
def test_an_automation_that_is_on_already_can_stay_on_and_be_switched_off(inbox: Inbox) -> None:
    client = inbox.client(ADMIN)
    assert save(client, "add_contacts", "log_tasks").status_code == 303
    require(inbox, "Contact")
    page = html.fromstring(client.get(TAB).text)
    assert not page.xpath("//input[@name='add_contacts']/@disabled")
    assert "Contact.Order__c" in described_by(page, "add_contacts")
    assert save(client, "add_contacts").status_code == 303
    assert switches(inbox) == MailboxAutomation(add_contacts=True)
    assert save(client).status_code == 303
    assert switches(inbox) == MailboxAutomation()


@pytest.mark.field_case("A9")
def test_what_is_left_out_is_said_and_blocks_nothing(inbox: Inbox) -> None:
    schemas = inbox.salesforce.org.schemas
    fields = {name: one for name, one in schemas["Task"].fields.items() if name != "Description"}
    inbox.describe({**schemas, "Task": replace(schemas["Task"], fields=fields)})
    client = inbox.client(ADMIN)
    page = html.fromstring(client.get(TAB).text)
    assert "messages are logged without their text" in described_by(page, "log_tasks")
    assert save(client, "log_tasks").status_code == 303
    assert switches(inbox).log_tasks


def test_nothing_is_held_against_an_org_that_nobody_has_described(unconnected: Inbox) -> None:
    client = unconnected.client(ADMIN)
    page = html.fromstring(client.get(TAB).text)
    assert not page.xpath("//input[@disabled]")
    assert save(client, "add_contacts", "log_tasks").status_code == 303
