"""The house of these tests, on `database`."""

from __future__ import annotations

import pytest

from keeping_plugin.models import Database
from tests.services.delivery.house import House


@pytest.fixture
def house(database: Database) -> House:
    return House(database)
