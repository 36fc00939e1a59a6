"""The panel: whom Salesforce knows, and every way of not knowing."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from lxml import html
from sqlalchemy import select

from keeping_plugin.errors import (
    Complaint,
    ConnectionLost,
    KeepingError,
    NotReady,
    PermissionDenied,
    RateLimited,
    SalesforceUnavailable,
    SchemaStale,
)
from keeping_plugin.models import (
    AuditRecord,
    Connection,
    EntryState,
    KnownAddress,
    PanelCard,
    Pick,
    SyncEntry,
    now,
)
from keeping_plugin.types import Action, Address
from tests.blueprints.inbox import (
    ADMIN,
    AGENT,
    CONVERSATION,
    CUSTOMER,
    INSTANCE,
    STRANGER,
    Inbox,
    post,
    url,
)
from tests.blueprints.ledger import Ledger
from tests.blueprints.panel.test_edit import edit

JSON = {"Accept": "application/json"}
FRAGMENT = {"X-Keeping-Fragment": "1"}


def test_a_contact_is_shown_with_what_stands_around_it_in_one_request(inbox: Inbox) -> None:
    fake = inbox.salesforce
    account = fake.add("Account", Name="Acme Roofing", Industry="Construction")
    jane = fake.add(
        "Contact", FirstName="Jane", LastName="Doe", Email=CUSTOMER.email, AccountId=account
    )
    for number in range(4):
        deal = fake.add("Opportunity", Name=f"Deal {number}", StageName="Prospecting")
        fake.add("OpportunityContactRole", ContactId=jane, OpportunityId=deal)
    for number in range(6):
        fake.add("Case", CaseNumber=f"0000{number}", Subject=f"Trouble {number}", ContactId=jane)
    page = inbox.client().get(url())
    assert page.status_code == 200
    assert inbox.calls() == ["panel"]
    for shown in ("Jane Doe", "Acme Roofing", "Deal 3", "Deal 1", "Trouble 5", "Trouble 1"):
        assert shown in page.text, shown
    [deals, troubles] = html.fromstring(page.text).xpath("//details[@class='k-fold'][//summary]")
    for below, folded in (("Deal 0", deals), ("Trouble 0", troubles)):
        assert page.text.count(f"<bdi>{below}</bdi></span>") == 1 or below == "Trouble 0"
        assert below in folded.text_content(), below
    link = f'href="{INSTANCE}/lightning/r/Contact/{jane}/view" target="_blank" rel="noopener"'
    assert link in page.text


def test_the_fields_stand_in_the_admins_order(inbox: Inbox, jane: str) -> None:
    inbox.choose("Contact", "Title", "Email", "Phone", "LastName")
    match = inbox.client().get(url(), headers=JSON).json["match"]
    assert [row["name"] for row in match["person"]["fields"]] == [
        "Title",
        "Email",
        "Phone",
        "LastName",
    ]


def test_one_url_answers_a_page_a_fragment_and_json(inbox: Inbox, jane: str) -> None:
    client = inbox.client()
    page, fragment, json = (client.get(url(), headers=headers) for headers in ({}, FRAGMENT, JSON))
    assert page.text.lstrip().startswith("<!doctype html>")
    assert CONVERSATION.url in page.text
    assert fragment.text.lstrip().startswith("<section")
    assert fragment.headers["X-Keeping-Fragment"] == "1"
    assert json.json["state"] == "matched"
    for answer in (page, fragment, json):
        assert {"Accept", "X-Keeping-Fragment", "HX-Request"} <= set(answer.vary)
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_lead_is_shown_where_there_is_no_contact(inbox: Inbox) -> None:
    inbox.salesforce.add("Lead", LastName="Doe", Company="Acme", Email=CUSTOMER.email)
    answer = inbox.client().get(url(), headers=JSON).json
    assert answer["state"] == "lead"
    assert answer["match"]["person"]["object"] == "Lead"


def test_a_converted_lead_leads_to_its_contact(inbox: Inbox) -> None:
    lead = inbox.salesforce.add("Lead", LastName="Doe", Company="Acme", Email=CUSTOMER.email)
    contact = inbox.salesforce.convert(lead)
    answer = inbox.client().get(url(), headers=JSON).json
    assert (answer["state"], answer["match"]["person"]["id"]) == ("matched", contact)


def test_a_person_account_is_one_card(inbox: Inbox) -> None:
    from tests.forms.samples import schema

    schemas = dict(inbox.salesforce.org.schemas)
    for name in ("Contact", "Account"):
        schemas[name] = schema(name, person_accounts=True)
    inbox.salesforce.org.schemas.update(schemas)
    inbox.describe(schemas)
    account = inbox.salesforce.add("Account", FirstName="Jane", LastName="Doe")
    inbox.salesforce.add(
        "Contact",
        LastName="Doe",
        Email=CUSTOMER.email,
        AccountId=account,
        IsPersonAccount=True,
    )
    client = inbox.client()
    assert client.get(url(), headers=JSON).json["match"]["account"] is None
    assert "Person account" in client.get(url()).text


def test_nobody_found_offers_to_add(inbox: Inbox) -> None:
    page = inbox.client().get(url())
    assert page.status_code == 200
    assert "Not in Salesforce" in page.text
    assert "Add as Contact" in page.text
    assert "Add as Lead" in page.text


def owed(inbox: Inbox, state: str = "pending", wait: float = 0.0, **values: Any) -> None:
    """The automation owes this customer a Contact."""
    with inbox.database.read() as session:
        due_at = now(session) + timedelta(seconds=wait)
    row = {"reason": "", "address": CUSTOMER.email, "due_at": due_at, **values}
    Ledger(inbox.database, inbox.connection_id).entry(Action.ADD_CONTACT, state, **row)


@pytest.mark.parametrize(("state", "wait"), [("pending", 0.0), ("sending", 30.0)])
def test_whom_an_automation_is_adding_is_not_offered_but_awaited(
    inbox: Inbox, state: str, wait: float
) -> None:
    owed(inbox, state, wait)
    client = inbox.client()
    page = html.fromstring(client.get(url(), headers=FRAGMENT).text)
    assert "Being added to Salesforce" in page.text_content()
    assert "Add as" not in page.text_content()
    [poll] = page.xpath("//@data-k-src")
    assert client.get(url(), headers=JSON).json["being_added"] is True
    inbox.salesforce.add("Contact", FirstName="Jane", LastName="Doe", Email=CUSTOMER.email)
    assert "Jane Doe" in html.fromstring(client.get(poll, headers=FRAGMENT).text).text_content()


def test_it_is_not_awaited_for_ever(inbox: Inbox) -> None:
    """No worker may be running; after five looks the agent can add the person himself."""
    owed(inbox)
    client, address = inbox.client(), url()
    for _ in range(5):
        page = html.fromstring(client.get(address, headers=FRAGMENT).text)
        [address] = page.xpath("//@data-k-src")
    page = html.fromstring(client.get(address, headers=FRAGMENT).text)
    assert not page.xpath("//@data-k-src")
    assert "is about to add this person" in page.text_content()
    assert "Add as Contact" in page.text_content()


@pytest.mark.parametrize("why", ["done", "backing off", "asked again", "another", "paused", "task"])
def test_what_is_not_coming_at_once_is_not_awaited(inbox: Inbox, why: str) -> None:
    match why:
        case "done":
            owed(inbox, "failed", reason="rejected")
        case "backing off":
            owed(inbox, wait=300.0)
        case "asked again":
            owed(inbox, "sending", 300.0)
        case "another":
            owed(inbox, address="joe@acme.example")
        case "paused":
            owed(inbox)
            with inbox.database.write() as session:
                row = session.get_one(Connection, inbox.connection_id)
                row.paused_until = now(session) + timedelta(minutes=15)
        case _:
            ledger = Ledger(inbox.database, inbox.connection_id)
            with inbox.database.read() as session:
                due_at = now(session)
            ledger.entry(state="pending", reason="", address=CUSTOMER.email, due_at=due_at)
    page = inbox.client().get(url()).text
    assert "Not in Salesforce" in page
    assert "Add as Contact" in page
    assert "automation" not in page


def test_what_the_user_may_not_create_is_not_offered(inbox: Inbox) -> None:
    schemas = dict(inbox.salesforce.org.schemas)
    schemas["Contact"] = replace(schemas["Contact"], createable=False)
    inbox.describe(schemas)
    answer = inbox.client().get(url(), headers=JSON).json
    assert answer["addable"] == ["Lead"]


# States ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "state"),
    [
        (SalesforceUnavailable(timed_out=True), 503, "unavailable"),
        (RateLimited(daily=True), 503, "limited"),
        (ConnectionLost(), 503, "connection_lost"),
        (PermissionDenied(), 403, "no_permission"),
        (NotReady("No key opens the stored tokens."), 503, "not_ready"),
    ],
)
def test_no_answer_is_never_no_match(
    inbox: Inbox, error: KeepingError, status: int, state: str
) -> None:
    inbox.salesforce.fail("panel", error)  # type: ignore[arg-type]
    answer = inbox.client().get(url(), headers=JSON)
    assert (answer.status_code, answer.json["state"]) == (status, state)
    assert answer.json["addable"] == []
    inbox.salesforce.fail("panel", error)  # type: ignore[arg-type]
    assert "Not in Salesforce" not in inbox.client().get(url()).text


def test_the_last_card_is_shown_with_its_age_when_salesforce_is_away(
    inbox: Inbox, jane: str
) -> None:
    client = inbox.client()
    client.get(url())
    with inbox.database.write() as session:
        card = session.scalars(select(PanelCard)).one()
        card.seen_at = now(session) - timedelta(hours=3, minutes=5)
    inbox.salesforce.fail("panel", SalesforceUnavailable(), times=None)
    page = client.get(url())
    assert page.status_code == 503
    assert "Salesforce is not responding" in page.text
    assert "3 hours ago" in page.text
    assert "Jane Doe" in page.text
    assert "Try again" in page.text
    assert client.get(url(), headers=JSON).json["age_seconds"] >= 3 * 3600


def test_a_lost_connection_says_who_mends_it_and_asks_nobody(inbox: Inbox, jane: str) -> None:
    inbox.client().get(url())
    inbox.lose()
    before = inbox.calls()
    page = inbox.client().get(url())
    assert page.status_code == 503
    assert "Connection lost" in page.text
    assert "An admin has to reconnect" in page.text
    assert "6 May 2026, 09:30" in page.text
    assert "Jane" not in page.text
    assert "/settings/" not in page.text
    assert "/settings/" in inbox.client(ADMIN).get(url()).text
    assert inbox.calls() == before


def test_without_a_connection_there_is_no_panel(unconnected: Inbox) -> None:
    client = unconnected.client()
    assert "keeping-panel" not in client.get("/inbox/c-1").text
    page = client.get(url())
    assert page.status_code == 200
    assert "Salesforce is not connected" in page.text
    assert client.get(url(), headers=JSON).json["state"] == "not_connected"


def test_the_panels_place_is_empty_for_nobody_and_a_link_without_javascript(inbox: Inbox) -> None:
    assert "keeping-panel" not in inbox.client(None).get("/inbox/c-1").text
    page = inbox.client().get("/inbox/c-1").text
    assert '<template shadowrootmode="open">' in page
    assert f'<noscript><a class="k-link k-link--target" href="{url()}">Show Salesforce' in page
    assert inbox.calls() == []


def test_a_conversation_without_a_customer_has_nobody_to_look_for(inbox: Inbox) -> None:
    inbox.customer(None)
    assert "No customer" in inbox.client().get(url()).text
    inbox.customer(Address("undisclosed-recipients:;"))
    assert inbox.client().get(url(), headers=JSON).json["state"] == "no_customer"
    assert inbox.calls() == []


@pytest.mark.field_case("A14")
@pytest.mark.parametrize("written", ["Taro..X@docomo.example", '"taro..x"@docomo.example'])
def test_an_address_with_the_dots_of_a_japanese_carrier_is_somebodys(
    inbox: Inbox, written: str
) -> None:
    taro = inbox.salesforce.add("Contact", LastName="Taro", Email="taro..x@docomo.example")
    inbox.customer(Address(written))
    answer = inbox.client().get(url(), headers=JSON).json
    assert answer["state"] == "matched"
    assert answer["match"]["person"]["id"] == taro


def test_before_the_first_describe_the_panel_waits(unconnected: Inbox) -> None:
    unconnected.connect({})
    with unconnected.database.write() as session:
        from keeping_plugin.models import SchemaDocument

        for row in session.scalars(select(SchemaDocument)):
            session.delete(row)
    page = unconnected.client().get(url())
    assert "Reading your Salesforce fields" in page.text
    assert "data-k-poll" in page.text


def test_a_user_who_sees_neither_contacts_nor_leads_has_no_permission(inbox: Inbox) -> None:
    inbox.describe({"Account": inbox.salesforce.org.schemas["Account"]})
    page = inbox.client().get(url())
    assert page.status_code == 403
    assert "No permission in Salesforce" in page.text
    assert inbox.calls() == []


def test_whoever_asks_too_often_hears_so_at_once(unconnected: Inbox) -> None:
    unconnected.connect()
    client = unconnected.client()
    for _ in range(60):
        assert client.get(url(), headers=JSON).status_code == 200
    crowded = client.get(url(), headers=JSON)
    assert (crowded.status_code, crowded.json["state"]) == (503, "crowded")
    assert crowded.headers["Retry-After"] == "3"
    assert len(unconnected.calls()) == 60
    unconnected.clock.advance(61)
    assert client.get(url(), headers=JSON).status_code == 200


def test_a_full_waiting_room_says_so_at_once(inbox: Inbox) -> None:
    """At most a quarter of the process's threads wait on Salesforce."""
    answers = []

    def another() -> None:
        answers.append(inbox.app.test_client().get(url(), headers=JSON).json["state"])

    def meanwhile() -> None:
        thread = threading.Thread(target=another)
        thread.start()
        thread.join()

    seats = inbox.runtime.concurrency
    inbox.salesforce.meanwhile("panel", meanwhile)
    seats._share = 0.0  # one seat, however many threads the test runner has
    assert inbox.client().get(url(), headers=JSON).json["state"] == "no_match"
    assert answers == ["crowded"]


# What the org no longer has ----------------------------------------------------------------------


def test_a_field_that_is_gone_is_dropped_with_a_note_and_described_again(
    inbox: Inbox, jane: str
) -> None:
    inbox.salesforce.fail("panel", SchemaStale(object="Contact", field="Title"))
    page = inbox.client().get(url())
    assert page.status_code == 200
    assert "Salesforce no longer shows Title." in page.text
    assert "Jane Doe" in page.text
    assert inbox.queue.jobs == [("describe", inbox.connection_id)]


def test_what_salesforce_does_not_name_is_found_by_asking_for_less(inbox: Inbox, jane: str) -> None:
    inbox.salesforce.fail("panel", SchemaStale(), times=2)
    page = inbox.client().get(url())
    assert page.status_code == 200
    assert "Jane Doe" in page.text
    assert inbox.calls() == ["panel"] * 3


def test_an_object_that_is_gone_is_left_out(inbox: Inbox, jane: str) -> None:
    inbox.salesforce.fail("panel", SchemaStale(object="Case"))
    page = inbox.client().get(url())
    assert "Salesforce no longer shows Cases." in page.text
    assert "Jane Doe" in page.text


# Several -----------------------------------------------------------------------------------------


def test_several_are_offered_and_the_choice_is_remembered(inbox: Inbox, jane: str) -> None:
    lead = inbox.salesforce.add(
        "Lead", FirstName="Jane", LastName="Doe", Company="Acme", Email=CUSTOMER.email
    )
    client = inbox.client()
    answer = client.get(url(), headers=JSON).json
    assert answer["state"] == "several"
    assert {one["id"] for one in answer["candidates"]} == {jane, lead}
    page = client.get(url()).text
    assert "2 records have this address" in page
    assert "Acme" in page
    assert post(client, "/pick", {"record": f"Lead/{lead}"}).status_code == 303
    again = client.get(url())
    assert "Chosen from 2 records" in again.text
    assert client.get(url(), headers=JSON).json["match"]["person"]["id"] == lead
    assert "2 records have this address" in client.get(url("?choose=1")).text
    with inbox.database.read() as session:
        assert session.scalars(select(Pick.picked_by)).all() == ["gus"]


def test_a_pick_of_a_record_that_is_gone_is_no_pick(inbox: Inbox, jane: str) -> None:
    other = inbox.salesforce.add("Contact", LastName="Doe", Email=CUSTOMER.email)
    third = inbox.salesforce.add("Contact", LastName="Roe", Email=CUSTOMER.email)
    client = inbox.client()
    post(client, "/pick", {"record": f"Contact/{other}"})
    inbox.salesforce.delete("Contact", other)
    answer = client.get(url(), headers=JSON).json
    assert {one["id"] for one in answer["candidates"]} == {jane, third}


@pytest.mark.parametrize("record", ["Contact/003000000000001AAA", "Account/x", "", "Lead/../x"])
def test_only_what_was_offered_can_be_picked(inbox: Inbox, jane: str, record: str) -> None:
    client = inbox.client()
    assert post(client, "/pick", {"record": record}).status_code == 404
    with inbox.database.read() as session:
        assert session.scalars(select(AuditRecord.action)).all() == ["denied"]


# Who may look ------------------------------------------------------------------------------------


def test_only_who_may_view_the_conversation_sees_its_panel(inbox: Inbox, jane: str) -> None:
    assert inbox.client(None).get(url()).status_code == 401
    assert inbox.client(STRANGER).get(url()).status_code == 404
    assert inbox.client().get("/salesforce/conversations/c-2").status_code == 404
    assert inbox.client().get(f"/salesforce/conversations/{'x' * 256}").status_code == 404
    assert inbox.client().get("/salesforce/conversations/%00").status_code == 404
    inbox.desk.hidden.add("c-1")
    for path in ("", "/log", "/new/Contact", "/search/Account?q=ac", f"/Contact/{jane}/edit"):
        assert inbox.client().get(url(path)).status_code == 404, path
    assert inbox.calls() == []
    with inbox.database.read() as session:
        rows = session.execute(
            select(AuditRecord.detail, AuditRecord.times).where(AuditRecord.agent_id == AGENT.id)
        )
        refused: Counter[str] = Counter()
        for route, times in rows:
            refused[route] += times
    assert refused == {
        "panel": 4,
        "conversation_log": 1,
        "create": 1,
        "search": 1,
        "edit_record": 1,
    }


@pytest.mark.field_case("B11")
def test_refusals_of_one_page_asked_again_and_again_are_one_row(inbox: Inbox) -> None:
    """One row for each buried what people had done under a tab that was left open."""
    inbox.desk.hidden.add("c-1")
    client = inbox.client()
    for _ in range(30):
        assert client.get(url()).status_code == 404
    with inbox.database.read() as session:
        rows = session.scalars(select(AuditRecord).order_by(AuditRecord.id)).all()
    assert sum(row.times for row in rows) == 30
    assert len(rows) <= 2  # a minute may end in between
    assert {(row.action, row.agent_id, row.detail) for row in rows} == {
        ("denied", AGENT.id, "panel")
    }
    page = inbox.client(ADMIN).get("/salesforce/settings/audit").text
    assert f"{rows[-1].times} times within a minute" in page


def test_no_transaction_is_open_while_salesforce_is_asked(inbox: Inbox, jane: str) -> None:
    with inbox.app.app_context():
        pool = inbox.db.engine.pool
    seen = []
    inbox.salesforce.meanwhile("panel", lambda: seen.append(pool.checkedout()))  # type: ignore[attr-defined]
    inbox.client().get(url())
    assert seen == [0]


def test_what_arrives_after_a_disconnect_is_neither_shown_nor_kept(inbox: Inbox, jane: str) -> None:
    def disconnect() -> None:
        with inbox.database.write() as session:
            row = session.get_one(Connection, inbox.connection_id)
            row.current, row.epoch = False, row.epoch + 1

    inbox.salesforce.meanwhile("panel", disconnect)
    page = inbox.client().get(url())
    assert "Jane" not in page.text
    assert inbox.card() is None


# What it teaches ---------------------------------------------------------------------------------


def test_a_match_releases_messages_that_waited_for_it(inbox: Inbox, jane: str) -> None:
    with inbox.database.write() as session:
        session.add(
            SyncEntry(
                connection_id=inbox.connection_id,
                company_id="acme",
                mailbox_id="support",
                conversation_id="c-1",
                message_id="m-1",
                action="log_task",
                epoch=1,
                address=CUSTOMER.email,
                created_at=now(session),
                state=EntryState.WAITING,
            )
        )
    inbox.client().get(url())
    with inbox.database.read() as session:
        assert session.scalars(select(SyncEntry.state)).one() == EntryState.PENDING
        assert session.scalars(select(KnownAddress.address)).one() == CUSTOMER.email
    assert inbox.queue.rings == [inbox.connection_id]


def test_a_lead_releases_nothing(inbox: Inbox) -> None:
    inbox.salesforce.add("Lead", LastName="Doe", Company="Acme", Email=CUSTOMER.email)
    inbox.client().get(url())
    with inbox.database.read() as session:
        assert session.scalars(select(KnownAddress)).all() == []


def test_nobody_found_forgets_the_card(inbox: Inbox, jane: str) -> None:
    client = inbox.client()
    client.get(url())
    inbox.salesforce.delete("Contact", jane)
    client.get(url())
    assert inbox.card() is None


# Hostile text ------------------------------------------------------------------------------------

EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>\u202e{{'q'*9}}"


def test_hostile_records_are_only_text(inbox: Inbox) -> None:
    fake = inbox.salesforce
    inbox.choose("Contact", "LastName", "Email", "Phone", "Title", "Description", "Homepage__c")
    inbox.choose("Account", "Name", "Website")
    account = fake.add("Account", Name=EVIL, Website="javascript:alert(1)")
    jane = fake.add(
        "Contact",
        LastName=EVIL,
        Email=CUSTOMER.email,
        Phone="0123<svg onload=alert(1)>",
        Title=EVIL,
        AccountId=account,
    )
    fake.add("Case", CaseNumber=EVIL, Subject="x" * 32_000, ContactId=jane)
    client = inbox.client()
    for path in ("", f"/Contact/{jane}/edit", f"/Contact/{jane}/edit/Title"):
        text = client.get(url(path)).text
        for bad in ("<script>alert", "<img", "<svg", 'href="javascript', "q" * 9):
            assert bad not in text, (path, bad)
    inbox.salesforce.fail(
        "panel", PermissionDenied(complaints=(Complaint("NEW_CODE", EVIL),)), times=2
    )
    assert "<script>alert" not in client.get(url()).text
    assert client.get(url(), headers=JSON).json["error"]["complaints"][0]["message"] == EVIL


def test_a_person_whose_address_was_just_changed_is_said_to_be_elsewhere(
    inbox: Inbox, jane: str
) -> None:
    """Else "Not in Salesforce" would invite the agent to add the same person again."""
    client = inbox.client()
    client.get(url())
    page = edit(client, f"/Contact/{jane}/edit/Email", Email="jane.doe@acme.example").text
    assert "This Contact no longer has the address" in page
    assert f'href="{INSTANCE}/lightning/r/Contact/{jane}/view"' in page
    assert "Not in Salesforce" in page
    assert "no longer" not in client.get(url()).text


def test_a_case_that_gave_way_to_more_recent_ones_is_said_to_be_elsewhere(
    inbox: Inbox, jane: str
) -> None:
    case = inbox.salesforce.add("Case", Subject="Old", Status="New", ContactId=jane)
    client = inbox.client()
    client.get(url())
    path = f"/Case/{case}/edit/Status"
    assert "no longer" not in edit(client, path, Status="Working").text
    inbox.salesforce.meanwhile("panel", lambda: inbox.salesforce.delete("Case", case))
    assert "This Case is not shown in this panel." in edit(client, path, Status="New").text


def test_nothing_is_said_to_be_elsewhere_while_salesforce_does_not_answer(
    inbox: Inbox, jane: str
) -> None:
    client = inbox.client()
    client.get(url())
    inbox.salesforce.fail("panel", SalesforceUnavailable())
    page = edit(client, f"/Contact/{jane}/edit/Title", Title="CEO")
    assert page.status_code == 503
    assert "no longer" not in page.text
