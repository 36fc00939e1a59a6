"""The Activity page in a browser: light and dark, wide and narrow, with and without script."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import update
from werkzeug.serving import make_server

from keeping_plugin.models import Connection, now
from keeping_plugin.services import metering
from keeping_plugin.services.metering import Feature
from keeping_plugin.types import Action, Mailbox
from tests.blueprints.inbox import ADMIN, CONVERSATION, Inbox, open_inbox
from tests.blueprints.ledger import Ledger

Scheme = Literal["light", "dark"]
ACTIVITY = "/salesforce/settings/activity"
VIEWS: tuple[tuple[Scheme, int], ...] = (
    ("light", 1200),
    ("dark", 1200),
    ("light", 360),
    ("dark", 360),
)


@dataclass(kw_only=True)
class Served:
    """An inbox with an admin logged in that browsers can reach."""

    inbox: Inbox
    address: str


@pytest.fixture
def served(sqlite_url: str) -> Iterator[Served]:
    with open_inbox(sqlite_url) as inbox:
        inbox.connect()
        inbox.desk.agent = ADMIN
        server = make_server("127.0.0.1", 0, inbox.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Served(inbox=inbox, address=f"http://127.0.0.1:{server.port}")
        server.shutdown()
        thread.join()
        server.server_close()


def in_every_view(page: Page) -> Iterator[tuple[str, int]]:
    """The page that is open in light and dark, wide and narrow, as the browser's window and the
    system's colours change: loading it again for each would double the time."""
    for scheme, width in VIEWS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        yield scheme, width


def fill(inbox: Inbox) -> None:
    """Two weeks of two mailboxes, with all that may happen in them."""
    inbox.desk.company("acme").mailboxes.append(Mailbox("sales", "Sales", "sales@acme.example"))
    subjects = ("Where is my order?", "Do you ship kayaks to Norway?", "Invoice 2026-118")
    for number, subject in enumerate(subjects):
        conversation = replace(CONVERSATION, id=f"c-{number}", subject=subject)
        inbox.desk.add_conversation("acme", conversation)
    ledger = Ledger(inbox.database, inbox.connection_id)
    chance = random.Random(7)
    with inbox.database.read() as session:
        time = now(session)
    words = [
        [
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "Tasks need a region before they can be closed.",
            [],
        ]
    ]
    ends = (
        ({"reason": "logged", "record_id": "00T000000000001AAA"}, 14),
        ({"state": "waiting", "reason": "no_contact"}, 2),
        ({"state": "failed", "reason": "rejected", "words": words}, 1),
        ({"state": "cancelled", "reason": "switched_off"}, 1),
    )
    for day in range(14):
        for number in range(chance.randrange(2, 9)):
            at = time - timedelta(days=day, minutes=7 * number)
            common = {
                "message_id": f"{day}-{number}",
                "mailbox_id": chance.choice(("support", "support", "sales")),
                "conversation_id": f"c-{number % 3}",
                "address": f"{chance.choice(('anna', 'robin', 'kim'))}@customer.example",
                "created_at": at,
            }
            [end] = chance.choices([end for end, _ in ends], [share for _, share in ends])
            ledger.entry(Action.LOG_TASK, **{**end, **common})
            if number % 3 == 0:
                made = {"reason": "created", "record_id": "003000000000001AAA"}
                ledger.entry(Action.ADD_CONTACT, **made, **common)
            if number % 2:
                ledger.refusal(add=("not_opening", "mailing_list"), at=at)
    unknown = {"state": "failed", "reason": "outcome_unknown", "sent_at": time, "created_at": time}
    ledger.entry(address="robin@customer.example", **unknown)
    with inbox.database.write() as session:
        values = {"api_used": 9_412, "api_limit": 15_000, "api_seen_at": time}
        session.execute(update(Connection).values(values))
        use = {
            ("support", Feature.AUTOMATIONS): 412,
            ("sales", Feature.AUTOMATIONS): 96,
            ("support", Feature.PANEL): 2_318,
            ("", Feature.SCHEMA): 12,
            ("", Feature.WAITING): 30,
        }
        metering.add(session, inbox.connection_id, use)


def test_it_looks_well_in_every_dress(
    served: Served,
    new_context: Callable[..., BrowserContext],
    axe: Callable[[Page], None],
    screenshot: Callable[[Page, str], Path],
) -> None:
    for filled in (False, True):
        if filled:
            fill(served.inbox)
        # The checker measures by setting styles, which the page's policy forbids.
        page = new_context(bypass_csp=True, reduced_motion="reduce").new_page()
        page.goto(f"{served.address}{ACTIVITY}")
        for scheme, width in in_every_view(page):
            for details in page.locator("details").all():
                details.evaluate("element => { element.open = true; }")
            axe(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            for details in page.locator("details").all():
                details.evaluate("element => { element.open = false; }")
            screenshot(page, f"activity-{'full' if filled else 'empty'}-{scheme}-{width}")


def test_a_failure_is_found_and_tried_again_without_script(
    served: Served, new_context: Callable[..., BrowserContext]
) -> None:
    fill(served.inbox)
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{served.address}{ACTIVITY}")
    cause = page.get_by_role("listitem").filter(has_text="Salesforce refused it.").first
    cause.get_by_role("link", name="Show them").click()
    refused = page.get_by_text("Tasks need a region before they can be closed.")
    expect(refused.first).to_be_visible()
    cause.get_by_role("button", name="Try all again").click()
    expect(page.get_by_text("Trying all of them again")).to_be_visible()
    expect(refused).to_have_count(0)
    page.get_by_label("Outcome").select_option("Refused by the rules")
    page.get_by_role("button", name="Show").click()
    listed = page.get_by_role("region", name="Messages").get_by_role("listitem")
    expect(listed.filter(has_text="It came through a mailing list").first).to_be_visible()
