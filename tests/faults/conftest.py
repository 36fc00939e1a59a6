"""A world for each fault: on PostgreSQL, unless the test says `on("sqlite")`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.org.process import OrgProcess
from tests.faults.world import World
from tests.servers.needs import require


@pytest.fixture
def world(request: pytest.FixtureRequest, orgs: OrgProcess, tmp_path: Path) -> Iterator[World]:
    require("redis")
    database = getattr(request, "param", "postgres")
    url: str = request.getfixturevalue(f"{database}_url")
    with World(url, orgs, tmp_path) as made:
        yield made
