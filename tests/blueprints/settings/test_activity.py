"""The Activity tab without JavaScript: what happened, what failed, what may be done about it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from lxml import html
from lxml.html import HtmlElement
from sqlalchemy import event, update

from keeping_plugin.errors import SalesforceUnavailable
from keeping_plugin.models import Connection, ConnectionStatus, SyncEntry, now
from keeping_plugin.services import metering
from keeping_plugin.services.admin.activity_list import PAGE
from keeping_plugin.services.metering import Feature
from keeping_plugin.types import Action, Agent, Mailbox
from tests.blueprints.inbox import ADMIN, AGENT, INSTANCE, Inbox, token, url
from tests.blueprints.ledger import Ledger

ACTIVITY = "/salesforce/settings/activity"
OUTSIDER = Agent("eve", "other", "Eve Elsewhere", is_admin=True)


@pytest.fixture
def ledger(inbox: Inbox) -> Ledger:
    return Ledger(inbox.database, inbox.connection_id)


def page(inbox: Inbox, query: str = "", status: int = 200) -> HtmlElement:
    answer = inbox.client(ADMIN).get(f"{ACTIVITY}{query}")
    assert answer.status_code == status, answer.text
    return html.fromstring(answer.text)


def read(element: HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


def items(document: HtmlElement) -> list[str]:
    return [read(row) for row in document.find_class("ks-activity__row")]


def series(document: HtmlElement) -> dict[str, str]:
    return {
        read(one.find_class("ks-series__label")[0]): read(one.find_class("ks-series__total")[0])
        for one in document.find_class("ks-series")
        if one.find_class("ks-series__label")
    }


def do(inbox: Inbox, what: str, agent: Agent = ADMIN, query: str = "") -> tuple[int, str]:
    """Press a button of the page; status and what the next page says."""
    client: FlaskClient = inbox.client(agent)
    data = {"do": what, "csrf_token": token(client)}
    answer = client.post(f"{ACTIVITY}{query}", data=data)
    if answer.status_code != 303:
        return answer.status_code, answer.text
    return 303, read(html.fromstring(client.get(answer.location).text))


def stored(inbox: Inbox, entry_id: int) -> SyncEntry:
    with inbox.database.read() as session:
        return session.get_one(SyncEntry, entry_id)


def test_before_anything_happened_the_page_is_calm(inbox: Inbox) -> None:
    document = page(inbox)
    assert set(series(document).values()) == {"0"}
    assert "Nothing in this period." in read(document)
    assert not document.get_element_by_id("k-causes", None)


def test_every_outcome_is_counted_drawn_and_listed(inbox: Inbox, ledger: Ledger) -> None:
    ledger.entry(Action.ADD_CONTACT, reason="created", record_id="003000000000001AAA")
    ledger.entry(Action.ADD_CONTACT, reason="exists", record_id="00Q000000000001AAA")
    ledger.entry(reason="logged", record_id="00T000000000001AAA")
    ledger.entry(reason="logged")
    ledger.entry(state="waiting", reason="no_contact")
    ledger.entry(state="failed", reason="rejected")
    ledger.entry(state="cancelled", reason="switched_off")
    ledger.entry(state="sending")
    ledger.refusal()
    document = page(inbox)
    assert series(document) == {
        "Contacts created": "1",
        "Tasks logged": "2",
        "Refused by the rules": "1",
        "Waiting for a Contact": "1",
        "Failed": "1",
        "In progress": "1",
        "Nothing to add": "1",
        "Not sent": "1",
    }
    summary = document.find_class("ks-bars--logged")[0].get("aria-label")
    day = today(inbox)
    assert summary == f"Tasks logged: 2 in total, most on {day.day} {day:%b}: 2"
    assert len(document.xpath("//*[name()='svg']/*[name()='rect'][*[name()='title']]")) == 8
    table = document.xpath("//details//tbody/tr")
    assert len(table) == 14
    assert read(table[0]).split()[2:] == ["1", "2", "1", "1", "1", "1", "1", "1"]
    listed = " ".join(items(document))
    assert "Automations are paused" not in listed
    assert "No Contact has this address yet." in listed
    links = document.xpath("//a[starts-with(@href, 'https://acme.my')]/@href")
    assert {
        f"{INSTANCE}/lightning/r/{kind}/view"
        for kind in (
            "Contact/003000000000001AAA",
            "Lead/00Q000000000001AAA",
            "Task/00T000000000001AAA",
        )
    } == set(links)


def today(inbox: Inbox) -> date:
    with inbox.database.read() as session:
        return now(session).date()


def test_a_row_names_customer_conversation_mailbox_and_reason(inbox: Inbox, ledger: Ledger) -> None:
    ledger.entry(reason="logged", message_id="m")
    ledger.entry(Action.ADD_CONTACT, reason="created", message_id="m")
    document = page(inbox)
    [row] = items(document)  # both actions of one message
    assert row.startswith("jane@acme.example Where is my order? · Support ·")
    assert "Add as Contact Done A new Contact was created." in row
    assert "Log as Task Done Logged on the Contact's timeline." in row
    assert document.xpath("//a[@href='/inbox/c-1']")


def test_a_conversation_that_is_gone_or_hidden_is_not_named(inbox: Inbox, ledger: Ledger) -> None:
    ledger.entry(conversation_id="gone")
    [row] = items(page(inbox))
    assert "Conversation not available" in row


def test_salesforces_own_words_are_shown_and_escaped(inbox: Inbox, ledger: Ledger) -> None:
    words = [["FIELD_CUSTOM_VALIDATION_EXCEPTION", "<script>alert(1)</script> No & no", []]]
    ledger.entry(state="failed", reason="rejected", words=words)
    text = inbox.client(ADMIN).get(ACTIVITY).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; No &amp; no" in text
    assert "<script>alert" not in text
    assert "A validation rule in your Salesforce org does not allow this" in text


def test_a_duplicate_rules_refusal_stands_there_in_salesforces_words(
    inbox: Inbox, ledger: Ledger
) -> None:
    words = [["DUPLICATES_DETECTED", "You're creating a duplicate record: ask <Ann>", []]]
    ledger.entry(Action.ADD_CONTACT, reason="duplicate_rule", words=words)
    [row] = items(page(inbox))
    assert "A duplicate rule in your Salesforce org blocked it, so nothing was added." in row
    assert "You're creating a duplicate record: ask <Ann>" in row


def test_the_filter_narrows_the_list(inbox: Inbox, ledger: Ledger) -> None:
    inbox.desk.company("acme").mailboxes.append(Mailbox("sales", "Sales", "sales@acme.example"))
    ledger.entry(reason="logged", address="one@x.example")
    ledger.entry(Action.ADD_CONTACT, reason="created", address="two@x.example")
    ledger.entry(state="failed", reason="rejected", mailbox_id="sales", address="three@x.example")
    ledger.entry(state="failed", reason="no_outcome", address="four@x.example")
    ledger.refusal(log=("internal_address",), facts={"customer": "five@x.example"})
    ledger.refusal(facts={"customer": "six@x.example"})

    def who(query: str) -> list[str]:
        return sorted(row.partition("@")[0] for row in items(page(inbox, query)))

    assert who("") == ["four", "one", "three", "two"]
    assert who("?mailbox=sales") == ["three"]
    assert who("?outcome=logged") == ["one"]
    assert who("?outcome=failed") == ["four", "three"]
    assert who("?action=add_contact") == ["two"]
    assert who("?outcome=failed&reason=no_outcome") == ["four"]
    assert who("?outcome=refused") == ["five", "six"]
    assert who("?outcome=refused&reason=internal_address") == ["five"]
    assert who("?reason=internal_address") == ["five"]  # a rule's reason is a refusal's
    assert who("?reason=%25") == []
    before = today(inbox) - timedelta(days=2)
    assert who(f"?from={before}&to={before}") == []


def test_the_number_beside_the_list_is_that_of_the_filter(inbox: Inbox, ledger: Ledger) -> None:
    for _ in range(PAGE + 3):
        ledger.entry(reason="logged")
    ledger.entry(state="failed", reason="rejected")
    ledger.refusal()
    assert "54 entries" in read(page(inbox))
    assert "53 entries" in read(page(inbox, "?outcome=logged"))
    assert "1 message" in read(page(inbox, "?outcome=refused"))


@pytest.mark.parametrize("outcome", ["", "refused"])
def test_the_list_is_paged_newest_first_and_loses_nothing(
    inbox: Inbox, ledger: Ledger, outcome: str
) -> None:
    with inbox.database.read() as session:
        at = now(session)
    for number in range(2 * PAGE + 5):
        # Three rows share each time, so that the id has to decide as well.
        time = at - timedelta(seconds=number // 3)
        if outcome:
            ledger.refusal(at=time, facts={"customer": f"p{number}@x.example"})
        else:
            ledger.entry(created_at=time, address=f"p{number}@x.example")
    seen: list[str] = []
    address = f"?outcome={outcome}"
    while True:
        document = page(inbox, address)
        seen += [row.partition("@")[0] for row in items(document)]
        older = document.xpath("//a[@rel='next']/@href")
        if not older:
            break
        address = "?" + older[0].partition("?")[2].partition("#")[0]
    assert sorted(seen) == sorted({f"p{number}" for number in range(2 * PAGE + 5)})
    assert [int(who[1:]) // 3 for who in seen] == sorted(int(who[1:]) // 3 for who in seen)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?from=yesterday", "Enter a date such as 2026-05-31."),
        ("?from=0001-01-01", "Enter a date such as 2026-05-31."),
        ("?to=9999-12-31", "Enter a date such as 2026-05-31."),
        ("?from=2026-05-02&to=2026-05-01", "The first day is after the last day."),
        ("?from=2025-01-01&to=2026-01-01", "At most 92 days can be shown at once."),
        ("?outcome=lost", "Choose one from the list."),
        ("?action=%00", "Choose one from the list."),
    ],
)
def test_a_filter_that_means_nothing_is_said_and_kept(
    inbox: Inbox, ledger: Ledger, query: str, said: str
) -> None:
    ledger.entry(reason="logged")
    document = page(inbox, query, status=422)
    assert said in read(document)
    assert len(items(document)) == 1  # and the last days are shown meanwhile
    first = query[1:].partition("&")[0].partition("=")
    if first[0] in {"from", "to"}:
        assert document.xpath(f"//input[@name='{first[0]}']/@value") == [first[2]]


@pytest.mark.parametrize("after", ["x", "1", "1-x", "-1-1", "9" * 18 + "-1", "1-1%00"])
def test_a_page_that_does_not_exist_is_no_crash(inbox: Inbox, after: str) -> None:
    page(inbox, f"?after={after}", status=400)


def test_one_failed_entry_is_tried_again_and_rung_for(inbox: Inbox, ledger: Ledger) -> None:
    entry = ledger.entry(state="failed", reason="rejected", words=[["X", "no", []]], attempts=3)
    other = ledger.entry(state="failed", reason="rejected")
    assert f"again:{entry}" in page(inbox).xpath("//button/@value")
    status, text = do(inbox, f"again:{entry}", query="?outcome=failed")
    assert (status, "Trying again." in text) == (303, True)
    row = stored(inbox, entry)
    assert (row.state, row.reason, row.words, row.attempts) == ("pending", "", None, 0)
    assert row.due_at is not None
    assert stored(inbox, other).state == "failed"
    assert inbox.queue.rings == [inbox.connection_id]


def test_all_of_a_cause_are_tried_again_and_no_others(inbox: Inbox, ledger: Ledger) -> None:
    old = datetime.now(UTC) - timedelta(days=200)
    rejected = [ledger.entry(state="failed", reason="rejected") for _ in range(3)]
    rejected.append(ledger.entry(state="failed", reason="rejected", created_at=old))
    marked = ledger.entry(state="failed", reason="outcome_unknown", sent_at=old)
    document = page(inbox)
    cause = read(document.get_element_by_id("k-causes").getparent())
    assert "Salesforce refused it. 4 Tasks, oldest from" in cause
    assert do(inbox, "all:rejected")[0] == 303
    assert {stored(inbox, entry).state for entry in rejected} == {"pending"}
    assert stored(inbox, marked).state == "failed"
    assert inbox.queue.rings == [inbox.connection_id]
    assert "nothing left to try again" in do(inbox, "all:rejected")[1]


def test_each_of_salesforces_refusals_has_a_button_of_its_own(inbox: Inbox, ledger: Ledger) -> None:
    """An admin who has mended one field does not send what will be refused again."""

    def refused(code: str, message: str, *fields: str) -> int:
        words = [[code, message, list(fields)]]
        return ledger.entry(state="failed", reason="rejected", words=words)

    long = refused("STRING_TOO_LONG", "Last Name: data value too large", "LastName")
    rule = refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No Tasks on <b>Sundays</b>")
    document = page(inbox)
    buttons = document.xpath("//button[starts-with(@value, 'all:')]/@value")
    assert len(buttons) == 2
    said = read(document.get_element_by_id("k-causes").getparent())
    assert "data value too large" in said
    assert "No Tasks on <b>Sundays</b>" in said
    [wanted] = [value for value in buttons if "Sundays" in value]
    [link] = [each for each in document.xpath("//a/@href") if "Sundays" in each]
    assert len(items(html.fromstring(inbox.client(ADMIN).get(link).text))) == 1
    assert do(inbox, wanted)[0] == 303
    assert (stored(inbox, rule).state, stored(inbox, long).state) == ("pending", "failed")


def test_more_than_one_transaction_holds_are_tried_again(inbox: Inbox, ledger: Ledger) -> None:
    entries = [ledger.entry(state="failed", reason="rejected") for _ in range(4)]
    from keeping_plugin.services.ledger import retry

    service_chunk, retry.CHUNK = retry.CHUNK, 3
    try:
        do(inbox, "all:rejected")
    finally:
        retry.CHUNK = service_chunk
    assert {stored(inbox, entry).state for entry in entries} == {"pending"}


def test_an_unknown_outcome_is_looked_for_settled_or_sent_again(
    inbox: Inbox, ledger: Ledger
) -> None:
    at = datetime.now(UTC) - timedelta(days=2)
    marked = {"state": "failed", "reason": "outcome_unknown", "sent_at": at, "sent_epoch": 1}
    again, there, send = (ledger.entry(**marked) for _ in range(3))
    buttons = page(inbox).xpath("//ul[contains(@class,'ks-activity')]//button")
    assert [read(button).partition(" :")[0] for button in buttons[:3]] == [
        "Check again",
        "Already there",
        "Send again",
    ]
    do(inbox, f"again:{again}")
    row = stored(inbox, again)
    assert (row.state, row.sent_at is not None) == ("sending", True)  # the look comes first
    do(inbox, f"there:{there}")
    assert (stored(inbox, there).state, stored(inbox, there).sent_at) == ("done", None)
    do(inbox, f"send:{send}")
    assert (stored(inbox, send).state, stored(inbox, send).sent_at) == ("pending", None)
    assert "Someone checked and found it in Salesforce." in read(page(inbox))


def test_what_has_changed_since_is_said_and_not_done(inbox: Inbox, ledger: Ledger) -> None:
    entry = ledger.entry(reason="logged")
    status, text = do(inbox, f"send:{entry}")
    assert status == 303
    assert "This entry has not failed" in text
    assert stored(inbox, entry).state == "done"
    assert inbox.queue.rings == []


@pytest.mark.parametrize("what", ["", "again", "again:", "again:x", "again:²", "delete:1"])
def test_a_button_that_is_none_does_nothing(inbox: Inbox, what: str) -> None:
    assert do(inbox, what)[0] == 404


def test_only_for_the_connection_that_is_live(inbox: Inbox, ledger: Ledger) -> None:
    entry = ledger.entry(state="failed", reason="rejected")
    with inbox.database.write() as session:
        values = {"status": ConnectionStatus.DISCONNECTED, "current": False}
        session.execute(update(Connection).values(values))
    document = page(inbox)
    assert not document.xpath("//button[starts-with(@value, 'a')]")
    assert "they belong to a connection that is no longer active" in read(document)
    assert "connection that is no longer active" in do(inbox, f"again:{entry}")[1]
    do(inbox, "all:rejected")
    assert stored(inbox, entry).state == "failed"


def test_another_company_sees_and_touches_nothing(inbox: Inbox, ledger: Ledger) -> None:
    entry = ledger.entry(state="failed", reason="rejected", address="secret@x.example")
    answer = inbox.client(OUTSIDER).get(ACTIVITY)
    assert "secret@x.example" not in answer.text
    assert "Failed: needs" not in answer.text
    for what in ("again", "there", "send"):
        assert do(inbox, f"{what}:{entry}", OUTSIDER)[0] == 404
    do(inbox, "all:rejected", OUTSIDER)
    assert stored(inbox, entry).state == "failed"
    assert inbox.client(OUTSIDER).get(f"{ACTIVITY}?mailbox=support").status_code == 404


def test_agents_are_not_let_in(inbox: Inbox) -> None:
    client = inbox.client(AGENT)
    assert client.get(ACTIVITY).status_code == 403
    assert do(inbox, "all:rejected", AGENT)[0] == 403


def test_a_write_needs_the_sessions_token(inbox: Inbox, ledger: Ledger) -> None:
    entry = ledger.entry(state="failed", reason="rejected")
    answer = inbox.client(ADMIN).post(ACTIVITY, data={"do": f"again:{entry}"})
    assert answer.status_code == 400
    assert stored(inbox, entry).state == "failed"


def allow(inbox: Inbox, **values: object) -> None:
    with inbox.database.write() as session:
        session.execute(update(Connection).values(values))


@pytest.mark.parametrize("tab", ["activity", "automation"])
def test_a_lost_connection_is_said_where_its_work_waits(inbox: Inbox, tab: str) -> None:
    client = inbox.client(ADMIN)
    address = f"/salesforce/settings/{tab}"
    assert "connection to Salesforce is lost" not in client.get(address).text
    inbox.lose()
    document = html.fromstring(client.get(address).text)
    [said] = document.xpath("//*[@role='note']")
    assert "is lost. New entries wait" in read(said)
    assert said.xpath(".//a/@href") == ["/salesforce/settings/"]
    assert "not connected" not in read(document)


def test_the_budget_tells_used_limit_share_and_who(inbox: Inbox) -> None:
    assert "is not known yet" in read(page(inbox))
    allow(inbox, api_used=1_200, api_limit=15_000)
    with inbox.database.write() as session:
        use = {("support", Feature.PANEL): 1_100, ("", Feature.SCHEMA): 7}
        metering.add(session, inbox.connection_id, use)
    document = page(inbox)
    card = read(document.get_element_by_id("k-budget"))
    assert "1,200 of 15,000 used in the last 24 hours" in card
    assert "Automations stop at 12,000 (80 %)" in card
    assert "Conversation panel Support 1,100 1,100" in card
    assert "Fields and checks 7 7" in card
    assert "pause" not in card


def test_the_budget_tells_until_when_automations_pause_and_why(inbox: Inbox) -> None:
    until = datetime.now(UTC) + timedelta(minutes=10)
    allow(inbox, api_used=12_500, api_limit=15_000, paused_until=until, pause_reason="budget")
    card = read(page(inbox).get_element_by_id("k-budget"))
    assert "Automations are paused until" in card
    assert "the automations' share of the API allowance is used up" in card
    allow(inbox, paused_until=datetime.now(UTC) - timedelta(minutes=1))
    card = read(page(inbox).get_element_by_id("k-budget"))
    assert "They resume once enough requests are available again" in card


def test_opening_a_panel_is_counted_in_the_commit_that_keeps_its_card(
    inbox: Inbox, jane: str
) -> None:
    commits: list[object] = []
    event.listen(inbox.database.engine, "commit", commits.append)
    assert inbox.client(AGENT).get(url()).status_code == 200
    assert inbox.card() is not None
    assert len(commits) == 1
    card = read(page(inbox).get_element_by_id("k-budget"))
    assert "Conversation panel Support 1 1" in card
    assert f"of {inbox.salesforce.limit:,} used in the last 24 hours" in card


def test_a_panel_without_an_answer_is_counted_too(inbox: Inbox) -> None:
    silent = SalesforceUnavailable("timed out", timed_out=True)
    inbox.salesforce.fail("panel", silent)
    inbox.client(AGENT).get(url())
    card = read(page(inbox).get_element_by_id("k-budget"))
    assert "Conversation panel Support 1 1" in card
