"""The admin's pages without JavaScript: connection, fields, automation, disconnect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import flash, get_flashed_messages
from lxml import html
from sqlalchemy import select, update

from keeping_plugin.models import (
    AuditRecord,
    Connection,
    FieldSelection,
    MailboxPolicy,
    Revocation,
    SchemaLoad,
    SkippedDomain,
)
from keeping_plugin.objects import DESCRIBED, OBJECTS
from tests.blueprints.admin_side import SETTINGS, AdminSide, Visitor

CONTACT = f"{SETTINGS}fields/Contact"
AUTOMATION = f"{SETTINGS}automation"


def ticked(page: str) -> list[str]:
    """The fields that the form would send, in order."""
    document = html.fromstring(page)
    wanted = "//input[@name='fields'][@type='hidden' or @checked]/@value"
    return [str(value) for value in document.xpath(wanted)]


def stored(side: AdminSide, object: str = "Contact") -> list[str] | None:
    with side.house.app.app_context(), side.state.database.read() as session:
        row = session.get(FieldSelection, ("acme", object))
        return None if row is None else list(row.fields)


def test_before_the_first_connection_the_page_invites(side: AdminSide) -> None:
    ada = side.visitor()
    assert "Connect Salesforce" in ada.text()
    assert "Connect Salesforce first" in ada.text(CONTACT)
    assert "not connected" in ada.text(AUTOMATION)


def test_the_describe_is_seen_to_move_and_ends_in_a_summary(side: AdminSide) -> None:
    ada = side.connect(described=False)
    page = ada.get(SETTINGS)
    assert "Reading your Salesforce fields" in page.text
    assert f'data-k-src="{SETTINGS}schema/progress"' in page.text
    bar = html.fromstring(page.text).xpath("//progress")[0]
    assert (bar.get("max"), bar.get("value")) == (str(len(DESCRIBED)), "0")
    assert "still being read" in ada.text(CONTACT)
    side.describe()
    fragment = ada.get(f"{SETTINGS}schema/progress")
    assert fragment.headers["X-Keeping-Fragment"] == "1"
    assert "data-k-poll" not in fragment.text
    text = ada.text()
    table = html.fromstring(ada.get(SETTINGS).text).xpath("//table//tr[th/a]")
    assert [row.xpath("string(th)") for row in table] == [row.tab for row in OBJECTS]
    assert [row.xpath("string(td[3])") for row in table] == [
        str(len(row.defaults)) for row in OBJECTS
    ]
    assert "Everything needed is in place." in text


def test_a_worker_that_does_not_run_is_told(side: AdminSide) -> None:
    ada = side.connect(described=False)
    with side.house.app.app_context(), side.state.database.write() as session:
        session.execute(update(SchemaLoad).values(due_at=datetime.now(UTC) - timedelta(minutes=1)))
    assert "flask keeping worker" in ada.text()


def test_a_refresh_shows_what_changed_and_what_it_affects(side: AdminSide) -> None:
    ada = side.connect()
    ada.post(CONTACT, {"fields": ["LastName", "Email", "Shoe_Size__c"]})
    control = side.orgs.production.control
    field = {"name": "Shoe_Size__c", "label": "Shoe size", "type": "string", "length": 20}
    control.add_field("Contact", field)
    try:
        assert ada.post(f"{SETTINGS}schema").status_code == 303
        side.describe()
        text = ada.text()
        assert "New Shoe size Contact.Shoe_Size__c" in text
        assert "Shoe_Size__c" in ada.get(CONTACT).text
        ada.post(CONTACT, {"fields": ["LastName", "Email", "Shoe_Size__c"]})
    finally:
        control.remove_field("Contact", "Shoe_Size__c")
    ada.post(f"{SETTINGS}schema")
    side.describe()
    assert "Agents no longer see it; your choice to show it is kept." in ada.text()
    assert "Hidden" in ada.text(CONTACT)


def test_a_refresh_and_a_preflight_are_audited(side: AdminSide) -> None:
    ada = side.connect()
    for page in ("schema", "preflight"):
        assert ada.post(f"{SETTINGS}{page}").status_code == 303
    with side.house.app.app_context(), side.state.database.read() as session:
        rows = session.scalars(select(AuditRecord).order_by(AuditRecord.id)).all()
    assert [(row.action, row.agent_id) for row in rows[-2:]] == [
        ("schema_refreshed", rows[0].agent_id),
        ("preflight", rows[0].agent_id),
    ]


def test_what_a_change_affects_is_told_of_fields_nobody_ever_chose_too(side: AdminSide) -> None:
    """Where no tab was saved agents see the product's own choice: Title among it."""
    ada = side.connect()
    control = side.orgs.production.control
    need = {"name": "Need__c", "label": "Need", "type": "string", "length": 9, "nillable": False}
    size = {"name": "Size__c", "label": "Size", "type": "string", "length": 9}
    control.add_field("Contact", size)
    ada.post(f"{SETTINGS}schema")
    side.describe()
    username = side.orgs.production.login("admin").username
    control.field_rights(username, "Contact", "Title", readable=False, editable=False)
    control.remove_field("Contact", "Size__c")
    control.add_field("Contact", {"name": "Size__c", "label": "Size", "type": "double"})
    control.add_field("Contact", need)
    try:
        ada.post(f"{SETTINGS}schema")
        side.describe()
        text = ada.text()
    finally:
        control.field_rights(username, "Contact", "Title", readable=True, editable=True)
        for field in ("Size__c", "Need__c"):
            control.remove_field("Contact", field)
    assert "Removed Title Contact.Title Agents no longer see it;" in text
    assert "Size Contact.Size__c Changed from Text to Number. You are not showing it." in text
    assert "New Need Contact.Need__c Agents see it." in text
    assert "Now required Need Contact.Need__c Agents now have to fill it in" in text
    ada.post(f"{SETTINGS}schema")
    side.describe()
    text = ada.text()  # it was locked, so agents saw it although nobody ever chose it
    assert "Removed Need Contact.Need__c Agents no longer see it or have to fill it in." in text


def test_the_preflight_names_what_a_weak_user_lacks(side: AdminSide) -> None:
    ada = side.connect(user="few")
    text = ada.text()
    assert "need a Salesforce admin" in text
    assert "cannot see the object Case" in text
    assert "Lead: few@example.com cannot create." in text
    assert "Hidden from the connected user" in text
    assert "cannot see this object" in ada.text(f"{SETTINGS}fields/Case")
    assert ada.post(f"{SETTINGS}preflight").status_code == 303


def test_required_fields_are_ticked_and_locked_with_the_reason(side: AdminSide) -> None:
    ada = side.connect()
    page = ada.get(CONTACT).text
    document = html.fromstring(page)
    for name, reason in (("LastName", "to save a Contact"), ("Email", "People are found")):
        assert f'name="fields" value="{name}"' in page
        box = document.xpath(f"//input[@aria-describedby='why-{name}']")[0]
        assert {"checked", "disabled"} <= set(box.keys())
        assert reason in document.get_element_by_id(f"why-{name}").text_content()


def test_a_choice_is_saved_in_order_and_shown_again(side: AdminSide) -> None:
    ada = side.connect()
    answer = ada.post(CONTACT, {"fields": ["Title", "Email", "LastName", "Phone"]})
    assert (answer.status_code, answer.location) == (303, CONTACT)
    assert stored(side) == ["Title", "Email", "LastName", "Phone"]
    page = ada.get(CONTACT).text
    assert ticked(page) == ["Title", "Email", "LastName", "Phone"]
    assert "Agents see 4 fields" in page


def test_what_is_locked_cannot_be_left_out(side: AdminSide) -> None:
    ada = side.connect()
    ada.post(CONTACT, {"fields": ["Title"]})
    assert stored(side) == ["Title", "Email", "LastName"]


def test_a_field_that_does_not_exist_is_refused_and_nothing_is_lost(side: AdminSide) -> None:
    ada = side.connect()
    answer = ada.post(CONTACT, {"fields": ["Title", "Bogus__c"]})
    assert answer.status_code == 422
    assert "Contact has no field Bogus__c" in answer.text
    assert "Title" in ticked(answer.text)
    assert "Not saved yet" in answer.text
    assert stored(side) is None


@pytest.mark.parametrize(
    ("do", "after"),
    [
        ("down:LastName", ["Email", "LastName", "Title"]),
        ("up:Title", ["LastName", "Title", "Email"]),
        ("up:LastName", ["LastName", "Email", "Title"]),
        ("down:Title", ["LastName", "Email", "Title"]),
        ("up:Bogus__c", ["LastName", "Email", "Title"]),
        ("none", ["LastName", "Email"]),
        ("search", ["LastName", "Email", "Title"]),
        ("anything else", ["LastName", "Email", "Title"]),
    ],
)
def test_steps_without_javascript_keep_everything_and_save_nothing(
    side: AdminSide, do: str, after: list[str]
) -> None:
    ada = side.connect()
    answer = ada.post(CONTACT, {"fields": ["LastName", "Email", "Title"], "do": do})
    assert answer.status_code == 200
    assert ticked(answer.text) == after
    assert stored(side) is None


def test_select_all_takes_what_the_search_shows(side: AdminSide) -> None:
    ada = side.connect()
    values = {"fields": ["LastName", "Email"], "do": "all", "search": "mailing ci"}
    answer = ada.post(CONTACT, values)
    assert ticked(answer.text) == ["LastName", "Email", "MailingCity"]
    document = html.fromstring(answer.text)
    visible = document.xpath("//li[@data-k-pick and not(@hidden)]")
    assert [row.xpath(".//code")[0].text for row in visible] == ["MailingCity"]


def test_two_admins_on_one_tab_do_not_overwrite_each_other_unseen(side: AdminSide) -> None:
    ada = side.connect()
    opened = html.fromstring(ada.get(CONTACT).text)
    (seen,) = opened.xpath("//input[@name='seen']/@value")
    other = side.visitor()
    other.post(CONTACT, {"fields": ["LastName", "Email", "Birthdate"], "seen": seen})
    mine = {"fields": ["Email", "LastName", "Title"], "seen": seen}
    stepped = ada.post(CONTACT, {**mine, "do": "down:Email"})
    assert html.fromstring(stepped.text).xpath("//input[@name='seen']/@value") == [seen]
    answer = ada.post(CONTACT, mine)
    assert answer.status_code == 409
    assert "have changed since you opened the page" in answer.text
    assert ticked(answer.text) == ["Email", "LastName", "Title"]
    assert stored(side) == ["LastName", "Email", "Birthdate"]
    (now_seen,) = html.fromstring(answer.text).xpath("//input[@name='seen']/@value")
    for _ in range(2):  # pressed twice
        assert ada.post(CONTACT, {**mine, "seen": now_seen}).status_code == 303
    assert stored(side) == ["Email", "LastName", "Title"]


def test_choices_survive_a_reconnect_to_the_same_org(side: AdminSide) -> None:
    ada = side.connect()
    ada.post(CONTACT, {"fields": ["Title", "Email", "LastName"]})
    ada.post(f"{SETTINGS}disconnect")
    side.connect(ada)
    assert ticked(ada.get(CONTACT).text) == ["Title", "Email", "LastName"]


def test_a_tab_saved_after_a_disconnect_in_another_window_keeps_its_ticks(
    side: AdminSide,
) -> None:
    ada = side.connect()
    ada.post(f"{SETTINGS}disconnect")
    mine = {"fields": ["Title", "Email", "LastName"], "forget": ["Old__c"], "seen": "LastName"}
    answer = ada.post(CONTACT, mine)
    assert answer.status_code == 409
    assert "disconnected since you opened this page, so nothing has been saved yet" in answer.text
    document = html.fromstring(answer.text)
    kept = {"fields": mine["fields"], "forget": ["Old__c"], "seen": ["LastName"]}
    for name, values in kept.items():
        assert document.xpath(f"//main//input[@name='{name}']/@value") == values
    assert stored(side) is None
    side.connect(ada)
    assert ada.post(CONTACT, {"fields": ticked(answer.text)}).status_code == 303
    assert stored(side) == ["Title", "Email", "LastName"]


@pytest.mark.parametrize("button", ["schema", "preflight"])
def test_a_button_of_a_page_opened_before_a_disconnect_leads_to_the_summary(
    side: AdminSide, button: str
) -> None:
    ada = side.connect()
    ada.post(f"{SETTINGS}disconnect")
    answer = ada.post(f"{SETTINGS}{button}")
    assert (answer.status_code, answer.location) == (303, SETTINGS)
    text = ada.text()
    assert "Salesforce is no longer connected, so nothing was checked." in text
    assert "Salesforce is disconnected" in text


@pytest.mark.parametrize("object", ["contact", "User", "..", "Contact'", "Task"])
def test_there_are_five_tabs_and_no_more(side: AdminSide, object: str) -> None:
    ada = side.connect()
    answer = ada.get(f"{SETTINGS}fields/{object}")
    assert answer.status_code == 404
    back = html.fromstring(answer.text).xpath("//main//a[contains(., 'Salesforce settings')]/@href")
    assert back == [SETTINGS]


def test_a_mailbox_is_switched_and_another_stays_off(side: AdminSide) -> None:
    ada = side.connect()
    page = ada.get(AUTOMATION).text
    switches = html.fromstring(page).xpath("//form[.//@id='k-toggles']//input[@role='switch']")
    assert [switch.get("checked") for switch in switches] == [None, None]
    answer = ada.post(f"{AUTOMATION}?mailbox=support", {"log_tasks": "on"})
    assert answer.status_code == 303
    with side.house.app.app_context(), side.state.database.read() as session:
        row = session.scalars(select(MailboxPolicy)).one()
        actions = set(session.scalars(select(AuditRecord.action)))
    assert (row.mailbox_id, row.add_contacts, row.log_tasks) == ("support", False, True)
    assert "automation_changed" in actions
    assert "Messages are logged; new customers are not added." in ada.text(AUTOMATION)


@pytest.mark.parametrize("mailbox", ["nothing", "", "support'", "x" * 300])
def test_a_mailbox_that_is_not_the_companys_is_not_there(side: AdminSide, mailbox: str) -> None:
    ada = side.connect(described=False)
    for path in (AUTOMATION, f"{AUTOMATION}/try", f"{AUTOMATION}/preview"):
        assert ada.get(path, query_string={"mailbox": mailbox}).status_code == 404
    values = {"add_contacts": "on"}
    answer = ada.post(AUTOMATION, values, query_string={"mailbox": mailbox})
    assert answer.status_code == 404


def skipped(side: AdminSide) -> dict[str, bool]:
    with side.house.app.app_context(), side.state.database.read() as session:
        rows = session.scalars(select(SkippedDomain))
        return {row.domain: row.skip_logging for row in rows if row.company_id == "acme"}


def add(visitor: Visitor, text: str, **values: str) -> tuple[int, str]:
    answer = visitor.post(f"{AUTOMATION}/skip", {"domains": text, "do": "add", **values})
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("acme.com", "acme.com"),
        ("ACME.COM.", "acme.com"),
        ("müller.example", "xn--mller-kva.example"),
        ("  acme.com\n\n", "acme.com"),
    ],
)
def test_a_domain_is_kept_in_the_form_in_which_it_is_compared(
    side: AdminSide, typed: str, kept: str
) -> None:
    ada = side.visitor()
    assert add(ada, typed)[0] == 303
    assert skipped(side) == {kept: False}
    assert kept in ada.text(AUTOMATION)


@pytest.mark.parametrize(
    "typed", ["@acme", "acme", "*.acme.com", "anna@acme.com", "https://acme.com", "", "a b@"]
)
def test_what_is_no_domain_is_said_beside_the_field_with_everything_typed_kept(
    side: AdminSide, typed: str
) -> None:
    ada = side.visitor()
    status, page = add(ada, f"good.example\n{typed}" if typed else "", skip_logging="on")
    assert status == 422
    document = html.fromstring(page)
    field = document.get_element_by_id("k-domains")
    assert field.get("aria-invalid") == "true"
    assert "k-domains-problem" in field.get("aria-describedby")
    assert (field.text or "").strip() == (f"good.example\n{typed}" if typed else "")
    assert document.xpath("//input[@name='skip_logging']/@checked")
    problem = document.get_element_by_id("k-domains-problem").text_content()
    assert "Nothing has been added yet." in problem
    if typed:
        assert "Line 2" in problem
    assert skipped(side) == {}


def test_a_thousand_lines_are_taken_at_once(side: AdminSide) -> None:
    ada = side.visitor()
    lines = "\r\n".join(f"customer{number}.example" for number in range(1_000))
    assert add(ada, lines)[0] == 303
    assert len(skipped(side)) == 1_000
    assert "1,000 domains are now skipped." in ada.text(AUTOMATION)


def test_a_domain_is_changed_and_taken_off_again(side: AdminSide) -> None:
    ada = side.visitor()
    add(ada, "acme.com")
    ada.post(f"{AUTOMATION}/skip", {"do": "unlog:acme.com"})
    assert skipped(side) == {"acme.com": True}
    assert "Not logged either" in ada.text(AUTOMATION)
    add(ada, "acme.com\nother.example")  # pasted again: it weakens nothing
    assert skipped(side) == {"acme.com": True, "other.example": False}
    ada.post(f"{AUTOMATION}/skip", {"do": "remove:other.example"})
    assert ada.post(f"{AUTOMATION}/skip", {"do": "frobnicate:acme.com"}).status_code == 400
    assert skipped(side) == {"acme.com": True}
    ada.post(f"{AUTOMATION}/skip", {"do": "log:acme.com"})
    assert skipped(side) == {"acme.com": False}
    ada.post(f"{AUTOMATION}/skip", {"do": "remove:other.example"})
    assert skipped(side) == {"acme.com": False}
    ada.post(f"{AUTOMATION}/skip", {"do": "remove:acme.com"})
    assert skipped(side) == {}


def test_an_address_is_tried_against_every_rule(side: AdminSide) -> None:
    ada = side.connect(described=False)
    ada.post(f"{AUTOMATION}?mailbox=support", {"log_tasks": "on"})
    add(ada, "acme.com")
    text = ada.text(f"{AUTOMATION}/try?mailbox=support&address=anna@mail.acme.com")
    assert "Add as Contact No" in text
    assert "is on the list of skipped domains" in text
    assert "Log as Task Yes" in text


def test_what_is_no_address_is_said_beside_the_field(side: AdminSide) -> None:
    ada = side.visitor()
    answer = ada.get(f"{AUTOMATION}/try?mailbox=support&address=anna")
    assert answer.status_code == 422
    document = html.fromstring(answer.text)
    field = document.get_element_by_id("k-address")
    assert (field.get("value"), field.get("aria-invalid")) == ("anna", "true")
    assert (
        "Enter an email address" in document.get_element_by_id("k-address-problem").text_content()
    )


def test_disconnecting_asks_first_and_shows_what_was_done(side: AdminSide) -> None:
    ada = side.connect()
    assert "Disconnect Example Outdoor Company?" in ada.text(f"{SETTINGS}disconnect")
    assert side.current() is not None
    answer = ada.post(f"{SETTINGS}disconnect")
    assert (answer.status_code, answer.location) == (303, SETTINGS)
    text = ada.text()
    assert "Salesforce is disconnected" in text
    assert "Revocation: in progress" in text
    with side.house.app.app_context(), side.state.database.read() as session:
        revocation = session.scalars(select(Revocation)).one()
    side.orgs.production.control.fault("unavailable", scope={"path": "/services/oauth2/revoke"})
    side.revoke(revocation.id)
    assert "Salesforce could not be reached. Retrying until" in ada.text()
    with side.house.app.app_context(), side.state.database.write() as session:
        session.execute(update(Revocation).values(due_at=datetime.now(UTC)))
    side.revoke(revocation.id)
    assert "Salesforce has revoked the access" in ada.text()
    assert side.orgs.production.control.tokens()["refresh_tokens"] == 0


def test_disconnecting_what_is_not_connected_leads_back(side: AdminSide) -> None:
    ada = side.visitor()
    assert ada.get(f"{SETTINGS}disconnect").status_code == 303
    assert ada.post(f"{SETTINGS}disconnect").location == SETTINGS


def test_disconnect_pressed_twice_ends_on_the_summary(side: AdminSide) -> None:
    ada = side.connect()
    for _ in range(2):
        assert ada.post(f"{SETTINGS}disconnect").location == SETTINGS
    assert "was disconnected on" in ada.text()
    assert [row.epoch for row in side.connections()] == [2]


def test_our_notices_and_the_hosts_flashes_do_not_meet(side: AdminSide) -> None:
    @side.house.app.post("/flash")
    def host_flashes() -> str:
        flash("the host's own", "good")
        return ""

    @side.house.app.get("/flashed")
    def host_shows() -> str:
        return " ".join(map(str, get_flashed_messages()))

    ada = side.visitor()
    ada.client.post("/flash")
    add(ada, "acme.com")
    assert "1 domain is now skipped." in ada.text(AUTOMATION)
    assert "1 domain is now skipped." not in ada.text(AUTOMATION)
    assert ada.client.get("/flashed").text == "the host's own"


def test_hostile_names_from_salesforce_are_only_text(side: AdminSide) -> None:
    """T10."""
    ada = side.connect()
    payload = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    with side.house.app.app_context(), side.state.database.write() as session:
        session.execute(update(Connection).values(org_name=payload, username=payload))
    for path in (SETTINGS, CONTACT, f"{SETTINGS}disconnect"):
        page = ada.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
