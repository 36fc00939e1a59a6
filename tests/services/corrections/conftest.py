"""The house of the delivery's tests, for what is taken back."""

from __future__ import annotations

import pytest

from keeping_plugin.models import Database
from tests.services.delivery.house import House


@pytest.fixture
def house(database: Database) -> House:
    return House(database)
