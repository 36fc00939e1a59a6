"""A town for each test that wants one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from salesforce_simulator.process import OrgProcess
from tests.blueprints.admin_side import side
from tests.security.town import Town, open_town

__all__ = ["side"]


@pytest.fixture
def town(orgs: OrgProcess, sqlite_url: str) -> Iterator[Town]:
    """Both companies connected and described; nobody rings, for there is no Redis."""
    with open_town(orgs, sqlite_url) as opened:
        opened.settle_in()
        yield opened


@pytest.fixture
def working_town(orgs: OrgProcess, sqlite_url: str, redis_url: str) -> Iterator[Town]:
    """The same, with a Redis; `town.work()` is the worker."""
    with open_town(orgs, sqlite_url, KEEPING_REDIS_URL=redis_url) as opened:
        opened.settle_in()
        yield opened
