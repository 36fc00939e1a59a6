"""One mail in several mailboxes: the switch, and where people read that a mail was logged
elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import html

from keeping_plugin.services.people import policy
from keeping_plugin.services.people.policy import COMPANY
from keeping_plugin.types import Mailbox
from tests.blueprints.inbox import ADMIN, AGENT, CONVERSATION, Inbox, token, url
from tests.blueprints.ledger import Ledger
from tests.blueprints.settings.test_brake import beside_0_1_0

TAB = "/salesforce/settings/automation"
OTHER = "c-9"


@pytest.fixture
def copied(inbox: Inbox) -> Inbox:
    """A Task of this conversation was logged from another one, in another mailbox."""
    inbox.desk.company("acme").mailboxes.append(
        Mailbox("sales", "Key accounts", "sales@acme.example")
    )
    inbox.desk.add_conversation(
        "acme",
        replace(
            CONVERSATION,
            id=OTHER,
            mailbox_id="sales",
            subject="To sales",
            url="https://inbox.example/c-9",
        ),
    )
    ledger = Ledger(inbox.database, inbox.connection_id)
    values = {"fingerprint": "f", "record_id": "00T000000000001AAA"}
    ledger.entry(reason="logged", conversation_id=OTHER, mailbox_id="sales", **values)
    ledger.entry(reason="logged_elsewhere", message_id="m-copy", **values)
    ledger.refusal(add=(), log=(), message_id="m-copy")
    return inbox


@pytest.fixture(autouse=True)
def _without_0_1_0(inbox: Inbox) -> None:
    beside_0_1_0(inbox, 1)


def test_mail_is_not_logged_once_while_processes_of_0_1_0_may_run(inbox: Inbox) -> None:
    """They would log the copies that wait."""
    beside_0_1_0(inbox, 0)
    client = inbox.client(ADMIN)
    tab = html.fromstring(client.get(TAB).text)
    assert tab.xpath("//input[@id='k-once']/@disabled") == ["disabled"]
    data = {"csrf_token": token(client), "once_per_mail": "on"}
    answer = client.post(f"{TAB}/once?mailbox=support", data=data)
    assert "flask keeping db contract" in answer.text
    with inbox.database.read() as session:
        assert not policy.load(session, "acme").of(COMPANY).once_per_mail
    owners = client.get(f"{TAB}/owners").text
    assert "What they add belongs to the connected user" in owners


def test_the_switch_is_the_companys_and_is_audited(inbox: Inbox) -> None:
    client = inbox.client(ADMIN)
    for on in (True, False):
        data = {"csrf_token": token(client), **({"once_per_mail": "on"} if on else {})}
        answer = client.post(f"{TAB}/once?mailbox=support", data=data)
        assert answer.status_code == 303
        page = html.fromstring(client.get(answer.location).text)
        assert bool(page.xpath("//input[@name='once_per_mail']/@checked")) is on
        with inbox.database.read() as session:
            assert policy.load(session, "acme").of(COMPANY).once_per_mail is on
    assert "one mail in several mailboxes" in client.get("/salesforce/settings/audit").text


def test_a_copy_says_where_its_mail_was_logged(copied: Inbox) -> None:
    page = copied.client(ADMIN).get("/salesforce/settings/activity").text
    shown = html.fromstring(page)
    [row] = [
        each
        for each in shown.find_class("ks-line")
        if "already logged from another mailbox" in each.text_content()
    ]
    assert "Key accounts: To sales" in " ".join(row.text_content().split())
    assert "https://inbox.example/c-9" in row.xpath(".//a/@href")
    assert row.xpath(".//a[contains(@href, '00T000000000001AAA')]")
    log = copied.client(AGENT).get(url("/log")).text
    assert "already logged from another mailbox" in log
    assert "https://inbox.example/c-9" in log


def test_an_agent_is_not_told_of_a_conversation_that_they_may_not_see(copied: Inbox) -> None:
    copied.desk.hidden.add(OTHER)
    log = copied.client(AGENT).get(url("/log")).text
    assert "already logged from another mailbox" in log
    for secret in ("To sales", "https://inbox.example/c-9", "Key accounts", OTHER):
        assert secret not in log


def test_a_copy_is_no_task_that_was_logged(copied: Inbox) -> None:
    page = html.fromstring(copied.client(ADMIN).get("/salesforce/settings/activity").text)
    totals = {
        " ".join(one.find_class("ks-series__label")[0].text_content().split()): one.find_class(
            "ks-series__total"
        )[0].text_content()
        for one in page.find_class("ks-series")
        if one.find_class("ks-series__label")
    }
    assert totals["Tasks logged"].strip() == "1"
    assert totals["Nothing to add"].strip() == "1"
