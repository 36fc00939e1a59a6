"""The others on a conversation: a row of names, and their cards on request."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lxml import html

from keeping_plugin.models import AuditRecord
from keeping_plugin.services.automation import skip_list
from keeping_plugin.services.schema import creating
from keeping_plugin.types import Address, Agent, Direction, Message
from tests.blueprints.inbox import ADMIN, AGENT, CUSTOMER, STRANGER, Inbox, post, token, url

JSON = {"Accept": "application/json"}
CARA = Address("cara@customer.example", "Cara Copied")
SENT = datetime(2026, 5, 6, 8, 0, tzinfo=UTC)


def write(inbox: Inbox, sender: Address, *recipients: Address) -> None:
    """A message of the conversation, later than those before."""
    number = len(inbox.desk.company("acme").messages)
    inbox.desk.add_message(
        Message(
            company_id="acme",
            mailbox_id="support",
            conversation_id="c-1",
            message_id=f"m{number}",
            direction=Direction.INBOUND,
            opens_conversation=not number,
            customer=CUSTOMER,
            sender=sender,
            recipients=recipients,
            sent_at=SENT + timedelta(minutes=number),
        )
    )


def people(inbox: Inbox, path: str = "") -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = inbox.client().get(path or url(), headers=JSON).json["people"]
    return shown


def address_of(inbox: Inbox, name: str) -> str:
    """Where somebody's card is."""
    return next(str(one["url"]) for one in people(inbox) if one["name"] == name)


@pytest.fixture
def cara(inbox: Inbox) -> str:
    """In Cc, and in Salesforce with a Case; so is the customer."""
    write(inbox, CUSTOMER, CARA, Address("support@acme.example"))
    inbox.salesforce.add("Contact", FirstName="Jane", LastName="Doe", Email=CUSTOMER.email)
    cara = inbox.salesforce.add("Contact", FirstName="Cara", LastName="Copied", Email=CARA.email)
    inbox.salesforce.add("Case", CaseNumber="00007", Subject="Of Cara", ContactId=cara)
    return cara


def test_a_click_shows_their_card_and_the_arrow_leads_back(inbox: Inbox, cara: str) -> None:
    client = inbox.client()
    page = html.fromstring(client.get(url()).text)
    row = page.xpath("//nav[@aria-label='People on this conversation']/a")
    assert [" ".join(one.text_content().split()) for one in row] == ["Jane Doe", "Cara Copied"]
    assert [one.get("aria-current") for one in row] == ["true", None]
    assert inbox.calls() == ["panel"], "nobody else is asked about before the click"
    there = row[1].get("href")
    assert CARA.email not in there, "addresses stay out of the logs of web servers"
    page = html.fromstring(client.get(there).text)
    assert inbox.calls() == ["panel", "panel"]
    assert page.xpath("string(//*[@id='k-person'])") == "Cara Copied"
    assert "Of Cara" in page.text_content()
    row = page.xpath("//nav[@aria-label='People on this conversation']/a")
    assert [one.get("aria-current") for one in row] == [None, "true"]
    assert row[0].text_content().startswith("← ")
    assert row[0].get("href") == url()
    # Everything that the page links to stays with her.
    inside = page.xpath("//*[@id='k-panel']//@action | //*[@id='k-refresh']/@href")
    assert inside
    assert all(one.startswith(there) for one in inside)


def test_the_panel_does_for_them_what_it_does_for_the_customer(inbox: Inbox, cara: str) -> None:
    client = inbox.client()
    there = address_of(inbox, "Cara Copied")
    client.get(there)
    assert client.get(url(f"/Contact/{cara}/edit/Phone")).status_code == 404
    form = client.get(f"{there}/Contact/{cara}/edit/Phone")
    marks = dict(re.findall(r'name="(was_\w+)" value="(\w+)"', form.text))
    sent = {"sf_Phone": "+31 20 1", "csrf_token": token(client), **marks}
    saved = client.post(f"{there}/Contact/{cara}/edit/Phone", data=sent)
    assert saved.status_code == 200
    assert f'href="{there}"' in saved.text
    assert inbox.salesforce.fields("Contact", cara)["Phone"] == "+31 20 1"
    inbox.salesforce.delete("Contact", cara)
    assert client.get(there, headers=JSON).json["state"] == "no_match"
    form = client.get(f"{there}/new/Contact")
    assert CARA.email in form.text
    added = {"sf_LastName": "Copied", "sf_Email": CARA.email, "csrf_token": token(client)}
    assert client.post(f"{there}/new/Contact", data=added).status_code == 303
    assert client.get(there, headers=JSON).json["match"]["person"]["title"] == "Cara Copied"


def test_the_companys_own_people_and_skipped_domains_are_left_out_and_nobody_stands_twice(
    inbox: Inbox,
) -> None:
    company = inbox.desk.company("acme")
    company.internal += ["inside.example", "boss@private.example"]
    company.skipped.append("skipped.example")
    company.agents.append(Agent("al", "acme", "Al", email="al@agents.example"))
    with inbox.database.write() as session:
        skip_list.add(session, ADMIN, ["listed.example"])
    write(
        inbox,
        Address("JANE@acme.example"),
        Address("support@acme.example", "Support"),
        Address("x@inside.example"),
        Address("y@deep.inside.example"),
        Address("Boss@Private.example"),
        Address("z@skipped.example"),
        Address("z@sub.listed.example"),
        Address("AL@agents.example"),
        Address("no address"),
        Address("cara@CUSTOMER.example"),
    )
    write(inbox, CARA, Address("cara@customer.example", ""))
    told = people(inbox)
    assert [(one["name"], one["current"]) for one in told] == [
        ("Jane Doe", True),
        ("Cara Copied", False),
    ]
    company.skipped.append("customer.example")
    assert people(inbox) == [], "the customer alone is no row"


def test_many_are_folded_and_hostile_names_are_text(inbox: Inbox, cara: str) -> None:
    evil = [Address(f"p{n}@many.example", f"<b>{n}</b>\u202e{'x' * 99}") for n in range(15)]
    write(inbox, CUSTOMER, *evil, *(Address(f"q{n}@many.example") for n in range(600)))
    page = html.fromstring(inbox.client().get(url()).text)
    assert len(page.xpath("//nav[@aria-label='People on this conversation']/a")) == 12
    folded = page.xpath("//details[@id='k-people']")[0]
    assert folded.xpath("string(summary)").startswith("+39")
    assert not page.xpath("//nav//b")
    assert "\u202e" not in page.xpath("//nav")[0].text_content()
    there = folded.xpath(".//a/@href")[-1]
    page = html.fromstring(inbox.client().get(there).text)
    assert page.xpath("//details[@id='k-people']/@open"), "the current one is in sight"


def test_without_a_customer_the_others_are_still_there(inbox: Inbox, cara: str) -> None:
    inbox.customer(None)
    shown = inbox.client().get(url(), headers=JSON).json
    assert shown["state"] == "no_customer"
    assert [one["name"] for one in shown["people"]] == [CUSTOMER.name, "Cara Copied"]


def test_a_host_that_does_not_tell_shows_no_row(
    inbox: Inbox, cara: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: str) -> None:
        raise OSError(CARA.email)

    there = address_of(inbox, "Cara Copied")
    monkeypatch.setattr(inbox.desk, "participants", fail, raising=False)
    assert people(inbox) == []
    assert "question=participants" in caplog.text
    assert CARA.email not in caplog.text
    assert inbox.client().get(there).status_code == 404
    monkeypatch.setattr(inbox.desk, "participants", None)
    assert people(inbox) == []
    assert "People on this conversation" not in inbox.client().get(url()).text


def test_somebody_who_is_not_on_the_conversation_has_no_card(inbox: Inbox, cara: str) -> None:
    there = address_of(inbox, "Cara Copied")
    inbox.desk.company("acme").messages.clear()
    for path in (there, url("~0123456789abcdef"), f"{there}/find?q=byron"):
        assert inbox.client().get(path).status_code == 404
    assert inbox.client(STRANGER).get(there).status_code == 404
    assert inbox.client(None).get(there).status_code == 401
    assert inbox.client(AGENT).get(url()).status_code == 200, "the link of the error page works"
    with inbox.database.read() as session:
        assert session.query(AuditRecord).filter_by(action="denied").count() >= 1


def test_a_record_chosen_for_them_is_not_chosen_for_the_customer(inbox: Inbox, cara: str) -> None:
    client = inbox.client()
    twin = inbox.salesforce.add("Contact", LastName="Twin", Email=CARA.email)
    there = address_of(inbox, "Cara Copied")
    assert client.get(there, headers=JSON).json["state"] == "several"
    sent = {"record": f"Contact/{twin}", "csrf_token": token(client)}
    answer = client.post(f"{there}/pick", data=sent)
    assert (answer.status_code, answer.location) == (303, there)
    assert client.get(there, headers=JSON).json["match"]["person"]["id"] == twin
    assert client.get(url(), headers=JSON).json["chosen"] is False
    assert post(client, "/unpick", {}).status_code == 303
    assert client.get(there, headers=JSON).json["chosen"] is True


def test_a_case_created_from_their_card_is_theirs(inbox: Inbox, cara: str) -> None:
    """It has nothing of what the customer wrote, and the answer is their card."""
    with inbox.database.write() as session:
        creating.change(session, ADMIN, "Case", allowed=True)
    client = inbox.client()
    there = address_of(inbox, "Cara Copied")
    page = html.fromstring(client.get(f"{there}/new/Case").text)
    (form,) = page.xpath("//form[.//input[@name='attempt']]")
    assert form.get("action") == f"{there}/new/Case"
    sent = {**dict(form.form_values()), "csrf_token": token(client)}
    assert not sent["sf_Description"].strip()
    answer = client.post(form.get("action"), data=sent, headers=JSON)
    assert answer.status_code == 200, answer.text
    assert answer.json["match"]["person"]["id"] == cara
    assert {row["ContactId"] for row in inbox.salesforce.org.of("Case")} == {cara}
    assert len(inbox.salesforce.rows("Case")) == 2
