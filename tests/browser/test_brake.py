"""Limits for new people in a browser: set, reviewed and let pass, with and without script."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from keeping_plugin.types import Action, Mailbox
from tests.blueprints.inbox import ADMIN, CONVERSATION, Inbox
from tests.blueprints.ledger import Ledger
from tests.browser.served import Served
from tests.servers.chromium import PageGuard

SETTINGS = "/salesforce/settings"
DOMAINS = ("logistics-and-shipping-holding.example", "xn--mller-kva.example", "gmail.com")


def fill(inbox: Inbox) -> None:
    """Held people of several domains, one of them with many, and a mail that was logged once."""
    inbox.desk.company("acme").mailboxes.append(Mailbox("sales", "Sales", "sales@acme.example"))
    other = replace(CONVERSATION, id="c-2", subject="Do you ship to Norway?", mailbox_id="sales")
    inbox.desk.add_conversation("acme", other)
    ledger = Ledger(inbox.database, inbox.connection_id)
    for domain, number in zip(DOMAINS, (5, 2, 1), strict=True):
        for person in range(number):
            values = {
                "reason": "held",
                "address": f"some.customer-{person}@{domain}",
                "message_id": f"{domain}-{person}",
                "mailbox_id": "sales" if person % 2 else "support",
                "conversation_id": "c-2" if person % 2 else "c-1",
            }
            for action in (Action.ADD_CONTACT, Action.LOG_TASK):
                ledger.entry(action, "pending", **values)
    same = {"fingerprint": "f", "record_id": "00T000000000001AAA"}
    ledger.entry(reason="logged", conversation_id="c-2", mailbox_id="sales", **same)
    ledger.entry(reason="logged_elsewhere", message_id="copy", **same)
    ledger.refusal(add=(), log=(), message_id="copy")


def dress(
    page: Page, name: str, axe: Callable[[Page], None], screenshot: Callable[[Page, str], Path]
) -> None:
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        screenshot(page, f"{name}-{scheme}-{width}")


def test_limits_are_set_and_what_they_hold_is_reviewed(
    served: Served,
    new_context: Callable[..., BrowserContext],
    axe: Callable[[Page], None],
    screenshot: Callable[[Page, str], Path],
    page_guard: PageGuard,
) -> None:
    page_guard.expect("status of 422")
    fill(served.inbox)
    served.inbox.desk.agent = ADMIN
    # The checker measures by setting styles, which the page's policy forbids.
    page = new_context(bypass_csp=True, reduced_motion="reduce").new_page()
    page.goto(f"{served.address}{SETTINGS}/automation")
    limits = page.get_by_role("region", name="Limits for new people")
    number = limits.get_by_label("Maximum number of people within an hour")
    switch = limits.get_by_role("switch", name="Limit new people per mailbox")
    expect(number).to_have_value("30")
    switch.press("Space")
    number.fill("a lot")
    expect(limits.get_by_text("Not saved yet")).to_be_visible()
    limits.get_by_role("button", name="Save").click()
    expect(limits.get_by_role("alert")).to_have_text("Enter a whole number from 1 to 10,000.")
    expect(number).to_have_value("a lot")
    dress(page, "brake-refused", axe, screenshot)
    number.fill("40")
    limits.get_by_role("button", name="Save").click()
    expect(page.get_by_text("New people beyond the limits are held for review.")).to_be_visible()
    copies = page.get_by_role("region", name="One mail in several mailboxes")
    copies.get_by_role("switch").press("Space")
    copies.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The same mail is now logged once.")).to_be_visible()
    expect(number).to_have_value("40")
    dress(page, "brake-set", axe, screenshot)

    page.goto(f"{served.address}{SETTINGS}/activity")
    dress(page, "brake-activity", axe, screenshot)
    page.get_by_role("link", name="Review them").press("Enter")
    expect(page.get_by_role("heading", name="Held for review")).to_be_visible()
    dress(page, "brake-held", axe, screenshot)
    page.get_by_role("button", name=re.compile("Add these.*gmail.com")).press("Enter")
    expect(page.get_by_text("They are being added.")).to_be_visible()
    expect(page.get_by_text("gmail.com")).to_have_count(0)


def test_what_is_held_is_let_pass_or_skipped_without_script(
    served: Served, new_context: Callable[..., BrowserContext]
) -> None:
    fill(served.inbox)
    served.inbox.desk.agent = ADMIN
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{served.address}{SETTINGS}/activity/held")
    page.get_by_role("button", name=re.compile("Skip the domain.*müller")).click()
    expect(page.get_by_text("The domain is now skipped.")).to_be_visible()
    page.get_by_role("button", name="Add all 6 people").click()
    expect(page.get_by_text("They are being added.")).to_be_visible()
    expect(page.get_by_text("Nothing is held.")).to_be_visible()
    page.goto(f"{served.address}/salesforce/conversations/c-1/log")
    expect(page.get_by_text("already logged from another mailbox")).to_be_visible()
    expect(page.get_by_role("link", name="Do you ship to Norway?")).to_be_visible()
