"""The panel by its keys: in from the reply, around, and back; and what stays in its place."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from keeping_plugin.errors import SalesforceUnavailable
from keeping_plugin.objects import CREATED
from keeping_plugin.services.people import finding
from keeping_plugin.services.schema import creating
from keeping_plugin.types import Address, Direction, Message
from tests.blueprints.inbox import ADMIN, CONVERSATION, CUSTOMER, url
from tests.browser.served import Served

# What a host has around the panel: a reply, and a way from there to the panel.
HOST = """async () => {
  const main = document.querySelector("main");
  main.querySelector("textarea").id = "reply";
  main.insertAdjacentHTML("beforeend",
    `<a id="to" href="#keeping-panel" data-keeping-from="reply">To Salesforce</a>`);
  document.querySelector("aside").insertAdjacentHTML("beforeend", `<a id="next" href="/">Next</a>`);
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const shift of list.getEntries()) window.shifted += shift.hadRecentInput ? 0 : shift.value;
  }).observe({ type: "layout-shift" });
}"""


def test_keys_lead_through_the_panel_and_back_to_the_reply(served: Served, page: Page) -> None:
    jane = served.fill()
    page.clock.install()
    served.open(page)
    page.evaluate(HOST)
    reply, panel = page.get_by_label("Reply"), page.locator("#k-panel")
    reply.fill("Dear Jane, er?")
    reply.press("r")
    assert served.inbox.calls() == ["panel"], "a key in the reply is a letter"
    # In by the host's link, where the panel is the next thing; back by Esc.
    page.locator("#to").press("Enter")
    expect(panel).to_be_focused()
    page.keyboard.press("Escape")
    expect(reply).to_be_focused()
    # Out at the other end by the skip link.
    page.locator("#to").press("Enter")
    page.keyboard.press("Shift+Tab")
    skip = page.get_by_role("link", name="Skip Salesforce")
    expect(skip).to_be_focused()
    skip.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#next")).to_be_focused()
    # Refresh: one key or one click, and nothing moves.
    page.locator("#to").press("Enter")
    page.clock.run_for(210_000)
    expect(page.locator("[data-k-age]")).to_have_text("3 min ago")
    before = panel.bounding_box()
    with page.expect_response(lambda answer: answer.url.endswith(url())):
        page.keyboard.press("r")
    expect(page.locator("[data-k-age]")).to_have_text("just now")
    expect(page.locator("#k-refresh")).to_be_focused()
    assert panel.bounding_box() == before
    assert page.evaluate("window.shifted") == 0
    assert served.inbox.calls() == ["panel", "panel"]
    # The list, and the switch that turns the keys off.
    page.keyboard.press("?")
    listed = page.get_by_text("Ask Salesforce again")
    expect(listed).to_be_visible()
    switch = page.get_by_role("checkbox", name="Use shortcuts")
    switch.uncheck()
    switch.press("r")
    page.keyboard.press("e")
    expect(panel).to_be_visible()
    assert served.inbox.calls() == ["panel", "panel"]
    switch.check()
    # e edits the record that holds the focus, else the person.
    page.locator("summary", has_text="Spring campaign").press("Enter")
    page.keyboard.press("e")
    expect(page.get_by_role("textbox", name="Amount")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    page.locator("#k-refresh").press("e")
    expect(page.get_by_role("textbox", name="Last Name")).to_have_value("Doe")
    page.get_by_role("link", name="Cancel").click()
    # A field that is being edited is not lost to a key.
    page.locator(f"#k-{jane}-Title-edit").click()
    page.get_by_role("textbox", name="Title").fill("CEO")
    page.get_by_role("button", name="Save", exact=True).last.press("r")
    expect(page.get_by_role("textbox", name="Title")).to_have_value("CEO")


def test_the_case_that_the_mail_is_about_opens_with_one_click(served: Served, page: Page) -> None:
    jane = served.fill()
    fake = served.inbox.salesforce
    case = fake.add("Case", CaseNumber="00004711", Subject="Ours", ContactId=jane)
    for _ in range(6):
        fake.add("Case", Subject="Later", ContactId=jane)
    subject = "Re: [#4711] Broken tile"
    served.inbox.desk.add_conversation("acme", replace(CONVERSATION, subject=subject))
    served.open(page)
    first = page.locator("section[aria-labelledby=k-cases] .k-record-row").first
    expect(first).to_contain_text("In the subject")
    go = first.get_by_role("link", name="Open in Salesforce: 00004711")
    expect(go).to_have_css("opacity", "0")
    first.locator("summary").focus()
    expect(go).to_have_css("opacity", "1")
    first.locator("summary").blur()
    first.hover()
    expect(go).to_have_css("opacity", "1")
    expect(go).to_have_attribute(
        "href", f"https://acme.my.salesforce.com/lightning/r/Case/{case}/view"
    )
    first.locator("summary").click()
    expect(page.locator(f"#k-{case}-Subject")).to_be_visible()


@pytest.fixture
def making(served: Served) -> Served:
    """Agents may create whatever can be created."""
    with served.inbox.database.write() as session:
        for row in CREATED:
            creating.change(session, ADMIN, row.name, allowed=True)
    return served


def test_a_case_takes_two_clicks_and_enter_and_cancel_returns(
    making: Served,
    page: Page,
    axe: Callable[[Page], None],
    screenshot: Callable[[Page, str], Path],
) -> None:
    making.fill()
    page.set_viewport_size({"width": 280, "height": 900})
    making.open(page)
    reply = page.get_by_label("Reply")
    reply.fill("Dear Jane,")
    page.locator("#k-new > summary").click()
    screenshot(page, "new-280")
    page.locator("#k-new-Case").click()
    subject = page.get_by_role("textbox", name="Subject")
    expect(subject).to_be_focused()
    expect(subject).to_have_value(CONVERSATION.subject)
    axe(page)
    screenshot(page, "new-case-280")
    page.get_by_role("link", name="Cancel").press("Enter")
    expect(page.locator("#k-new-Case")).to_be_focused()
    assert making.inbox.calls() == ["panel"]
    page.keyboard.press("Enter")
    expect(subject).to_be_focused()
    subject.press("Enter")
    row = page.locator("section[aria-labelledby=k-cases] details[open]")
    expect(row).to_contain_text(CONVERSATION.subject)
    expect(row.get_by_text("✓ Saved")).to_be_visible()
    assert making.inbox.calls() == ["panel", "create", "panel"]
    expect(reply).to_have_value("Dear Jane,")
    # A Task is not listed there; whoever has gone back to the reply stays in it.
    page.locator("#k-new-Task").click()
    page.locator("#k-new-sf_Subject").fill("Call back")
    answered = page.expect_response(lambda answer: answer.url.endswith("/new/Task"))
    with answered:
        page.locator("#k-new-sf_Subject").press("Enter")
        reply.focus()
    expect(page.get_by_role("link", name="Open the Task in Salesforce")).to_be_visible()
    expect(reply).to_be_focused()
    assert [row["Subject"] for row in making.inbox.salesforce.rows("Task")] == ["Call back"]


def test_a_case_is_created_without_script_at_360_pixels(
    making: Served,
    browser: Browser,
    axe: Callable[[Page], None],
    screenshot: Callable[[Page, str], Path],
) -> None:
    making.fill()
    context = browser.new_context(
        java_script_enabled=False,
        viewport={"width": 360, "height": 740},
        color_scheme="dark",
    )
    page = context.new_page()
    page.goto(f"{making.address}{url()}")
    page.locator("#k-new > summary").press("Enter")
    page.locator("#k-new-Case").click()
    screenshot(page, "new-case-360-dark")
    page.get_by_role("textbox", name="Subject").fill("Broken again")
    page.get_by_role("button", name="Save", exact=True).last.click()
    row = page.locator("section[aria-labelledby=k-cases] details[open]")
    expect(row).to_contain_text("Broken again")
    subjects = [row["Subject"] for row in making.inbox.salesforce.rows("Case")]
    assert subjects == ["Broken tile", "Broken again"]
    context.close()


def test_coming_back_from_converting_a_lead_shows_the_contact(
    making: Served, page: Page, screenshot: Callable[[Page, str], Path]
) -> None:
    fake = making.inbox.salesforce
    lead = fake.add("Lead", LastName="Doe", Company="Acme", Email="jane@acme.example")
    making.open(page)
    convert = page.get_by_role("link", name="Convert in Salesforce")
    expect(convert).to_have_attribute(
        "href", f"https://acme.my.salesforce.com/lightning/r/Lead/{lead}/view"
    )
    page.locator("#k-new > summary").click()
    screenshot(page, "new-lead")
    page.evaluate(
        """document.querySelector("keeping-panel").shadowRoot.getElementById("k-convert")
        .addEventListener("click", (event) => event.preventDefault())"""
    )
    convert.click()
    fake.convert(lead)
    reply = page.get_by_label("Reply")
    reply.focus()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.get_by_role("heading", name="Account", exact=True)).to_be_visible()
    expect(reply).to_be_focused()
    assert making.inbox.calls() == ["panel", "panel"]


@pytest.fixture
def ada(served: Served) -> str:
    """Somebody with another address, in an org that agents may search."""
    inbox = served.inbox
    with inbox.database.write() as session:
        finding.allow_search(session, ADMIN, wanted=True)
        finding.name_address_field(session, ADMIN, "Contact", "Second_Email__c")
    account = inbox.salesforce.add("Account", Name="Engines Ltd")
    return inbox.salesforce.add(
        "Contact", FirstName="Ada", LastName="Byron", Email="ada@old.example", AccountId=account
    )


def test_find_by_name_and_keep_by_keys_and_take_it_back(
    served: Served,
    page: Page,
    ada: str,
    axe: Callable[[Page], None],
    screenshot: Callable[[Page, str], Path],
) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    served.open(page)
    expect(page.get_by_role("heading", name="Not in Salesforce")).to_be_visible()
    reply, box = page.get_by_label("Reply"), page.get_by_role("searchbox", name="Search Salesforce")
    page.get_by_role("button", name="Add as Contact").press("/")
    expect(box).to_be_focused()
    box.fill("byron")
    box.press("Enter")
    hit = page.get_by_role("button", name="This is them: Ada Byron")
    expect(hit).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        axe(page)
        screenshot(page, f"find-{scheme}")
    # Esc goes back, and the box is found by its key from a card as well.
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Not in Salesforce")).to_be_visible()
    box.fill("byron")
    box.press("Enter")
    hit.press("Enter")
    expect(page.get_by_role("heading", name="Ada Byron")).to_be_visible()
    expect(page.get_by_text("Chosen for")).to_be_visible()
    axe(page)
    screenshot(page, "find-chosen")
    page.locator("#k-refresh").press("/")
    expect(box).to_be_focused()
    box.fill("nobody-like-that")
    box.press("Enter")
    expect(page.get_by_text("Nothing found.", exact=False).first).to_be_visible()
    page.get_by_role("link", name="Back").click()  # to the empty box,
    page.get_by_role("link", name="Back").click()  # and to the card
    page.get_by_role("button", name="Not them").click()
    expect(page.get_by_role("heading", name="Not in Salesforce")).to_be_visible()
    # Whoever goes on typing in the reply is left there when the answer arrives.
    box.fill("byron")
    with page.expect_response(lambda answer: "/find" in answer.url):
        page.get_by_role("button", name="Search", exact=True).click()
        reply.focus()
    expect(hit).to_be_visible()
    expect(reply).to_be_focused()


def test_the_address_is_added_in_two_clicks_or_replaced_after_confirming(
    served: Served,
    page: Page,
    new_context: Callable[..., BrowserContext],
    ada: str,
    axe: Callable[[Page], None],
    screenshot: Callable[[Page, str], Path],
) -> None:
    inbox, saved = served.inbox, "The address was saved in Salesforce."
    page.set_viewport_size({"width": 360, "height": 740})
    served.open(page)
    reply, box = page.get_by_label("Reply"), page.get_by_role("searchbox", name="Search Salesforce")
    box.fill("byron")
    page.get_by_role("button", name="Search", exact=True).click()
    keep = page.get_by_role("button", name="and add the address: Ada Byron")
    expect(keep).to_be_visible()
    before = len(inbox.calls())
    keep.click()
    expect(page.locator("#k-panel .k-notice--good")).to_have_text(saved)
    expect(page.get_by_role("heading", name="Ada Byron")).to_be_visible()
    assert inbox.calls()[before:] == ["panel", "update"]
    assert inbox.salesforce.fields("Contact", ada)["Second_Email__c"] == CUSTOMER.email
    page.get_by_role("button", name="Not them").click()
    # On the card of a chosen record: a field that has a value asks first.
    inbox.salesforce.update("Contact", ada, Second_Email__c="ada@home.example")
    box.fill("byron")
    box.press("Enter")
    page.get_by_role("button", name="This is them: Ada Byron").press("Enter")
    add = page.get_by_role("link", name="Add the address")
    replace_it = page.get_by_role("link", name="Replace the address")
    expect(add).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    screenshot(page, "address-card")
    before = len(inbox.calls())
    add.press("Enter")
    expect(page.get_by_role("alert").get_by_text("This field already has a value")).to_be_visible()
    expect(page.get_by_role("alert").get_by_text("ada@home.example")).to_be_visible()
    page.keyboard.press("Escape")
    expect(add).to_be_focused()
    replace_it.press("Enter")
    expect(page.get_by_role("alert").get_by_text("ada@old.example")).to_be_visible()
    assert len(inbox.calls()) == before, "showing both values makes no request"
    for scheme, width in (("light", 360), ("dark", 360), ("light", 1280)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 740})
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        screenshot(page, f"address-{scheme}-{width}")
    with page.expect_response(lambda answer: "/address" in answer.url):
        page.get_by_role("button", name="Replace the address").click()
        reply.focus()
    expect(page.locator("#k-panel .k-notice--good")).to_have_text(saved)
    expect(reply).to_be_focused()
    assert inbox.calls()[before:] == ["panel", "update"]
    assert inbox.salesforce.fields("Contact", ada)["Email"] == CUSTOMER.email
    # Without the script.
    inbox.salesforce.update("Contact", ada, Email="ada@old.example")
    plain = new_context(java_script_enabled=False).new_page()
    plain.goto(f"{served.address}{url()}")
    plain.get_by_role("link", name="Replace the address").click()
    plain.get_by_role("button", name="Replace the address").click()
    expect(plain.locator(".k-notice--good")).to_have_text(saved)
    assert inbox.salesforce.fields("Contact", ada)["Email"] == CUSTOMER.email


def test_the_others_on_the_conversation_are_a_click_away_and_nothing_typed_is_lost(
    served: Served,
    page: Page,
    new_context: Callable[..., BrowserContext],
    axe: Callable[[Page], None],
    screenshot: Callable[[Page, str], Path],
) -> None:
    jane = served.fill()
    names = ["Cara Copied", *(f"Nr. {number} of many people" for number in range(14))]
    copied = [Address(f"p{number}@many.example", name) for number, name in enumerate(names)]
    served.inbox.desk.add_message(
        Message(
            company_id="acme",
            mailbox_id="support",
            conversation_id="c-1",
            message_id="m1",
            direction=Direction.INBOUND,
            opens_conversation=True,
            customer=CUSTOMER,
            sender=CUSTOMER,
            recipients=copied,
            sent_at=served.inbox.clock.now(),
        )
    )
    served.inbox.salesforce.add(
        "Contact", FirstName="Cara", LastName="Copied", Email=copied[0].email
    )
    page.set_viewport_size({"width": 360, "height": 740})
    served.open(page)
    row = page.get_by_role("navigation", name="People on this conversation")
    reply, cara = page.get_by_label("Reply"), row.get_by_role("link", name="Cara Copied")
    page.locator(f"#k-{jane}-Phone-edit").click()
    phone = page.get_by_role("textbox", name="Business Phone")
    phone.fill("+1 555 0199")
    assert served.inbox.calls() == ["panel"]
    # Her card comes while somebody types in the reply; what was typed before stays.
    with page.expect_response(lambda answer: "c-1~" in answer.url):
        cara.click()
        reply.focus()
    expect(page.get_by_role("heading", name="Cara Copied")).to_be_visible()
    expect(reply).to_be_focused()
    expect(phone).to_have_value("+1 555 0199")
    expect(page.locator("form", has=phone).get_by_text("Jane Doe")).to_be_visible()
    assert served.inbox.calls() == ["panel", "panel"]
    expect(cara).to_have_attribute("aria-current", "true")
    page.locator("summary", has_text="+4").press("Enter")
    expect(page.get_by_role("link", name="Nr. 13 of many people")).to_be_visible()
    for scheme, width in (("light", 360), ("dark", 360), ("light", 1280)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 740})
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        screenshot(page, f"others-{scheme}-{width}")
    page.emulate_media(forced_colors="active")
    axe(page)
    screenshot(page, "others-forced")
    # Back to the customer by keys: the focus stays on the name, the editor is in its place.
    back = row.get_by_role("link", name="Jane Doe")
    back.press("Enter")
    expect(page.get_by_role("heading", name="Jane Doe")).to_be_visible()
    expect(back).to_be_focused()
    expect(page.locator("form", has=phone).get_by_text("Jane Doe")).to_be_hidden()
    expect(
        page.locator(f"#k-{jane}-Phone textarea, #k-{jane}-Phone input[type=tel]")
    ).to_have_value("+1 555 0199")
    # Without the script, by pages; the browser's Back returns.
    plain = new_context(java_script_enabled=False).new_page()
    plain.goto(f"{served.address}{url()}")
    plain.get_by_role("link", name="Cara Copied").click()
    expect(plain.get_by_role("heading", name="Cara Copied")).to_be_visible()
    plain.go_back()
    expect(plain.get_by_role("heading", name="Jane Doe")).to_be_visible()


OBSERVE = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) if (!shift.hadRecentInput) window.shifts.push(shift.value);
}).observe({ type: "layout-shift", buffered: true });
"""
# An observer hears of a frame in the one after it.
SHIFTS = """async () => {
  for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  return window.shifts.splice(0);
}"""
TOPS = """() => {
  const within = document.querySelector("keeping-panel").shadowRoot;
  return [...within.querySelectorAll(".k-panel__name, .k-field, .k-record")].map(
    (one) => [one.textContent.trim().slice(0, 12), Math.round(one.getBoundingClientRect().top)]);
}"""


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_jumps_while_answers_arrive(
    served: Served, page: Page, page_guard: Any, width: int
) -> None:
    served.fill()
    page_guard.expect("status of 503")
    page.add_init_script(OBSERVE)
    page.set_viewport_size({"width": width, "height": 800})

    def held(verb: str, fault: Exception | None = None) -> threading.Event:
        answered = threading.Event()

        def answer() -> None:
            answered.wait(30)
            if fault is not None:
                raise fault

        served.inbox.salesforce.meanwhile(verb, answer)
        return answered

    def state(name: str) -> None:
        expect(page.locator(f'#k-panel[data-k-state="{name}"]')).to_be_visible()

    # The first time, when nothing is known and Salesforce is slow.
    answered = held("panel")
    page.goto(f"{served.address}/inbox/c-1")
    expect(page.locator(".k-skeleton")).to_have_css("opacity", "1")
    answered.set()
    state("matched")
    assert page.evaluate(SHIFTS) == []
    # From what was known to what Salesforce answers, or to its silence: everything stays.
    for fault, after in ((None, "matched"), (SalesforceUnavailable(), "unavailable")):
        answered = held("panel", fault)
        page.goto(f"{served.address}/inbox/c-1")
        state("known")
        known = page.evaluate(TOPS)
        assert len(known) > 5
        answered.set()
        state(after)
        assert page.evaluate(TOPS) == known
        assert page.evaluate(SHIFTS) == []
    expect(page.get_by_role("button", name="Try again")).to_be_in_viewport()
    page.get_by_role("button", name="Try again").click()
    state("matched")
    assert page.evaluate(TOPS) == known
    # A save and its undo. What follows a click within half a second is excused, so it comes later.
    page.get_by_role("button", name="Edit Title").click()
    page.get_by_role("textbox", name="Title").fill("CEO")
    for button, said in (("Save", "✓ Saved"), ("Undo: Title", "✓ Undone")):
        answered = held("update")
        page.get_by_role("button", name=button, exact=True).last.click()
        pressed = page.evaluate("performance.now()")
        page.wait_for_function("pressed => performance.now() > pressed + 600", arg=pressed)
        answered.set()
        expect(page.get_by_text(said)).to_be_visible()
        assert page.evaluate(SHIFTS) == []
    # The observer does see what jumps.
    page.evaluate("document.body.prepend(document.createElement('hr'))")
    assert page.evaluate(SHIFTS) != []


def test_the_most_frequent_things_take_as_few_clicks_as_promised(
    served: Served, new_context: Callable[..., BrowserContext]
) -> None:
    """Those of the table in docs/journeys.md; each row counts the clicks up to where the person
    types, and that which saves where nothing is typed."""
    fake = served.inbox.salesforce
    context = new_context(
        permissions=["clipboard-read", "clipboard-write"], viewport={"width": 400, "height": 800}
    )
    context.route("https://acme.my.salesforce.com/**", lambda route: route.fulfill(body="Case"))
    page = context.new_page()
    clicks: list[str] = []

    def click(what: Locator) -> None:
        clicks.append(what.inner_text())
        what.click()

    def taken() -> int:
        number = len(clicks)
        clicks.clear()
        return number

    button, text, value = (
        partial(page.get_by_role, "button", exact=True),
        partial(page.get_by_role, "textbox"),
        lambda label: page.locator(".k-field", has_text=label).first.locator(".k-value"),
    )
    # Add a Contact, whose form is filled in already.
    served.open(page)
    click(button(name="Add as Contact"))
    expect(text(name="Last Name")).to_have_value("Doe")
    click(button(name="Save").last)
    expect(page.get_by_role("heading", name="Jane Doe")).to_be_visible()
    assert taken() == 2
    # Choose among several.
    served.fill()
    served.open(page)
    click(page.locator(".k-candidate", has_text="Acme Roofing").get_by_role("button"))
    expect(value("Business Phone")).to_have_text("+1 555 0100")
    assert taken() == 1
    # See why nothing was logged: it stands there.
    expect(page.get_by_text("Nothing logged: Salesforce was not connected")).to_be_visible()
    # Edit a phone number, undo that, copy it.
    click(value("Business Phone"))
    expect(text(name="Business Phone")).to_be_focused()
    assert taken() == 1
    page.keyboard.type("+1 2")
    page.keyboard.press("Enter")
    expect(value("Business Phone")).to_have_text("+1 2")
    click(button(name="Undo: Business Phone"))
    expect(value("Business Phone")).to_have_text("+1 555 0100")
    assert taken() == 1
    value("Business Phone").hover()
    click(button(name="Copy Business Phone"))
    assert page.evaluate("navigator.clipboard.readText()") == "+1 555 0100"
    assert taken() == 1
    # Change a deal's stage.
    click(page.locator("summary", has_text="Spring campaign"))
    height = "e => e.getBoundingClientRect().height"
    assert value("Stage").evaluate(height) == value("Business Phone").evaluate(height)
    click(value("Stage"))
    stage = page.get_by_role("combobox", name="Stage")
    expect(stage).to_be_focused()
    assert taken() == 2
    stage.select_option("Closed Won")
    page.keyboard.press("Control+Enter")
    expect(value("Stage")).to_have_text("Closed Won")
    # Open the Case in Salesforce; ask Salesforce again.
    case = page.locator(".k-record-row", has_text="Broken tile")
    case.hover()
    with context.expect_page() as opened:
        click(case.get_by_role("link", name="Open in Salesforce"))
    opened.value.close()
    assert taken() == 1
    fake.calls.clear()
    with page.expect_response(lambda answer: answer.url.endswith(url())):
        click(page.get_by_role("link", name="Refresh"))
    assert served.inbox.calls() == ["panel"]
    assert taken() == 1
