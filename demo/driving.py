"""What people do in the demo's pages, done headless: log in, connect, switch on, disconnect."""

from __future__ import annotations

import time

from demo.headless import Browser, Page, PageFailed
from demo.inbox.seeding.people import PASSWORD

SETTINGS = "/salesforce/settings/"


def log_in(browser: Browser, email: str, password: str = PASSWORD) -> Page:
    """Log in to the inbox."""
    page = browser.get("/login")
    return browser.submit(page, page.form(), {"email": email, "password": password})


def connect(browser: Browser, username: str, password: str) -> Page:
    """From the tile through the org's login and consent; the settings page at the end."""
    page = browser.get("/settings/integrations")
    page = browser.submit(page, page.form(action="/connect"))
    page = browser.submit(page, page.form(button="Log In"), {"username": username, "pw": password})
    # An org that the user has approved before does not ask again.
    if page.url.startswith(browser.base_url):
        return page
    page = browser.submit(page, page.form(button="Allow"), press="Allow")
    if not page.url.startswith(browser.base_url):
        raise PageFailed(f"the login ended at {page.url}: {page.text[:500]}")
    return page


def await_schema(browser: Browser, *, seconds: float = 60.0) -> Page:
    """Wait until the org is described; a page of fields shows it."""
    end = time.monotonic() + seconds
    while True:
        page = browser.get(f"{SETTINGS}fields/Contact")
        if page.document.xpath("//input[@type='checkbox']"):
            return page
        if time.monotonic() > end:
            raise PageFailed(f"the org was not described in {seconds:g} s: {page.text[:500]}")
        time.sleep(0.1)


def switch_on(browser: Browser, mailbox_id: str) -> Page:
    """Switch both automations of a mailbox on."""
    page = browser.get(f"{SETTINGS}automation?mailbox={mailbox_id}")
    form = page.form(action="/automation")
    return browser.submit(page, form, {"add_contacts": "on", "log_tasks": "on"})


def disconnect(browser: Browser) -> Page:
    """Press Disconnect and confirm."""
    page = browser.get(f"{SETTINGS}disconnect")
    return browser.submit(page, page.form(action="/disconnect"))
