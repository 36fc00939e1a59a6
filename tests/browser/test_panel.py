"""The panel in a browser: every state, by mouse, by keyboard, without JavaScript, offline."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from keeping_plugin.errors import (
    Complaint,
    OutcomeUnclear,
    PermissionDenied,
    RateLimited,
    RecordRejected,
    SalesforceError,
    SalesforceUnavailable,
)
from keeping_plugin.services.ledger import claims
from keeping_plugin.services.panel import record_types
from keeping_plugin.times import Times
from tests.blueprints.inbox import CUSTOMER, url
from tests.browser.served import Served, spoken

Screenshot = Callable[[Page, str], Path]
Axe = Callable[[Page], None]
NewContext = Callable[..., BrowserContext]


@pytest.fixture
def in_every_dress(
    new_context: NewContext, served: Served, axe: Axe, screenshot: Screenshot
) -> Callable[..., None]:
    """Look at a state in light, dark and forced colors, narrow and wide; axe criticises each."""

    def look(name: str, *steps: Callable[[Page], object]) -> None:
        context = new_context(
            viewport={"width": 360, "height": 800},
            reduced_motion="reduce",
        )
        page = context.new_page()
        served.open(page)
        for step in steps:
            step(page)
        for scheme, width in (("light", 360), ("dark", 280), ("light", 720)):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 800})
            axe(page)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide}px wide in {width}px"
            screenshot(page, f"panel-{name}-{scheme}-{width}")
        page.emulate_media(forced_colors="active")
        axe(page)
        screenshot(page, f"panel-{name}-forced")
        context.close()

    return look


# States ------------------------------------------------------------------------------------------


def test_a_match(served: Served, in_every_dress: Callable[..., None]) -> None:
    served.fill()
    in_every_dress(
        "matched",
        lambda page: expect(page.get_by_role("heading", name="Jane Doe")).to_be_visible(),
        lambda page: page.locator("summary", has_text="Spring campaign").click(),
        lambda page: expect(page.get_by_role("button", name="Edit Stage")).to_be_visible(),
    )


def test_a_lead(served: Served, in_every_dress: Callable[..., None]) -> None:
    served.inbox.salesforce.add(
        "Lead", FirstName="Jane", LastName="Doe", Company="Acme", Email=CUSTOMER.email
    )
    in_every_dress("lead", lambda page: expect(page.get_by_text("Lead").first).to_be_visible())


def test_several_and_the_choice(
    served: Served, in_every_dress: Callable[..., None], page: Page
) -> None:
    served.fill()
    served.inbox.salesforce.add(
        "Lead", FirstName="Jane", LastName="Doe", Company="Acme", Email=CUSTOMER.email
    )
    in_every_dress("several")
    served.open(page)
    page.get_by_role("button", name="Choose Jane Doe, Contact").click()
    expect(page.get_by_text("Chosen from 2 records")).to_be_visible()
    # The button is gone: who listens goes on with what took its place.
    expect(page.locator("#k-panel")).to_be_focused()


def test_nobody(served: Served, in_every_dress: Callable[..., None]) -> None:
    in_every_dress("none")


def test_not_connected(unconnected: Served, page: Page, screenshot: Screenshot, axe: Axe) -> None:
    page.goto(f"{unconnected.address}/inbox/c-1")
    assert page.locator("keeping-panel").count() == 0
    page.goto(f"{unconnected.address}{url()}")
    expect(page.get_by_role("heading", name="Salesforce is not connected")).to_be_visible()
    axe(page)
    screenshot(page, "panel-not-connected")


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("unavailable", SalesforceUnavailable(), "Salesforce is not responding"),
        ("limited", RateLimited(daily=True), "Salesforce is not accepting more requests"),
        (
            "no-permission",
            PermissionDenied(
                complaints=(Complaint("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access"),)
            ),
            "No permission in Salesforce",
        ),
    ],
)
def test_trouble(
    served: Served,
    in_every_dress: Callable[..., None],
    page_guard: Any,
    name: str,
    error: SalesforceError,
    words: str,
) -> None:
    served.inbox.salesforce.fail("panel", error, times=None)
    page_guard.expect("status of (503|403)")
    in_every_dress(
        name, lambda page: expect(page.get_by_role("heading", name=words)).to_be_visible()
    )


def test_the_last_card_while_salesforce_is_away(
    served: Served, in_every_dress: Callable[..., None], page: Page, page_guard: Any
) -> None:
    served.fill()
    served.open(page)
    served.inbox.salesforce.fail("panel", SalesforceUnavailable(), times=None)
    page_guard.expect("status of 503")
    in_every_dress("last-card")
    served.open(page)
    served.inbox.salesforce.mend()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator('#k-panel[data-k-state="matched"]')).to_be_visible()


def test_a_lost_connection(
    served: Served, in_every_dress: Callable[..., None], page_guard: Any
) -> None:
    served.inbox.lose()
    page_guard.expect("status of 503")
    in_every_dress(
        "lost", lambda page: expect(page.get_by_role("alert").first).to_contain_text("lost")
    )


def test_loading(served: Served, page: Page, screenshot: Screenshot, axe: Axe) -> None:
    """The shape of what comes shows after a second; the inbox is there at once."""
    served.fill()
    answered = threading.Event()
    served.inbox.salesforce.meanwhile("panel", lambda: answered.wait(10))
    page.goto(f"{served.address}/inbox/c-1")
    expect(page.get_by_role("heading", name="Where is my order?")).to_be_visible()
    expect(page.locator("#k-panel")).to_have_attribute("aria-busy", "true")
    expect(page.locator(".k-skeleton")).to_have_css("opacity", "1")
    axe(page)
    screenshot(page, "panel-loading")
    answered.set()
    expect(page.get_by_role("heading", name="Jane Doe")).to_be_visible()


# Editing -----------------------------------------------------------------------------------------


def test_editing_by_keyboard_alone(served: Served, page: Page, axe: Axe) -> None:
    jane = served.fill()
    served.open(page)
    value = page.get_by_role("button", name="Edit Title: Head of Purchasing")
    value.focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("textbox", name="Title")
    expect(box).to_be_focused()
    axe(page)
    page.keyboard.press("Escape")
    expect(value).to_be_focused()
    page.keyboard.press("Enter")
    box.fill("CEO")
    page.keyboard.press("Enter")
    expect(spoken(page)).to_have_text("Title saved")
    expect(page.get_by_text("✓ Saved")).to_be_visible()
    expect(page.get_by_role("button", name="Edit Title: CEO")).to_be_focused()
    assert served.inbox.salesforce.fields("Contact", jane)["Title"] == "CEO"


def test_a_refusal_stays_beside_the_field_with_what_was_typed(
    served: Served, page: Page, page_guard: Any, axe: Axe, screenshot: Screenshot
) -> None:
    served.fill()
    words = "Titles need <b>approval</b>"
    complaint = Complaint("FIELD_CUSTOM_VALIDATION_EXCEPTION", words, ("Title",))
    served.inbox.salesforce.fail("update", RecordRejected(complaints=(complaint,)))
    page_guard.expect("status of 422")
    served.open(page)
    page.get_by_role("button", name="Edit Title").click()
    box = page.get_by_role("textbox", name="Title")
    box.fill("Queen")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text(words)).to_be_visible()
    expect(box).to_have_value("Queen")
    expect(box).to_be_focused()
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(spoken(page)).to_have_text("Salesforce refused Title.")
    axe(page)
    screenshot(page, "panel-refused")


def test_two_open_fields_do_not_lose_what_was_typed(served: Served, page: Page) -> None:
    served.fill()
    served.open(page)
    page.get_by_role("button", name="Edit Business Phone").click()
    page.get_by_role("textbox", name="Business Phone").fill("+1 999")
    page.get_by_role("button", name="Edit Title").click()
    title = page.get_by_role("textbox", name="Title")
    title.fill("CEO")
    title.press("Enter")
    expect(page.get_by_role("button", name="Edit Title: CEO")).to_be_visible()
    expect(page.get_by_role("textbox", name="Business Phone")).to_have_value("+1 999")


def test_somebody_elses_change_is_shown_beside_ones_own(
    served: Served, page: Page, page_guard: Any, axe: Axe, screenshot: Screenshot
) -> None:
    jane = served.fill()
    page_guard.expect("status of 409")
    served.open(page)
    page.get_by_role("button", name="Edit Title").click()
    page.get_by_role("textbox", name="Title").fill("Mine")
    served.inbox.salesforce.update("Contact", jane, Title="Theirs")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("cell", name="Theirs")).to_be_visible()
    axe(page)
    screenshot(page, "panel-conflict")
    page.get_by_role("button", name="Save mine").click()
    expect(page.get_by_role("button", name="Edit Title: Mine")).to_be_visible()
    assert served.inbox.salesforce.fields("Contact", jane)["Title"] == "Mine"


def test_offline_says_so_and_keeps_what_was_typed(
    served: Served, page: Page, page_guard: Any, screenshot: Screenshot
) -> None:
    served.fill()
    page_guard.expect("ERR_INTERNET_DISCONNECTED")
    served.open(page)
    page.get_by_role("button", name="Edit Title").click()
    box = page.get_by_role("textbox", name="Title")
    box.fill("CEO")
    page.context.set_offline(True)
    box.press("Enter")
    expect(page.get_by_text("You seem to be offline.")).to_be_visible()
    expect(box).to_have_value("CEO")
    screenshot(page, "panel-offline")
    page.context.set_offline(False)
    box.press("Enter")
    expect(page.get_by_role("button", name="Edit Title: CEO")).to_be_visible()
    expect(page.get_by_text("You seem to be offline.")).to_be_hidden()


# Adding ------------------------------------------------------------------------------------------


def test_adding_a_contact(served: Served, page: Page, in_every_dress: Callable[..., None]) -> None:
    acme = served.inbox.salesforce.add("Account", Name="Acme Roofing")
    in_every_dress(
        "create",
        lambda page: page.get_by_role("button", name="Add as Contact").click(),
        lambda page: expect(page.get_by_role("textbox", name="Last Name")).to_have_value("Doe"),
    )
    served.open(page)
    page.get_by_role("button", name="Add as Contact").click()
    search = page.get_by_role("searchbox", name="Account")
    search.press_sequentially("acme")
    page.get_by_role("radio", name="Acme Roofing").check()
    expect(search).to_have_value("acme")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("heading", name="Jane Doe")).to_be_visible()
    expect(spoken(page)).to_have_text("Added to Salesforce.")
    (made,) = served.inbox.salesforce.rows("Contact")
    assert made["AccountId"] == acme


def test_dependent_choices_follow_their_field(served: Served, page: Page) -> None:
    schema = served.inbox.salesforce.org.schemas
    name, spec = next(
        (name, spec)
        for name in ("Contact", "Lead")
        for spec in schema[name].fields.values()
        if spec.controller and spec.createable and spec.type == "picklist"
    )
    above = schema[name].fields[spec.controller]
    served.inbox.choose(name, "LastName", "Email", above.name, spec.name)
    served.open(page)
    page.get_by_role("button", name=f"Add as {name}").click()
    select = page.locator(f"#k-new-sf_{spec.name}")
    expect(select).to_be_visible()
    for index, entry in enumerate(above.picklist):
        if not entry.active:
            continue
        page.locator(f"#k-new-sf_{above.name}").select_option(entry.value)
        fitting = [v.label for v in spec.picklist if v.active and index in (v.valid_for or ())]
        assert select.locator("option").all_inner_texts() == ["–", *fitting]


def test_duplicates(served: Served, in_every_dress: Callable[..., None], page_guard: Any) -> None:
    served.inbox.salesforce.duplicate_rule("Contact", "LastName")
    served.inbox.salesforce.add(
        "Contact", FirstName="Jane", LastName="Doe", Email="old@example.com", Title="CFO"
    )
    page_guard.expect("status of 409")
    in_every_dress(
        "duplicates",
        lambda page: page.get_by_role("button", name="Add as Contact").click(),
        lambda page: page.get_by_role("button", name="Save", exact=True).last.click(),
        lambda page: expect(page.get_by_role("button", name="Use this one")).to_be_visible(),
    )


def test_no_answer_to_a_create(
    served: Served, page: Page, page_guard: Any, axe: Axe, screenshot: Screenshot
) -> None:
    served.inbox.salesforce.fail("create", OutcomeUnclear(), after=True)
    page_guard.expect("status of 504")
    served.open(page)
    page.get_by_role("button", name="Add as Contact").click()
    page.get_by_role("textbox", name="Title").fill("CEO")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("alert").first).to_contain_text(
        "Checking whether this person was saved"
    )
    expect(page.get_by_role("textbox", name="Title")).to_have_value("CEO")
    axe(page)
    screenshot(page, "panel-checking")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("heading", name="Jane Doe")).to_be_visible()
    assert len(served.inbox.salesforce.rows("Contact")) == 1


def test_a_person_whom_somebody_else_adds_appears_by_himself(
    served: Served, page: Page, page_guard: Any
) -> None:
    inbox = served.inbox
    with inbox.database.write() as session:
        claims.take(
            session,
            org_id=inbox.salesforce.org_id,
            addresses=[CUSTOMER.email],
            owner="drain",
            times=Times(),
        )
    page_guard.expect("status of 409")
    page.clock.install()
    served.open(page)
    page.get_by_role("button", name="Add as Contact").click()
    page.get_by_role("textbox", name="Title").fill("CEO")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("alert").first).to_contain_text("This person is being added")
    with page.expect_response(lambda answer: "checking=1" in answer.url):
        page.clock.run_for(5_000)
    expect(page.get_by_role("textbox", name="Title")).to_have_value("CEO")
    inbox.salesforce.add("Contact", FirstName="Jane", LastName="Doe", Email=CUSTOMER.email)
    with page.expect_response(lambda answer: "checking=2" in answer.url):
        page.clock.run_for(5_000)
    expect(page.get_by_role("heading", name="Jane Doe")).to_be_visible()


# Without JavaScript, in a strange host -----------------------------------------------------------


def test_everything_works_without_javascript(
    served: Served, new_context: NewContext, axe: Axe, screenshot: Screenshot
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{served.address}/inbox/c-1")
    page.get_by_role("link", name="Show Salesforce").first.click()
    page.get_by_role("button", name="Add as Contact").click()
    page.get_by_role("textbox", name="Last Name").fill("Roe")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("heading", name="Jane Roe")).to_be_visible()
    page.get_by_role("button", name="Edit Business Phone").click()
    page.get_by_role("textbox", name="Business Phone").fill("+1 2")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("✓ Saved")).to_be_visible()
    expect(page.get_by_role("button", name="Edit Business Phone: +1 2")).to_be_visible()
    screenshot(page, "panel-without-javascript")
    page.reload()  # which saves again, and finds everything there
    expect(page.get_by_role("button", name="Edit Business Phone: +1 2")).to_be_visible()
    page.get_by_role("button", name="Edit Business Phone: +1 2").click()
    page.get_by_role("textbox", name="Business Phone").fill("+1 3")
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.get_by_role("button", name="Undo: Business Phone").click()
    expect(page.get_by_text("✓ Undone")).to_be_visible()
    expect(page.get_by_role("button", name="Edit Business Phone: +1 2")).to_be_visible()
    log = page.get_by_role("region", name="Logged to Salesforce")
    expect(log).to_contain_text("Nothing logged")
    page.get_by_role("link", name="Back to the conversation").click()
    assert page.url.endswith("/inbox/c-1")


def test_the_hosts_styles_stay_out_and_ours_stay_in(served: Served, page: Page) -> None:
    served.open(page)
    button = page.get_by_role("button", name="Add as Lead")
    assert button.evaluate("e => getComputedStyle(e).backgroundColor") != "rgb(255, 105, 180)"
    title = page.get_by_role("heading", name="Where is my order?")
    assert "serif" in title.evaluate("e => getComputedStyle(e).fontFamily")
    page.add_style_tag(content=":root { --keeping-accent: rgb(1, 2, 3) }")
    accent = page.get_by_role("button", name="Add as Contact")
    expect(accent).to_have_css("background-color", "rgb(1, 2, 3)")


def test_hostile_values_run_nowhere(served: Served, page: Page) -> None:
    evil = (
        "\"'><img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
    )
    fake = served.inbox.salesforce
    account = fake.add("Account", Name=evil, Website="javascript:document.title='pwned'")
    jane = fake.add(
        "Contact", LastName=evil[:80], Title=evil, Email=CUSTOMER.email, AccountId=account
    )
    fake.add("Case", Subject=evil, CaseNumber="1", ContactId=jane)
    served.open(page)
    for summary in page.locator("summary").all():
        summary.click()
    page.get_by_role("button", name="Edit Title").click()
    expect(page.get_by_role("textbox", name="Title")).to_have_value(evil)
    assert page.title() == "Inbox"
    assert page.locator('#k-panel a[href^="javascript"]').count() == 0


def test_the_log(served: Served, in_every_dress: Callable[..., None]) -> None:
    from tests.blueprints.panel.test_log import arrives, settle

    arrives(served.inbox)
    settle(
        served.inbox,
        "log_task",
        state="failed",
        reason="rejected",
        words=[["FIELD_CUSTOM_VALIDATION_EXCEPTION", "No Tasks on Sundays", []]],
    )
    arrives(served.inbox, message_id="m-2", opens_conversation=False)
    in_every_dress(
        "log",
        lambda page: expect(page.locator("#k-log-summary")).to_contain_text("1 failed"),
        lambda page: expect(page.locator("#k-log-summary")).to_contain_text("No Tasks on Sundays"),
        lambda page: page.locator("#k-log-summary").click(),
        lambda page: expect(page.get_by_role("button", name="Try again")).to_be_visible(),
    )


def test_messages_are_logged_or_kept_out_by_hand(
    served: Served,
    page: Page,
    new_context: NewContext,
    in_every_dress: Callable[..., None],
    screenshot: Screenshot,
) -> None:
    """With script in place, by hover and by keyboard; without it on the log's own page."""
    from tests.blueprints.panel.test_log import arrives
    from tests.blueprints.panel.test_log_by_hand import receive

    receive(served.inbox)
    arrives(served.inbox, switched_on=False)
    served.open(page)
    page.locator("#k-log-summary").click()
    now = page.get_by_role("button", name="Log now")
    form = page.locator("form", has=now)
    page.mouse.move(0, 0)
    now.focus()
    expect(form).to_have_css("opacity", "1")
    now.press("Enter")
    stop = page.get_by_role("button", name="Do not log", exact=True)
    expect(page.locator("#k-log")).to_contain_text("By hand: Gus Agent.")
    expect(page.locator("#k-log-summary")).to_be_focused()
    expect(page.locator("form", has=stop)).to_have_css("opacity", "0")
    page.locator("#k-log li").first.hover()
    expect(page.locator("form", has=stop)).to_have_css("opacity", "1")
    stop.click()
    expect(page.locator("#k-log")).to_contain_text("An agent chose not to log it.")

    plain = new_context(java_script_enabled=False).new_page()
    plain.goto(f"{served.address}/salesforce/conversations/c-1/log")
    plain.get_by_role("button", name="Do not log this conversation").click()
    expect(plain.get_by_text("Gus Agent chose not to log this conversation")).to_be_visible()
    for scheme in ("light", "dark"):
        plain.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        screenshot(plain, f"log-by-hand-{scheme}-1280")
    in_every_dress(
        "by-hand",
        lambda page: page.locator("#k-log-summary").click(),
        lambda page: expect(page.get_by_role("button", name="Log now")).to_be_visible(),
        lambda page: page.get_by_role("button", name="Log now").focus(),
    )
    plain.get_by_role("button", name="Log now").click()
    plain.get_by_role("button", name="Log this conversation again").click()
    expect(plain.locator("bdi", has_text="In progress.")).to_be_visible()


def test_another_record_type_brings_its_own_choices_and_keeps_what_was_typed(
    served: Served, page: Page
) -> None:
    record_types._cache.clear()  # other tests of this process filled it
    served.open(page)
    page.get_by_role("button", name="Add as Contact").click()
    page.get_by_role("textbox", name="Title").fill("CEO")
    expect(page.get_by_role("button", name="Use this type")).to_be_hidden()
    kind = page.get_by_role("combobox", name="Record type")
    others = kind.locator("option").all_inner_texts()
    kind.focus()
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        kind.select_option(label=others[-1])
    expect(kind).to_be_focused()
    expect(page.get_by_role("textbox", name="Title")).to_have_value("CEO")
    assert served.inbox.calls().count("picklist_values") == len(others)
