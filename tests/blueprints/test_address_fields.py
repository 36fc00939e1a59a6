"""People are also found by the address fields that an admin ticks: the tab, and the panel."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import event, select, update

from keeping_plugin.models import (
    AuditRecord,
    Installation,
    SchemaDocument,
    SchemaLoad,
    SyncEntry,
    now,
)
from keeping_plugin.services.people import address_fields
from keeping_plugin.services.schema.describe import describe
from tests.blueprints.inbox import ADMIN, AGENT, CUSTOMER, Inbox, post, token, url
from tests.blueprints.ledger import Ledger
from tests.fake_salesforce.addresses import with_email_fields, without_fields

TAB = "/salesforce/settings/fields/Contact"
JSON = {"Accept": "application/json"}
FIVE = ("One__c", "Two__c", "Three__c", "Four__c", "Five__c")


@pytest.fixture
def many(inbox: Inbox) -> Inbox:
    """An org whose people have five address fields beside Email."""
    beside_0_1_0(inbox, 1)
    org = inbox.salesforce.org
    org.schemas = with_email_fields(org.schemas, *FIVE)
    inbox.describe(org.schemas)
    return inbox


def beside_0_1_0(inbox: Inbox, contract: int) -> None:
    with inbox.database.write() as session:
        session.execute(update(Installation).values(contract=contract))


def tick(inbox: Inbox, *names: str, objects: tuple[str, ...] = ("Contact", "Lead")) -> None:
    with inbox.database.write() as session:
        for object in objects:
            address_fields.save(session, ADMIN, object, names)


def panel(inbox: Inbox) -> tuple[dict[str, Any], int]:
    """The panel's JSON, and what it asked of Salesforce."""
    before = inbox.salesforce.used
    answer: dict[str, Any] = inbox.client(AGENT).get(url(), headers=JSON).json
    return answer, inbox.salesforce.used - before


def save(client: FlaskClient, seen: str = "", **data: Any) -> Any:
    fields = ["LastName", "Email"]
    sent = {"fields": fields, "seen_finds": seen, "do": "save", "csrf_token": token(client), **data}
    return client.post(TAB, data=sent)


def ticked(inbox: Inbox, object: str = "Contact") -> tuple[str, ...]:
    with inbox.database.read() as session:
        return address_fields.load(session, "acme").get(object, ())


def test_a_person_is_found_by_a_ticked_field_in_one_request_more(many: Inbox) -> None:
    jane = many.salesforce.add("Contact", LastName="Doe", Two__c="JANE@acme.example", Five__c="x")
    assert panel(many)[0]["state"] == "no_match"
    assert panel(many)[1] == 1, "nothing ticked: one request, as ever"
    tick(many, *FIVE)
    shown, asked = panel(many)
    assert (shown["state"], shown["match"]["person"]["id"], asked) == ("matched", jane, 2)
    assert shown["found_by"] == {jane: "Two__c"}
    assert f"Found by <bdi>Two</bdi>: <bdi>{CUSTOMER.email}</bdi>" in many.client().get(url()).text
    # The last card says so too.
    card = many.card()
    assert card is not None
    assert card.found[0].by == "Two__c"
    many.salesforce.add("Contact", LastName="Email", Email=CUSTOMER.email)
    shown, asked = panel(many)
    assert (shown["state"], shown["found_by"], asked) == ("matched", {}, 1)


def test_nothing_ticked_costs_the_panel_no_statement(many: Inbox) -> None:
    many.salesforce.add("Contact", LastName="Email", Email=CUSTOMER.email)
    statements: list[str] = []

    def note(_c: Any, _x: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    with many.database.read() as session:
        event.listen(session.get_bind(), "before_cursor_execute", note)

    def counted() -> tuple[int, int]:
        panel(many)
        statements.clear()
        return panel(many)[1], len(statements)

    off = counted()
    tick(many, *FIVE)
    assert counted() == off
    assert sum("keeping_finding_policy" in each for each in statements) == 1


def test_several_are_shown_and_one_person_once(many: Inbox) -> None:
    tick(many, "One__c", "Two__c")
    one = many.salesforce.add(
        "Contact", LastName="One", One__c=CUSTOMER.email, Two__c=CUSTOMER.email
    )
    assert panel(many)[0]["state"] == "matched"
    two = many.salesforce.add("Contact", LastName="Two", Two__c=CUSTOMER.email)
    lead = many.salesforce.add("Lead", LastName="Lead", Company="C", Email=CUSTOMER.email)
    shown, asked = panel(many)
    assert (shown["state"], asked) == ("several", 2)
    assert {person["id"] for person in shown["candidates"][:2]} == {one, two}, "Contacts first"
    assert shown["candidates"][2]["id"] == lead
    assert shown["found_by"] == {one: "One__c", two: "Two__c"}
    assert "Found by <bdi>Two</bdi>" in many.client().get(url()).text
    # The agent's choice comes first, and leaves nothing to ask.
    assert post(many.client(), "/pick", {"record": f"Lead/{lead}"}).status_code == 303
    shown, asked = panel(many)
    assert (shown["state"], shown["chosen"], asked) == ("lead", True, 1)


def test_a_panel_with_one_contact_releases_what_waits_and_one_with_several_none(
    many: Inbox,
) -> None:
    """As many as the delivery would log on: a release that it cannot use would be in vain."""
    tick(many, "One__c")
    Ledger(many.database, many.connection_id).entry(state="waiting")

    def state() -> str:
        panel(many)
        with many.database.read() as session:
            return str(session.scalar(select(SyncEntry.state)))

    assert state() == "waiting"
    first, _ = (many.salesforce.add("Contact", LastName=n, One__c=CUSTOMER.email) for n in "AB")
    assert state() == "waiting"
    assert "mail is not logged on any of these" in many.client().get(url()).text
    many.salesforce.delete("Contact", first)
    assert state() == "pending"


def test_a_field_that_is_gone_leaves_the_panel_and_the_others(many: Inbox) -> None:
    tick(many, "One__c", "Two__c")
    jane = many.salesforce.add("Contact", LastName="Doe", Two__c=CUSTOMER.email)
    many.salesforce.org.schemas = without_fields(many.salesforce.org.schemas, "One__c")
    shown, _ = panel(many)
    assert (shown["state"], shown["match"]["person"]["id"]) == ("matched", jane)
    assert shown["dropped"] == [], "agents never saw that field"
    assert ("describe", many.connection_id) in many.queue.jobs


def test_an_agent_adds_nobody_who_is_known_under_another_address(many: Inbox) -> None:
    client = many.client()
    client.get(url())
    tick(many, "One__c")
    jane = many.salesforce.add("Contact", LastName="Doe", One__c=CUSTOMER.email)
    fields = {"sf_LastName": "Doe", "sf_Email": CUSTOMER.email}
    post(client, "/new/Contact", fields)
    assert [row["Id"] for row in many.salesforce.rows("Contact")] == [jane]


def test_an_admin_ticks_fields_and_reads_what_each_costs(many: Inbox) -> None:
    schemas = many.salesforce.org.schemas
    for name, more in {
        "Slow__c": {"external_id": False, "id_lookup": False},
        "Formula__c": {"calculated": True},
        "Shielded__c": {"encrypted": True, "filterable": False},
        "Exact__c": {"encrypted": True},
    }.items():
        schemas = with_email_fields(schemas, name, **more)
    many.describe(schemas)
    admin = many.client(ADMIN)
    page = html.fromstring(admin.get(TAB).text)
    [group] = page.xpath("//fieldset[legend='Also find people by']")
    boxes = {box.get("value"): box for box in group.xpath(".//input[@name='finds']")}
    assert "Email" not in boxes
    assert not any(box.get("checked") for box in boxes.values()), "off at first"

    def said(name: str) -> str:
        return "".join(group.xpath(f".//*[@id='k-finds-{name}']/text()"))

    assert said("One__c") == ""
    assert said("Slow__c").startswith("Not indexed")
    assert said("Formula__c").startswith("Formula:")
    assert said("Exact__c").startswith("Encrypted: ")
    assert said("Shielded__c").startswith("Not used: it is encrypted")
    assert boxes["Shielded__c"].get("disabled") is not None
    assert save(admin, finds=["One__c", "Slow__c"]).status_code == 303
    assert set(ticked(many)) == {"One__c", "Slow__c"}
    for bad in (["Shielded__c"], ["Phone"], ["Nope"], [*FIVE, "Slow__c"]):
        answer = save(admin, seen="One__c,Slow__c", finds=bad)
        assert answer.status_code == 422, bad
        assert 'role="alert"' in answer.text
    assert save(admin, seen="", finds=["Two__c"]).status_code == 409, "another admin was faster"
    admin.post(TAB, data={"fields": ["Email"], "do": "save", "csrf_token": token(admin)})
    assert set(ticked(many)) == {"One__c", "Slow__c"}, "a page without the choice changes none"
    assert save(admin, seen=",".join(ticked(many))).status_code == 303
    assert ticked(many) == ()
    with many.database.read() as session:
        rows = session.scalars(
            select(AuditRecord).where(AuditRecord.action == "address_fields_chosen")
        )
        told = [(row.agent_id, row.object, len(row.fields or ())) for row in rows]
    assert told == [(ADMIN.id, "Contact", 2), (ADMIN.id, "Contact", 0)]
    assert "Also find people by" not in admin.get(TAB.replace("Contact", "Account")).text


def test_nothing_is_ticked_while_processes_of_0_1_0_may_run(many: Inbox) -> None:
    """They find people by Email only, and would add again whom another field finds."""
    tick(many, "One__c")
    beside_0_1_0(many, 0)
    admin = many.client(ADMIN)
    page = admin.get(TAB).text
    assert "find people by Email only" in page
    assert save(admin, seen="One__c", finds=["One__c", "Two__c"]).status_code == 422
    assert ticked(many) == ("One__c",)
    assert save(admin, seen="One__c").status_code == 303, "taking one back is always possible"
    assert ticked(many) == ()


@pytest.mark.parametrize(
    ("change", "tag", "said"),
    [
        ("gone", "Removed", "it was deleted, or the connected user cannot see it"),
        ("unfilterable", "Cannot be filtered", "Salesforce cannot filter by it"),
        ("retyped", "Type changed", "it no longer holds email addresses"),
    ],
)
def test_changes_of_a_selected_field_are_reported(
    many: Inbox, change: str, tag: str, said: str
) -> None:
    tick(many, "One__c", objects=("Contact",))
    org = many.salesforce.org
    org.schemas = (
        without_fields(org.schemas, "One__c")
        if change == "gone"
        else with_email_fields(
            org.schemas, "One__c", **{"filterable": False} if "un" in change else {"type": "string"}
        )
    )
    with many.database.write() as session:
        session.execute(update(SchemaLoad).values(due_at=now(session)))
        session.execute(update(SchemaDocument).values(last_modified=""))
    with many.app.app_context():
        describe(many.runtime, many.connection_id)
    with many.database.read() as session:
        kept = session.scalars(select(SchemaDocument.changes).filter_by(object="Contact")).one()
    assert {one["kind"] for one in kept["changes"]} <= {"removed", "retyped"}, "0.1.0 reads them"
    admin = many.client(ADMIN)
    page = admin.get("/salesforce/settings/").text
    assert tag in page
    assert "People are no longer found by it; your choice is kept." in page
    tab = admin.get(TAB).text
    assert f"Not used: {said}" in tab
    assert panel(many)[1] == 1, "it is not asked for"
    admin = many.client(ADMIN)  # it stays ticked until they clear it
    assert save(admin, seen="One__c", finds=["One__c"]).status_code == 303
    assert ticked(many) == ("One__c",)
    assert save(admin, seen="One__c").status_code == 303
    assert ticked(many) == ()
