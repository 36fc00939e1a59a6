"""A field that is hidden for a while comes back to its place, chosen by hand or by default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from lxml import html
from sqlalchemy import delete

from keeping_plugin.models import FieldSelection
from keeping_plugin.services.schema import preflight, selection
from keeping_plugin.services.schema.preflight import Outcome
from tests.blueprints.inbox import ADMIN, CUSTOMER, Inbox, token, url
from tests.services.runtimes import make_runtime

TAB = "/salesforce/settings/fields/Contact"
DEFAULTS = ("FirstName", "LastName", "Email", "Phone", "MobilePhone", "Title")


@pytest.fixture(params=["never saved", "saved"])
def chosen(request: pytest.FixtureRequest, inbox: Inbox) -> str:
    """The Contact's tab: as it is by default, or with the same fields saved by hand."""
    with inbox.database.write() as session:
        session.execute(delete(FieldSelection))
    if request.param == "saved":
        inbox.choose("Contact", *DEFAULTS)
    return str(request.param)


def hide(inbox: Inbox, *names: str) -> None:
    """Field-level security takes them away, and the org is described again."""
    schemas = inbox.salesforce.org.schemas
    contact = schemas["Contact"]
    fields = {name: spec for name, spec in contact.fields.items() if name not in names}
    inbox.describe({**schemas, "Contact": replace(contact, fields=fields)})


def save(inbox: Inbox, *ticked: str, forget: Sequence[str] = ()) -> None:
    client = inbox.client(ADMIN)
    fields = {"fields": list(ticked), "forget": list(forget)}
    data = {"csrf_token": token(client), "do": "save", **fields}
    assert client.post(TAB, data=data).status_code == 303


def shown(inbox: Inbox) -> tuple[str, ...]:
    with inbox.database.read() as session:
        chosen = selection.load(session, "acme").get("Contact")
    return selection.choice(inbox.salesforce.org.schemas["Contact"], chosen).shown


@pytest.mark.field_case("A21")
def test_it_is_kept_through_a_save_and_comes_back_to_its_place(inbox: Inbox, chosen: str) -> None:
    hide(inbox, "Phone", "FirstName")
    save(inbox, "LastName", "Email", "MobilePhone", "Title", "Department")
    inbox.describe(inbox.salesforce.org.schemas)
    assert shown(inbox) == (*DEFAULTS, "Department")
    inbox.salesforce.add("Contact", LastName="Doe", Email=CUSTOMER.email, Phone="+31 20 555")
    assert "+31 20 555" in inbox.client().get(url()).text


@pytest.mark.field_case("A21")
def test_the_tab_says_what_is_out_of_sight_and_takes_it_off_on_request(
    inbox: Inbox, chosen: str
) -> None:
    hide(inbox, "Phone")
    page = html.fromstring(inbox.client(ADMIN).get(TAB).text)
    assert "cannot read Phone" in " ".join(page.text_content().split())
    assert page.xpath("//input[@name='forget']/@value") == ["Phone"]
    save(inbox, "LastName", "Email", forget=["Phone"])
    inbox.describe(inbox.salesforce.org.schemas)
    assert "Phone" not in shown(inbox)


@pytest.mark.field_case("A21")
def test_preflight_names_it(inbox: Inbox, chosen: str) -> None:
    schemas = inbox.salesforce.org.schemas
    contact = schemas["Contact"]
    fields = {name: spec for name, spec in contact.fields.items() if name != "Phone"}
    schemas["Contact"] = replace(contact, fields=fields)
    reading = make_runtime(inbox.database, times=inbox.runtime.times, gateways=inbox.salesforce)
    lines = {line.code: line for line in preflight.run(reading, inbox.connection_id).lines}
    assert lines["hidden_fields"].outcome is Outcome.FAILED
    assert "Contact.Phone" in lines["hidden_fields"].finding


@pytest.mark.field_case("A21")
def test_the_panel_leaves_it_out_and_shows_the_rest(inbox: Inbox, chosen: str) -> None:
    inbox.salesforce.add("Contact", LastName="Doe", Email=CUSTOMER.email, Title="Boss")
    hide(inbox, "Phone")
    page = inbox.client().get(url())
    assert page.status_code == 200
    assert "Boss" in page.text
    assert "Phone" not in [
        term.text_content().strip() for term in html.fromstring(page.text).xpath("//dt")
    ]
