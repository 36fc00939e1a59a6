"""Limits for new people: the form, what is held, and an admin's word on it, without JavaScript."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html
from lxml.html import HtmlElement
from sqlalchemy import update

from keeping_plugin.models import Installation, SkippedDomain, SyncEntry
from keeping_plugin.services.people import policy
from keeping_plugin.services.people.policy import COMPANY, PeopleChoices
from keeping_plugin.types import Action, Agent, Mailbox
from tests.blueprints.inbox import ADMIN, AGENT, CONVERSATION, Inbox, token, url
from tests.blueprints.ledger import Ledger

AUTOMATION = "/salesforce/settings/automation"
ACTIVITY = "/salesforce/settings/activity"
HELD = f"{ACTIVITY}/held"
OUTSIDER = Agent("eve", "other", "Eve Elsewhere", is_admin=True)


def choices(inbox: Inbox, mailbox_id: str = COMPANY) -> PeopleChoices:
    with inbox.database.read() as session:
        return policy.load(session, "acme").of(mailbox_id)


@pytest.fixture(autouse=True)
def _without_0_1_0(request: pytest.FixtureRequest) -> None:
    if "inbox" in request.fixturenames:
        beside_0_1_0(request.getfixturevalue("inbox"), 1)


def beside_0_1_0(inbox: Inbox, contract: int) -> None:
    with inbox.database.write() as session:
        session.execute(update(Installation).values(contract=contract))


def save(client: FlaskClient, **typed: str) -> Any:
    data = {"csrf_token": token(client), **typed}
    return client.post(f"{AUTOMATION}/brake?mailbox=support", data=data)


def read(element: HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


def hold(inbox: Inbox, *addresses: str, **values: Any) -> None:
    """Each of these people is held, with the message that would add them."""
    ledger = Ledger(inbox.database, inbox.connection_id)
    for number, address in enumerate(addresses):
        common = {
            "reason": "held",
            "address": address,
            "message_id": f"h-{number}-{address}",
            **values,
        }
        for action in (Action.ADD_CONTACT, Action.LOG_TASK):
            ledger.entry(action, "pending", **common)


def reasons(inbox: Inbox) -> list[tuple[str, str]]:
    with inbox.database.read() as session:
        rows = session.query(SyncEntry).order_by(SyncEntry.id)
        return [(row.address, row.reason) for row in rows if row.action == Action.ADD_CONTACT]


def do(inbox: Inbox, what: str, agent: Agent = ADMIN, until: str = "999") -> tuple[int, str]:
    """Press a button of the page; status and what the next page says."""
    client = inbox.client(agent)
    data = {"do": what, "until": until, "csrf_token": token(client)}
    answer = client.post(HELD, data=data)
    if answer.status_code != 303:
        return answer.status_code, answer.text
    return 303, read(html.fromstring(client.get(answer.location).text))


def test_the_form_suggests_numbers_and_limits_nobody_by_itself(inbox: Inbox) -> None:
    client = inbox.client(ADMIN)
    page = html.fromstring(client.get(f"{AUTOMATION}?mailbox=support").text)
    assert page.xpath("//input[@name='an_hour']/@value") == ["30"]
    assert not page.xpath("//input[@name='an_hour_on' or @name='burst_on']/@checked")
    assert not choices(inbox).has_limits
    assert save(client, an_hour="30", burst="10").status_code == 303  # both switches off
    assert not choices(inbox).has_limits


def test_limits_are_the_companys_or_a_mailboxs_own(inbox: Inbox) -> None:
    inbox.desk.company("acme").mailboxes.append(Mailbox("sales", "Key accounts", "s@acme.example"))
    client = inbox.client(ADMIN)
    assert save(client, an_hour_on="on", an_hour="1,000", burst="x").status_code == 303
    assert (choices(inbox).an_hour, choices(inbox).burst) == (1_000, 0)
    answer = save(client, burst_on="on", burst="5", **{"for": "mailbox"})
    assert "Support: saved." in client.get(answer.location).text
    assert (choices(inbox, "support").an_hour, choices(inbox, "support").burst) == (0, 5)
    assert choices(inbox, "sales").an_hour == 1_000
    page = client.get(f"{AUTOMATION}?mailbox=sales").text
    assert "except those with limits of their own: Support" in page
    page = html.fromstring(client.get(f"{AUTOMATION}?mailbox=support").text)
    assert page.xpath("//input[@name='for' and @checked]/@value") == ["mailbox"]
    save(client, an_hour_on="on", an_hour="7")
    assert choices(inbox, "support") == choices(inbox, "sales")
    assert choices(inbox, "support").an_hour == 7
    audit = client.get("/salesforce/settings/audit").text
    assert "people an hour" in audit


@pytest.mark.parametrize("typed", ["", "0", "-1", "10001", "1.5", "ten", "٣٠", "9" * 5_000])
def test_a_number_that_is_none_is_said_and_kept(inbox: Inbox, typed: str) -> None:
    client = inbox.client(ADMIN)
    answer = save(client, an_hour_on="on", an_hour=typed, burst="10")
    assert answer.status_code == 422
    page = html.fromstring(answer.text)
    assert "Enter a whole number from 1 to 10,000." in read(page.get_element_by_id("k-brake"))
    assert page.xpath("//input[@name='an_hour']/@value") == [typed[:40]]
    assert page.xpath("//input[@name='an_hour_on']/@checked")
    assert not choices(inbox).has_limits


def test_what_is_held_is_listed_by_domain_with_examples(inbox: Inbox) -> None:
    big = [f"p{number}@big.example" for number in range(5)]
    hold(inbox, *big, conversation_id=CONVERSATION.id)
    hold(inbox, "anna@gmail.com", conversation_id="gone")
    client = inbox.client(ADMIN)
    alert = html.fromstring(client.get(ACTIVITY).text).get_element_by_id("k-held")
    assert read(alert) == "6 new people are held for review"
    page = html.fromstring(client.get(HELD).text)
    first, second = page.find_class("ks-held__domain")
    assert "5 people, 5 messages; in Support" in read(first)
    assert "p0@big.example : Where is my order?" in read(first)
    assert "and 2 more" in read(first)
    assert "anna@gmail.com" in read(second)
    assert first.xpath(".//button/@value") == ["add:big.example", "skip:big.example"]
    # Of a provider of personal mail nobody skips all customers.
    assert second.xpath(".//button/@value") == ["add:gmail.com"]
    log = inbox.client(AGENT).get(url("/log"))
    assert log.status_code == 200


def test_all_or_some_are_added_and_a_domain_is_skipped(inbox: Inbox) -> None:
    hold(inbox, "a@one.example", "b@two.example", "c@three.example", "d@four.example")
    assert "They are being added." in do(inbox, "add:two.example")[1]
    assert inbox.queue.take()[0] == [inbox.connection_id]
    assert "The domain is now skipped." in do(inbox, "skip:three.example")[1]
    assert reasons(inbox) == [
        ("a@one.example", "held"),
        ("b@two.example", ""),
        ("c@three.example", "domain_skipped"),
        ("d@four.example", "held"),
    ]
    with inbox.database.read() as session:
        assert session.query(SkippedDomain.domain).scalar() == "three.example"
        last = session.query(SyncEntry.id).filter_by(address="a@one.example").first()[0]
    assert "They are being added." in do(inbox, "all", until=str(last))[1]
    assert dict(reasons(inbox))["d@four.example"] == "held"  # not listed when the page was made
    do(inbox, "all")
    assert dict(reasons(inbox))["d@four.example"] == ""
    assert "nothing left" in do(inbox, "all")[1]
    audit = read(html.fromstring(inbox.client(ADMIN).get("/salesforce/settings/audit").text))
    assert "Added people held for review" in audit
    assert "Skipped a domain held for review" in audit
    assert "Changed the skipped domains" in audit


@pytest.mark.parametrize(
    ("what", "until"),
    [("all", "x"), ("all", ""), ("add:", "9"), ("skip", "9"), ("none:a.example", "9"), ("", "9")],
)
def test_a_button_that_is_none_does_nothing(inbox: Inbox, what: str, until: str) -> None:
    hold(inbox, "a@one.example")
    assert do(inbox, what, until=until)[0] == 404
    assert reasons(inbox) == [("a@one.example", "held")]


def test_another_company_sees_and_touches_nothing(inbox: Inbox) -> None:
    hold(inbox, "a@one.example")
    assert "one.example" not in inbox.client(OUTSIDER).get(HELD).text
    do(inbox, "all", OUTSIDER)
    do(inbox, "skip:one.example", OUTSIDER)
    assert reasons(inbox) == [("a@one.example", "held")]
    assert inbox.client(AGENT).get(HELD).status_code == 403


def test_a_conversation_that_the_admin_may_not_see_is_not_named(inbox: Inbox) -> None:
    inbox.desk.add_conversation("other", replace(CONVERSATION, id="c-of-others", subject="Secret"))
    hold(inbox, "a@one.example", conversation_id="c-of-others")
    assert "Secret" not in inbox.client(ADMIN).get(HELD).text


def test_the_activity_tab_and_the_panel_say_that_it_is_held(inbox: Inbox) -> None:
    hold(inbox, "a@one.example", message_id="m-held")
    Ledger(inbox.database, inbox.connection_id).refusal(add=(), log=(), message_id="m-held")
    page = html.fromstring(inbox.client(ADMIN).get(ACTIVITY).text)
    [row] = page.find_class("ks-activity__row")
    assert read(row).count("Held for review, because more new people wrote") == 2
    assert "Held" in [read(each) for each in row.find_class("k-tag")]
    listed = html.fromstring(inbox.client(ADMIN).get(f"{ACTIVITY}?outcome=held").text)
    assert len(listed.find_class("ks-activity__row")) == 1
    log = inbox.client(AGENT).get(url("/log"), headers={"Accept": "application/json"}).get_json()
    assert {line["reason"] for line in log["messages"][0]["actions"]} == {"held"}


def test_trying_an_address_says_what_the_limits_would_make_of_it(inbox: Inbox) -> None:
    client = inbox.client(ADMIN)
    data = {"csrf_token": token(client), "add_contacts": "on"}
    client.post(f"{AUTOMATION}?mailbox=support", data=data)

    def tried(address: str) -> str:
        return client.get(f"{AUTOMATION}/try?mailbox=support&address={address}").text

    assert "The limits for new people would" not in tried("new@one.example")
    save(client, an_hour_on="on", an_hour="1")
    assert "would let this person pass now" in tried("new@one.example")
    Ledger(inbox.database, inbox.connection_id).entry(Action.ADD_CONTACT, reason="created")
    assert "would hold this person for review now" in tried("new@one.example")
    hold(inbox, "held@one.example")
    assert "held for review already" in tried("held@one.example")
    assert "for review now" not in tried("no-reply@one.example")


def test_the_preview_says_how_many_would_have_been_held(inbox: Inbox) -> None:
    client = inbox.client(ADMIN)
    path = f"{AUTOMATION}/preview?mailbox=support"
    assert "Of these held" not in client.get(path).text
    save(client, an_hour_on="on", an_hour="1")
    page = client.get(path).text
    assert "Of these held" in page
    assert "would have held at most this many" in page


def test_no_limit_is_set_while_processes_of_0_1_0_may_run(inbox: Inbox) -> None:
    """They would try a held person's Tasks again and again."""
    beside_0_1_0(inbox, 0)
    client = inbox.client(ADMIN)
    page = html.fromstring(client.get(AUTOMATION).text)
    switches = page.xpath("//*[@id='k-brake']//*[@role='switch']/@disabled")
    assert switches == ["disabled", "disabled"]
    answer = save(client, an_hour_on="on", an_hour="5")
    assert answer.status_code == 422
    assert "flask keeping db contract" in answer.text
    assert save(client).status_code == 303, "no limit needs nobody's leave"


def test_not_connected_nothing_is_held(unconnected: Inbox) -> None:
    assert "nothing is held" in unconnected.client(ADMIN).get(HELD).text
    assert "nothing is held any more" in do(unconnected, "all")[1]
