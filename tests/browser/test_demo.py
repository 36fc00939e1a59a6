"""The demo in a real browser: connect through the popup, open a conversation, add a Contact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from demo.running import Demo
from tests.servers.chromium import PageGuard
from tests.servers.demos import WarmDemo
from tests.servers.needs import require
from tests.servers.ports import free_port


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    require("redis")
    require("chromium")
    with WarmDemo(tmp_path_factory.mktemp("browser") / "data", first_port=free_port()) as running:
        yield running


def log_in(page: Page, demo: Demo, email: str) -> None:
    page.goto(demo.url)
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Log in").click()


def test_connect_open_and_add(
    demo: Demo, page: Page, page_guard: PageGuard, screenshot: Callable[[Page, str], Path]
) -> None:
    log_in(page, demo, "maya@outdoor.example.com")
    screenshot(page, "demo-inbox")

    page.get_by_label("Maya Lindholm: menu").click()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Integrations").click()
    screenshot(page, "demo-integrations")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Add Integration").click()
    popup = opened.value
    login = demo.org.production.login("admin")
    popup.get_by_label("Username").fill(login.username)
    popup.get_by_label("Password").fill(login.password)
    popup.get_by_role("button", name="Log In").click()
    screenshot(popup, "demo-consent")
    with popup.expect_event("close"):
        popup.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Example Outdoor Company")).to_be_visible()
    expect(page.get_by_text("admin@example.com")).to_be_visible()
    screenshot(page, "demo-connected")

    page.goto(demo.url)
    page.get_by_role("link", name="Paddle arrived with a crack").click()
    expect(page.get_by_role("heading", name="Anna de Boer")).to_be_visible()
    account = page.get_by_role("region", name="Account", exact=True)
    expect(account).to_contain_text("Northwind Paddles")
    screenshot(page, "demo-conversation-matched")

    page.goto(demo.url)
    page.get_by_role("link", name="Do you ship kayaks to Norway?").click()
    expect(page.get_by_role("heading", name="Not in Salesforce")).to_be_visible()
    screenshot(page, "demo-conversation-unknown")
    page.get_by_role("button", name="Add as Contact").click()
    expect(page.get_by_label("Last Name")).to_have_value("Castell")
    screenshot(page, "demo-add-contact")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Robin Castell")).to_be_visible()
    screenshot(page, "demo-contact-added")
    found = demo.org.production.control.query(
        "SELECT LastName FROM Contact WHERE Email = 'robin.castell@example.com'"
    )
    assert [one["LastName"] for one in found] == ["Castell"]


def test_every_page_of_the_inbox_is_accessible(
    demo: Demo, new_context: Callable[..., BrowserContext], axe: Callable[[Page], None]
) -> None:
    # The checker measures by setting styles, which our pages' policy forbids.
    page = new_context(bypass_csp=True).new_page()
    page.goto(f"{demo.url}/login")
    axe(page)
    log_in(page, demo, "tom@outdoor.example.com")
    for path in (
        "/",
        "/?q=nothing+at+all+like+this",
        "/conversations/1",
        "/compose",
        "/test-mail",
        "/settings/mailboxes",
        "/settings/people",
        "/settings/integrations",
    ):
        page.goto(f"{demo.url}{path}")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            axe(page)


def test_no_page_of_the_inbox_is_wider_than_a_phone(
    demo: Demo, page: Page, page_guard: PageGuard, screenshot: Callable[[Page, str], Path]
) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    log_in(page, demo, "tom@outdoor.example.com")
    for name, path in (
        ("list", "/"),
        ("conversation", "/conversations/1"),
        ("compose", "/compose"),
        ("test-mail", "/test-mail"),
        ("mailboxes", "/settings/mailboxes"),
        ("people", "/settings/people"),
        ("integrations", "/settings/integrations"),
    ):
        page.goto(f"{demo.url}{path}")
        for width in (280, 360):
            page.set_viewport_size({"width": width, "height": 740})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
        screenshot(page, f"demo-360-{name}")
