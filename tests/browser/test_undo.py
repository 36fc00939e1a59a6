"""Undo and the repair of people in a browser, with and without script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from keeping_plugin.models import UndoneAddress
from keeping_plugin.services.corrections import choice, items, runs
from keeping_plugin.services.corrections.choice import By, Choice
from tests.blueprints.inbox import ADMIN
from tests.blueprints.ledger import Ledger
from tests.blueprints.settings.test_repair import REPAIR
from tests.blueprints.settings.test_repair import added as alone
from tests.blueprints.settings.test_undo import CONFIRM, UNDO, added, work
from tests.browser.test_activity import ACTIVITY, Served, in_every_view, served

__all__ = ["served"]


def fill(served: Served) -> int:
    """Three people whom the automations added, one of whom has a Case by now; the first's entry."""
    ledger = Ledger(served.inbox.database, served.inbox.connection_id)
    entry, _ = added(served.inbox, ledger)
    added(served.inbox, ledger, "kim@acme.example")
    _, busy = added(served.inbox, ledger, "a.very.long.name.of.a.customer@acme.example")
    served.inbox.salesforce.add("Case", ContactId=busy)
    return entry


def test_it_looks_well_in_every_dress(
    served: Served,
    new_context: Callable[..., BrowserContext],
    axe: Callable[[Page], None],
    screenshot: Callable[[Page, str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(served)
    with served.inbox.database.write() as session:
        at = served.inbox.clock.now()
        session.add(UndoneAddress(company_id="acme", address="old@acme.example", undone_at=at))
    # The checker measures by setting styles, which the page's policy forbids.
    page = new_context(bypass_csp=True, reduced_motion="reduce").new_page()

    def look(name: str, path: str) -> None:
        page.goto(f"{served.address}{path}")
        for scheme, width in in_every_view(page):
            axe(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            screenshot(page, f"undo-{name}-{scheme}-{width}")

    look("activity", ACTIVITY)
    with monkeypatch.context() as small:
        small.setattr(choice, "MAX_COUNTED", 4)
        look("many", f"{CONFIRM}?domain=acme.example")
    look("confirm", f"{CONFIRM}?domain=acme.example")
    page.get_by_role("button", name="Delete 6 records").click()
    expect(page.get_by_text("0 deleted, 0 kept, of 6 records")).to_be_visible()
    run_id = int(page.url.rpartition("/")[2])
    look("running", f"{UNDO}/{run_id}")
    work(served.inbox)
    look("left", f"{UNDO}/{run_id}")
    look("choose", UNDO)
    added(served.inbox, Ledger(served.inbox.database, served.inbox.connection_id), "b@b.example")
    with monkeypatch.context() as small:
        small.setattr(items, "CHUNK", 1)
        runs.start(served.inbox.database, ADMIN, Choice(By.DOMAIN, "b.example"))
    look("filling", f"{UNDO}/{run_id + 1}")
    served.inbox.salesforce.add("Account", Name="Acme", Website="acme.example")
    for name in ("ann", "bob.with.a.rather.long.name.for.an.address"):
        alone(served.inbox, name, f"{name}@acme.example")
    alone(served.inbox, "kim", "kim@nowhere.example")
    page.goto(f"{served.address}{REPAIR}")
    page.get_by_role("checkbox", name="bob").uncheck()
    page.get_by_role("button", name="Attach the selected").click()
    expect(page.get_by_text("have an Account now.")).to_be_visible()
    look("repair", REPAIR)
    look("connection", "/salesforce/settings/")


def test_the_page_of_a_run_follows_it_by_itself(served: Served, page: Page) -> None:
    entry = fill(served)
    page.goto(f"{served.address}{ACTIVITY}")
    page.locator(f"a[href$='confirm?entry={entry}']").click()
    page.get_by_role("button", name="Delete 1 record").press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    work(served.inbox)
    expect(page.get_by_text("1 deleted, 0 kept, of 1 record")).to_be_visible()
    expect(page.locator("p[data-k-status]")).to_contain_text("Finished")


def test_it_works_without_script(
    served: Served, new_context: Callable[..., BrowserContext]
) -> None:
    fill(served)
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{served.address}{ACTIVITY}")
    page.get_by_role("link", name="Undo…").click()
    page.get_by_label("One domain, without its subdomains").fill("acme.example")
    page.get_by_role("button", name="Count records of this domain").click()
    page.get_by_role("button", name="Delete 6 records").click()
    work(served.inbox)
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("Other records in Salesforce refer to it.")).to_be_visible()
    page.get_by_role("link", name="Back to Undo").click()
    page.get_by_role("listitem").filter(has_text="kim@acme.example").get_by_role("button").click()
    expect(page.get_by_text("Automations may add this address again.")).to_be_visible()
    served.inbox.salesforce.add("Account", Name="Acme", Website="acme.example")
    alone(served.inbox, "ann", "ann@acme.example")
    page.get_by_role("link", name="Connection", exact=True).click()
    page.get_by_role("link", name="Find them").click()
    page.get_by_role("button", name="Attach the selected").click()
    expect(page.get_by_text("have an Account now.")).to_be_visible()
    page.locator("#k-attached input[type=checkbox]").first.check()
    page.get_by_role("button", name="Detach the selected").click()
    expect(page.get_by_text("1 person has no Account again.")).to_be_visible()
