"""A form that is refused as a whole stays as it is in the browser, and goes on from there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from werkzeug.serving import make_server

from tests.blueprints.inbox import AGENT, CUSTOMER, Inbox, open_inbox
from tests.servers.chromium import PageGuard
from tests.services.sitting import sitting


@pytest.fixture
def inbox(sqlite_url: str) -> Iterator[Inbox]:
    with open_inbox(sqlite_url) as opened:
        opened.connect()
        yield opened


@pytest.fixture
def address(inbox: Inbox) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, inbox.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def begin(page: Page, address: str) -> None:
    page.goto(f"{address}/inbox/c-1")
    page.get_by_role("button", name="Add as Contact").click()
    page.get_by_label("Last Name").fill("Typed by hand")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").last.press("Enter")


@pytest.mark.field_case("B5")
def test_logged_in_again_in_another_tab_the_form_is_saved(
    inbox: Inbox, address: str, page: Page, page_guard: PageGuard
) -> None:
    page_guard.expect("40[01] ")
    begin(page, address)
    inbox.desk.agent = None
    page.context.clear_cookies()
    save(page)
    expect(page.get_by_role("heading", name="Log in first")).to_be_visible()
    expect(page.get_by_label("Last Name")).to_have_value("Typed by hand")
    inbox.desk.agent = AGENT
    page.context.clear_cookies()  # a login begins a session of its own
    save(page)
    expect(page.get_by_role("heading", name="Typed by hand")).to_be_visible()
    assert [row["LastName"] for row in inbox.salesforce.rows("Contact")] == ["Typed by hand"]


@pytest.mark.field_case("B4")
def test_a_save_that_finds_too_many_waiting_is_sent_again_by_itself(
    inbox: Inbox, address: str, page: Page, page_guard: PageGuard
) -> None:
    page_guard.expect("503 ")
    begin(page, address)
    inbox.runtime.concurrency._limit = 1
    with sitting(inbox.runtime.concurrency, 1):
        with page.expect_response("**/new/Contact") as refused:
            save(page)
        assert refused.value.status == 503
    expect(page.get_by_role("heading", name="Typed by hand")).to_be_visible()
    assert len(inbox.salesforce.rows("Contact")) == 1


@pytest.mark.field_case("B5")
@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 360), ("light", 1000)])
def test_the_page_that_gives_back_what_was_typed(
    inbox: Inbox,
    address: str,
    new_context: Callable[..., BrowserContext],
    page_guard: PageGuard,
    screenshot: Callable[[Page, str], Path],
    scheme: str,
    width: int,
) -> None:
    """Without JavaScript: everything is there, by keyboard too, and Send it again saves it."""
    page_guard.expect("40[01] ")
    context = new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}, java_script_enabled=False
    )
    page = context.new_page()
    page.goto(f"{address}/salesforce/conversations/c-1/new/Contact")
    page.get_by_label("Last Name").fill("Typed by hand")
    context.clear_cookies()
    page.get_by_role("button", name="Save").last.press("Enter")
    expect(page.get_by_label("LastName")).to_have_value("Typed by hand")
    screenshot(page, f"typed-{scheme}-{width}")
    page.get_by_label("LastName").fill("Typed again")
    page.get_by_role("button", name="Send it again").press("Enter")
    expect(page.get_by_role("heading", name="Typed again")).to_be_visible()
    assert inbox.salesforce.rows("Contact")[0]["Email"] == CUSTOMER.email
