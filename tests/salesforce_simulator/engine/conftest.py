"""An org in memory with one user, for the tests of the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.org import Org
from salesforce_simulator.results import User

MOMENT = datetime(2026, 5, 6, 9, 49, 20, tzinfo=UTC)
OrgMaker = Callable[..., Org]


@pytest.fixture
def clock() -> OrgClock:
    """Held at 2026-05-06T09:49:20Z."""
    clock = OrgClock()
    clock.hold()
    clock.set(MOMENT)
    return clock


@pytest.fixture
def make_org(clock: OrgClock) -> Iterator[OrgMaker]:
    """Makes orgs in memory; keyword arguments go to ``Org``."""
    made: list[Org] = []

    def make(**given: Any) -> Org:
        settings = {"database": ":memory:", "clock": clock, "name": "Acme", "sandbox": False}
        org = Org(**{**settings, **given})
        made.append(org)
        return org

    yield make
    for org in made:
        org.close()


@pytest.fixture
def org(make_org: OrgMaker) -> Org:
    """An ordinary production org of the package's own objects."""
    return make_org()


@pytest.fixture
def ann(org: Org) -> User:
    """A user with every right."""
    return org.add_user(
        username="ann@example.com", email="ann@example.com", first_name="Ann", last_name="Agent"
    )
