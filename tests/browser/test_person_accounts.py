"""A person who is an Account of his own: one card, edited in place, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from demo.driving import await_schema, connect
from demo.driving import log_in as enter
from demo.headless import Browser
from demo.running import Demo
from tests.servers.demos import WarmDemo
from tests.servers.needs import require
from tests.servers.ports import free_port

PILAR = "pilar.ruiz@example.org"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    require("redis")
    require("chromium")
    data = tmp_path_factory.mktemp("persons") / "data"
    with WarmDemo(data, first_port=free_port(), person_accounts=True) as running:
        with Browser(running.url) as browser:
            enter(browser, "maya@outdoor.example.com")
            login = running.org.production.login("admin")
            connect(browser, login.username, login.password)
            await_schema(browser)
        yield running


def edit(page: Page, label: str, value: str) -> Locator:
    """Change one field in place; its value as it stands afterwards."""
    page.get_by_role("button", name=f"Edit {label}:").click()
    page.get_by_role("textbox", name=label).fill(value)
    page.keyboard.press("Enter")
    return page.get_by_role("button", name=f"Edit {label}: {value}")


def test_a_person_account_is_one_card_whose_name_and_title_are_saved(
    demo: Demo,
    page: Page,
    screenshot: Callable[[Page, str], Path],
    axe: Callable[[Page], None],
) -> None:
    page.goto(demo.url)
    page.get_by_label("Email address").fill("tom@outdoor.example.com")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Receive a test mail").click()
    page.locator("input[name=from]").fill(PILAR)
    page.get_by_label("Subject").fill("Sea kayaks")
    page.locator("textarea").fill("Good morning")
    page.get_by_role("button", name="Receive").click()
    expect(page.get_by_role("heading", name="Pilar Ruiz")).to_be_visible()
    expect(page.get_by_text("Person account")).to_be_visible()
    expect(page.get_by_role("region", name="Account", exact=True)).to_be_hidden()
    screenshot(page, "panel-person-account")

    expect(edit(page, "Last Name", "Ruiz Vega")).to_be_visible()  # written on the Account
    expect(edit(page, "Title", "Skipper")).to_be_visible()
    found = demo.org.production.control.query(
        f"SELECT Name, Title FROM Contact WHERE Email = '{PILAR}'"
    )
    assert [(one["Name"], one["Title"]) for one in found] == [("Pilar Ruiz Vega", "Skipper")]

    page.get_by_role("button", name="Edit Email:").click()
    page.get_by_role("textbox", name="Email").fill("pilar@ruiz.example.org")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Open the Contact in Salesforce")).to_be_focused()
    expect(page.get_by_role("heading", name="Not in Salesforce")).to_be_visible()
    screenshot(page, "panel-address-changed")
