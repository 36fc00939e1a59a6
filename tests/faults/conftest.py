"""A world for each fault, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.org.process import OrgProcess
from tests.faults.world import World


@pytest.fixture
def world(database_url: str, redis_url: str, orgs: OrgProcess, tmp_path: Path) -> Iterator[World]:
    with World(database_url, redis_url, orgs, tmp_path) as made:
        yield made
