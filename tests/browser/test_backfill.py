"""Earlier mail in a browser: the dry run, the bar that moves, pause, go on, and the summary."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import update

from keeping_plugin.models import BackfillRun, SyncEntry
from keeping_plugin.services.automation import backfill
from tests.blueprints.settings.test_backfill import advance, history, run, start, switch
from tests.browser.test_activity import Served, in_every_view, served

__all__ = ["served"]

AUTOMATION = "/salesforce/settings/automation?mailbox=support"
PREVIEW = "/salesforce/settings/automation/backfill?mailbox=support&since=2026-05-01"


def test_it_looks_well_in_every_dress(
    served: Served,
    new_context: Callable[..., BrowserContext],
    axe: Callable[[Page], None],
    screenshot: Callable[[Page, str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history(served.inbox, 60)
    switch(served.inbox)

    def look(name: str, path: str = AUTOMATION) -> None:
        # The checker measures by setting styles, which the page's policy forbids.
        page = new_context(bypass_csp=True, reduced_motion="reduce").new_page()
        page.goto(f"{served.address}{path}")
        for scheme, width in in_every_view(page):
            axe(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            screenshot(page, f"backfill-{name}-{scheme}-{width}")

    look("before")
    look("preview", PREVIEW)
    monkeypatch.setattr(backfill, "PAGE", 40)
    monkeypatch.setattr(backfill, "PAGES_A_JOB", 1)
    run_id = start(served.inbox)
    advance(served.inbox, run_id)
    look("running")
    advance(served.inbox, run_id)
    advance(served.inbox, run_id)
    assert run(served.inbox).state == "done"
    look("done")


def test_the_bar_moves_by_itself_and_ends_in_a_summary(
    served: Served, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    history(served.inbox, 6)
    switch(served.inbox)
    page.goto(f"{served.address}{AUTOMATION}")
    page.get_by_label("Since").fill("2026-05-01")
    page.get_by_role("button", name="See what would happen").click()
    page.get_by_role("button", name="Start import").click()
    card = page.get_by_role("region", name="Earlier mail")
    expect(card.get_by_text("Starting")).to_be_visible()
    monkeypatch.setattr(backfill, "PAGE", 3)
    monkeypatch.setattr(backfill, "PAGES_A_JOB", 1)
    advance(served.inbox, run(served.inbox).id)
    expect(card.get_by_text("Reached mail from 3 May 2026")).to_be_visible()
    card.get_by_role("button", name="Pause").click()
    expect(card.get_by_text("Paused.")).to_be_visible()
    card.get_by_role("button", name="Resume").click()
    expect(card.get_by_role("button", name="Pause")).to_be_visible()
    for _ in range(2):
        advance(served.inbox, run(served.inbox).id)
    with served.inbox.database.write() as session:
        session.execute(update(SyncEntry).values(state="done"))
    expect(card.get_by_text("The mail since 1 May 2026 was imported")).to_be_visible()
    expect(page.locator("[data-k-live]")).to_contain_text("6 messages checked")


def test_a_day_being_typed_outlives_the_poll(served: Served, page: Page) -> None:
    history(served.inbox, 2)
    switch(served.inbox)
    advance(served.inbox, start(served.inbox))
    page.clock.install()
    page.goto(f"{served.address}{AUTOMATION}")
    card = page.get_by_role("region", name="Earlier mail")
    expect(card.get_by_text("4 left to send")).to_be_visible()
    page.get_by_label("Since").fill("2025-12-24")
    with served.inbox.database.write() as session:
        session.execute(update(SyncEntry).values(state="done"))
    page.clock.run_for(11_000)
    expect(card.get_by_text("still to be sent")).to_have_count(0)
    expect(page.get_by_label("Since")).to_have_value("2025-12-24")


def test_all_of_it_works_without_script(
    served: Served, new_context: Callable[..., BrowserContext]
) -> None:
    history(served.inbox, 3)
    switch(served.inbox)
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{served.address}{AUTOMATION}")
    page.get_by_label("Since").fill("2026-05-01")
    page.get_by_role("button", name="See what would happen").click()
    page.get_by_role("button", name="Start import").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused.")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    advance(served.inbox, run(served.inbox).id)
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("3 messages checked")).to_be_visible()
    with served.inbox.database.read() as session:
        assert session.query(BackfillRun).one().state == "done"
