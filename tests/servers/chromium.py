"""Debian's headless Chromium through pytest-playwright, with a guard that criticises every page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, WebError

from tests.servers.needs import CHROMIUM, ROOT, require

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
_WCAG = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
_PATIENCE_MS = 10_000


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    require("chromium")
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": _ARGUMENTS}


class PageGuard:
    """What pages complained of: console errors and warnings, uncaught errors, failed requests."""

    def __init__(self) -> None:
        self._complaints: list[str] = []
        self._expected: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        """Listen to every page and popup of `context`."""
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("requestfailed", self._on_failed)

    def expect(self, pattern: str) -> None:
        """Declare a complaint that belongs to the test, as a regular expression: a refused form,
        say, whose 422 the browser reports. One that never comes fails the test."""
        self._expected.append(pattern)

    def verdict(self) -> list[str]:
        """Every complaint nobody expected and every expectation nothing met."""
        surprising = [
            complaint
            for complaint in self._complaints
            if not any(re.search(pattern, complaint) for pattern in self._expected)
        ]
        unmet = [
            f"expected, but never seen: {pattern}"
            for pattern in self._expected
            if not any(re.search(pattern, complaint) for complaint in self._complaints)
        ]
        return surprising + unmet

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            place = message.location.get("url", "")
            self._complaints.append(f"console {message.type}: {message.text} ({place})")

    def _on_error(self, error: WebError) -> None:
        self._complaints.append(f"uncaught: {error.error}")

    def _on_failed(self, request: Request) -> None:
        # A page that moves on gives up its own requests; that is no failure.
        if request.failure != "net::ERR_ABORTED":
            self._complaints.append(f"failed: {request.method} {request.url}: {request.failure}")


@pytest.fixture
def page_guard() -> Iterator[PageGuard]:
    """Fails the test for what its pages complained of, unless it said `page_guard.expect(...)`."""
    guard = PageGuard()
    yield guard
    verdict = guard.verdict()
    if verdict:
        pytest.fail("the browser complained:\n" + "\n".join(verdict))


@pytest.fixture
def new_context(
    page_guard: PageGuard, new_context: Callable[..., BrowserContext]
) -> Callable[..., BrowserContext]:
    """Every context, that of the `page` fixture included, is watched and patient for 10 s."""

    def make(**options: Any) -> BrowserContext:
        context = new_context(**options)
        context.set_default_timeout(_PATIENCE_MS)
        page_guard.watch(context)
        return context

    return make


@pytest.fixture
def screenshot() -> Callable[[Page, str], Path]:
    """`screenshot(page, "panel-matched-dark")` leaves build/screenshots/panel-matched-dark.png."""

    def take(page: Page, name: str) -> Path:
        path = ROOT / "build" / "screenshots" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path, full_page=True, animations="disabled")
        return path

    return take


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], None]:
    """`axe(page)` fails with what WCAG 2.2 AA has against the page, shadow roots included."""
    # Its script is half a megabyte: a page that is looked at in several dresses reads it once.
    first, again = Axe(), Axe(axe_script="null")

    def check(page: Page) -> None:
        # Colors between two themes are nobody's: wait for transitions to end.
        page.evaluate(
            "Promise.allSettled(document.getAnimations().filter("
            "each => each instanceof CSSTransition).map(each => each.finished))"
        )
        # What passes is of no interest: telling it node by node takes half of the time.
        options = {"runOnly": _WCAG, "resultTypes": ["violations"]}
        checker = again if page.evaluate("'axe' in window") else first
        violations = checker.run(page, options=options).response["violations"]
        described = [
            f"{violation['id']} ({violation['impact']}): {violation['help']}\n  "
            + "\n  ".join(
                f"{json.dumps(node['target'])}: {node['failureSummary']}"
                for node in violation["nodes"]
            )
            for violation in violations
        ]
        assert not described, f"{page.url} is not accessible:\n" + "\n".join(described)

    return check
