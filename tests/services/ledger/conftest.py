"""Each of these tests runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from tests.services.delivery.conftest import house

__all__ = ["house"]
