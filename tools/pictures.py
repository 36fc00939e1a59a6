"""`python -m tools.pictures`: take the README's pictures from the running demo, into docs/."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from demo.running import Demo
from tests.servers.needs import CHROMIUM

DOCS = Path(__file__).resolve().parents[1] / "docs"
SIZE = {"width": 1280, "height": 960}
PATIENCE = 120_000  # milliseconds, for what a worker does


@contextmanager
def admin(demo: Demo) -> Iterator[Page]:
    """An admin of the demo's first company, logged in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, device_scale_factor=1, color_scheme="light")  # type: ignore[arg-type]
        page.goto(demo.url)
        page.get_by_label("Email address").fill("maya@outdoor.example.com")
        page.get_by_label("Password").fill("demo")
        page.get_by_role("button", name="Log in").click()
        yield page
        browser.close()


def connect(demo: Demo, page: Page) -> None:
    """As an admin does, until the org's fields are read."""
    page.goto(f"{demo.url}/settings/integrations")
    login = demo.org.production.login("admin")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Add Integration").click()
    popup = opened.value
    popup.get_by_label("Username").fill(login.username)
    popup.get_by_label("Password").fill(login.password)
    popup.get_by_role("button", name="Log In").click()
    with popup.expect_event("close"):
        popup.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Example Outdoor Company")).to_be_visible(timeout=PATIENCE)


def automate(demo: Demo, page: Page) -> None:
    """Switch on every mailbox's automations and import its earlier mail."""
    settings = f"{demo.url}/salesforce/settings"
    for mailbox in ("support", "sales", "billing"):
        page.goto(f"{settings}/automation?mailbox={mailbox}")
        for box in page.get_by_role("switch").all():
            box.check()
        page.get_by_role("button", name="Save").first.click()
        page.goto(f"{settings}/automation/backfill?mailbox={mailbox}&since=2020-01-01")
        page.get_by_role("button", name="Start import").click()
    page.goto(f"{settings}/activity")
    for _ in range(PATIENCE // 1000):
        if not page.get_by_role("link", name="In progress").count():
            return
        page.wait_for_timeout(1000)
        page.reload()
    raise SystemExit("The worker did not send everything in time.")


def panel(demo: Demo, page: Page) -> None:
    """A conversation with the customer's own open Case, and a value that was just saved."""
    page.goto(demo.url)
    page.get_by_role("link", name="Paddle arrived with a crack").click()
    page.get_by_role("button", name="Edit Mobile Phone").click()
    page.get_by_role("textbox", name="Mobile Phone").fill("+31 6 5550 2204")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("✓ Saved")).to_be_visible()
    page.mouse.move(0, 0)
    page.screenshot(path=DOCS / "panel.png")


def activity(demo: Demo, page: Page) -> None:
    """What the automations did."""
    page.goto(f"{demo.url}/salesforce/settings/activity")
    page.screenshot(path=DOCS / "activity.png")


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Demo(Path(folder) / "data") as demo,
        admin(demo) as page,
    ):
        connect(demo, page)
        automate(demo, page)
        panel(demo, page)
        activity(demo, page)


if __name__ == "__main__":
    main()
