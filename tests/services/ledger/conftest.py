"""The house of these tests, on `database`."""

from __future__ import annotations

from tests.services.delivery.conftest import house

__all__ = ["house"]
