"""Nothing typed is lost, and values are there to be read, marked and carried elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, expect

from keeping_plugin.errors import SalesforceUnavailable
from tests.blueprints.inbox import AGENT
from tests.browser.served import Served, spoken
from tests.servers.chromium import PageGuard


def test_a_session_that_ended_costs_nothing_that_was_typed(
    served: Served, page: Page, page_guard: PageGuard
) -> None:
    """Whatever is pressed meanwhile says *Log in*; after that, in another tab, Save works."""
    page_guard.expect("40[01] ")
    jane = served.fill()
    served.open(page)
    page.get_by_role("button", name="Edit Title").click()
    title = page.get_by_role("textbox", name="Title")
    title.fill("CEO")
    served.inbox.desk.agent = None
    page.context.clear_cookies()
    page.get_by_role("button", name="Edit Business Phone").click()
    said = page.get_by_role("alert").filter(has_text="Log in first")
    expect(said).to_be_visible()
    title.press("Enter")
    link = page.get_by_role("link", name="Log in")
    expect(link.first).to_have_attribute("href", page.url)
    expect(link.first).to_have_attribute("target", "_blank")
    expect(title).to_have_value("CEO")
    served.inbox.desk.agent = AGENT
    page.context.clear_cookies()
    title.press("Enter")
    expect(page.get_by_role("button", name="Edit Title: CEO")).to_be_visible()
    expect(page.get_by_text("Log in first")).to_be_hidden()
    assert served.inbox.salesforce.fields("Contact", jane)["Title"] == "CEO"


def test_answers_that_are_none_of_ours_or_fail_leave_the_panel_as_it_is(
    served: Served, page: Page, page_guard: PageGuard
) -> None:
    """A proxy's 503, a login page, and our own error for something else that was pressed."""
    page_guard.expect("status of 50[03]")
    served.fill()
    served.open(page)
    page.get_by_role("button", name="Edit Title").click()
    title = page.get_by_role("textbox", name="Title")
    title.fill("CEO")
    away = "**/salesforce/conversations/**"
    page.route(away, lambda route: route.fulfill(status=503, body="<h1>Bad gateway</h1>"))
    for press in (
        lambda: title.press("Enter"),
        lambda: page.get_by_role("button", name="Edit Business Phone").click(),
        lambda: page.get_by_role("link", name="Refresh").click(),
    ):
        press()
        expect(page.get_by_role("alert").filter(has_text="nothing was lost")).to_be_visible()
        expect(title).to_have_value("CEO")
    page.unroute(away)
    served.inbox.salesforce.fail("panel", SalesforceUnavailable(), times=None)
    served.inbox.salesforce.fail("read", SalesforceUnavailable(), times=None)
    title.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="is not responding")).to_be_visible()
    expect(title).to_have_value("CEO")
    served.inbox.salesforce.mend()
    title.press("Enter")
    expect(page.get_by_role("button", name="Edit Title: CEO")).to_be_visible()


def test_an_editor_whose_field_is_gone_from_the_card_stays_above_it(
    served: Served, page: Page, page_guard: PageGuard
) -> None:
    """Two editors are open, one is saved, and the record of the other is shown no more."""
    jane = served.fill()
    served.open(page)
    page.locator("summary", has_text="Spring campaign").click()
    page.get_by_role("button", name="Edit Amount").first.click()
    amount = page.get_by_role("textbox", name="Amount")
    amount.fill("17")
    page.get_by_role("button", name="Edit Business Phone").click()
    phone = page.get_by_role("textbox", name="Business Phone")
    phone.fill("+1 999")
    fake = served.inbox.salesforce
    for role in fake.rows("OpportunityContactRole"):
        fake.delete("OpportunityContactRole", role["Id"])
    fake.update("Contact", jane, AccountId=None)
    phone.press("Enter")
    expect(page.get_by_role("button", name="Edit Business Phone: +1 999")).to_be_focused()
    expect(page.locator("summary", has_text="Spring campaign")).to_be_hidden()
    expect(amount).to_have_value("17")


@pytest.mark.parametrize("leave", ["Back", "link"])
def test_whoever_leaves_a_changed_editor_is_asked(served: Served, page: Page, leave: str) -> None:
    served.fill()
    page.goto(f"{served.address}/token")
    served.open(page)
    here = page.url
    page.get_by_role("button", name="Edit Title").click()
    title = page.get_by_role("textbox", name="Title")
    title.press_sequentially("CEO")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    if leave == "Back":
        page.evaluate("history.back()")
    else:
        page.evaluate("location.assign('/token')")
    page.wait_for_function("() => true")
    expect(title).to_have_value("CEO")
    assert (asked, page.url) == (["beforeunload"], here)
    title.press("Enter")
    expect(page.get_by_role("button", name="Edit Title: CEO")).to_be_visible()
    page.goto(f"{served.address}/token")  # saved: nobody is asked
    assert asked == ["beforeunload"]


def test_values_are_marked_copied_unfolded_and_go_on_at_their_end(
    served: Served, new_context: Callable[..., BrowserContext]
) -> None:
    context = new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    jane = served.fill()
    long = "\n".join(f"Line {number}" for number in range(12))
    served.inbox.choose("Contact", "Name", "Email", "Phone", "Title", "Description")
    served.inbox.salesforce.update("Contact", jane, Description=long)
    served.open(page)
    value = page.get_by_text("+1 555 0100")
    box = value.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 1, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, middle, steps=4)
    page.mouse.up()
    chosen = "document.querySelector('keeping-panel').shadowRoot.getSelection().toString()"
    assert "555" in page.evaluate(chosen)
    expect(page.get_by_role("textbox", name="Business Phone")).to_be_hidden()
    page.get_by_role("button", name="Copy Business Phone").click()
    assert page.evaluate("navigator.clipboard.readText()") == "+1 555 0100"
    page.get_by_role("heading", name="Jane Doe").click()
    value.click()
    phone = page.get_by_role("textbox", name="Business Phone")
    expect(phone).to_be_focused()
    assert phone.evaluate("e => [e.selectionStart, e.selectionEnd]") == [0, len("+1 555 0100")]
    phone.press("Escape")
    text = page.locator(".k-value--long bdi")
    folded = text.evaluate("e => e.getBoundingClientRect().height")
    page.get_by_text("Show more").click()
    assert text.evaluate("e => e.getBoundingClientRect().height") > folded * 2
    page.get_by_role("button", name="Edit Contact Description").click()
    area = page.get_by_role("textbox", name="Contact Description")
    expect(area).to_be_focused()
    ends = [len(long), len(long)]
    assert area.evaluate("e => [e.selectionStart, e.selectionEnd]") == ends


def test_what_was_saved_can_be_undone_while_it_stands(
    served: Served, page: Page, page_guard: PageGuard
) -> None:
    """One press brings back what the field held, unless somebody else saved it since; after a long
    form, too, the result is in view."""
    page_guard.expect("status of 409")
    jane = served.fill()
    fake = served.inbox.salesforce
    page.set_viewport_size({"width": 400, "height": 400})
    served.open(page)
    page.get_by_role("button", name="Edit Title").click()
    page.get_by_role("textbox", name="Title").fill("CEO")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Undo: Title").click()
    expect(page.get_by_role("button", name="Edit Title: Head of Purchasing")).to_be_focused()
    expect(page.get_by_text("✓ Undone")).to_be_visible()
    assert fake.fields("Contact", jane)["Title"] == "Head of Purchasing"

    page.get_by_role("link", name="Edit all fields of Jane Doe").click()
    page.get_by_role("textbox", name="Title").fill("CFO")
    page.get_by_role("textbox", name="Business Phone").fill("+1 2")
    page.get_by_role("textbox", name="Mailing Zip/Postal Code").press("Enter")
    expect(page.get_by_text("✓ Saved")).to_be_in_viewport()
    fake.update("Contact", jane, Title="Theirs")
    page.get_by_role("button", name="Undo: Jane Doe").click()
    expect(page.get_by_role("cell", name="Theirs")).to_be_visible()
    page.get_by_role("button", name="Save mine").click()
    expect(page.get_by_role("button", name="Edit Title: Head of Purchasing")).to_be_attached()
    assert fake.fields("Contact", jane)["Phone"] == "+1 555 0100"


def test_german_numbers_and_times_are_read_asked_about_and_printed_back(
    served: Served, new_context: Callable[..., BrowserContext], page_guard: PageGuard
) -> None:
    page_guard.expect("status of 422")
    served.fill()
    deal = next(d for d in served.inbox.salesforce.rows("Opportunity") if d["Name"] != "Tiles")
    served.inbox.choose("Opportunity", "Name", "Amount", "CloseDate", "CreatedDate")
    page = new_context(locale="de-DE", timezone_id="Asia/Tokyo").new_page()
    served.open(page)
    page.locator("summary", has_text="Spring campaign").click()
    shown = page.locator("details", has_text="Spring campaign")
    expect(shown).to_contain_text("1.200,50")
    expect(shown).to_contain_text("1. Dezember 2026")
    stamp = shown.locator("time").first
    assert "." not in str(stamp.get_attribute("datetime"))
    expect(shown).not_to_contain_text("UTC")
    page.get_by_role("button", name="Edit Amount").first.click()
    box = page.get_by_role("textbox", name="Amount")
    expect(box).to_have_value("1200,50")
    for typed, told in (
        ("1234567,5", "1.234.567,5"),
        ("１２３４．５", "1.234,5"),
        ("1,234,567", "1.234.567"),
        ("54.500", "54.500 or 54,5?"),
        ("x", ""),
        ("54.500", "54.500 or 54,5?"),
    ):
        box.fill(typed)
        expect(page.locator("[data-k-echo]")).to_have_text(told)
    box.press("Enter")
    expect(page.get_by_text("Do you mean 54.500 or 54,5?")).to_be_visible()
    page.get_by_role("button", name="54.500", exact=True).click()
    expect(page.get_by_role("button", name="Edit Amount: 54.500,00")).to_be_focused()
    assert served.inbox.salesforce.fields("Opportunity", deal["Id"])["Amount"] == 54500


def test_the_known_card_stands_greyed_while_salesforce_hangs(
    served: Served, page: Page, screenshot: Callable[[Page, str], Path], axe: Callable[[Page], None]
) -> None:
    """Within a second; an editor that was opened in it outlives the answer."""
    jane = served.fill()
    served.open(page)
    answered = threading.Event()
    served.inbox.salesforce.meanwhile("panel", lambda: answered.wait(30))
    page.goto(f"{served.address}/inbox/c-1")
    expect(page.locator('#k-panel[data-k-state="known"]')).to_be_visible()
    expect(page.get_by_role("heading", name="Jane Doe")).to_be_visible()
    expect(page.get_by_text("It has not answered yet.")).to_contain_text("just now")
    expect(spoken(page)).to_have_text("Waiting for Salesforce")
    ink, known = (
        page.locator(part).first.evaluate("e => getComputedStyle(e).color")
        for part in (".k-field__label", ".k-value")
    )
    assert ink == known  # muted, as a label is
    axe(page)
    screenshot(page, "panel-known")
    page.get_by_role("button", name="Edit Title").click()
    title = page.get_by_role("textbox", name="Title")
    title.fill("CEO")
    served.inbox.salesforce.update("Contact", jane, Phone="+1 2")
    answered.set()
    expect(page.get_by_role("button", name="Edit Business Phone: +1 2")).to_be_attached()
    expect(page.locator('#k-panel[data-k-state="matched"]')).to_be_visible()
    expect(title).to_be_focused()
    expect(title).to_have_value("CEO")


def test_a_refresh_that_salesforce_does_not_answer_greys_the_card(
    served: Served, page: Page
) -> None:
    served.fill()
    served.open(page)
    value = page.locator(".k-value").first
    ink, muted = (
        page.locator(part).first.evaluate("e => getComputedStyle(e).color")
        for part in (".k-value", ".k-field__label")
    )
    assert ink != muted
    answered = threading.Event()
    served.inbox.salesforce.meanwhile("panel", lambda: answered.wait(30))
    page.get_by_role("link", name="Refresh").click()
    expect(value).to_have_css("color", muted)
    expect(page.locator("[data-k-age]")).to_be_visible()
    answered.set()
    expect(value).to_have_css("color", ink)


def test_forced_colors_show_what_can_be_edited(served: Served, page: Page) -> None:
    served.inbox.choose("Contact", "Name", "Email", "Phone", "CreatedDate")
    served.fill()
    page.emulate_media(forced_colors="active")
    served.open(page)
    edge = "e => getComputedStyle(e).borderTopColor"
    can, cannot = (
        page.locator(".k-field").filter(has_text=label).locator(".k-value").evaluate(edge)
        for label in ("Business Phone", "Created Date")
    )
    assert can != cannot
    pencil = page.get_by_role("button", name="Edit Business Phone")
    assert pencil.evaluate("e => getComputedStyle(e).opacity") == "1"
