"""Our tables on both real databases, for tests that need no host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine

from keeping_plugin.models import Database, migrate


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Migrated and empty."""
    engine = create_engine(database_url)
    migrate.upgrade(engine)
    yield Database(lambda: engine)
    engine.dispose()
