"""A few rows for every table of a database, whatever its columns are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

ROWS = 3
_VALUES: tuple[tuple[type[sa.types.TypeEngine[Any]], Callable[[int], Any]], ...] = (
    (sa.Boolean, lambda n: n % 2 == 0),
    (sa.Integer, lambda n: n),
    (sa.Numeric, lambda n: n),
    (sa.DateTime, lambda n: datetime(2026, 5, n, 12, tzinfo=UTC)),
    (sa.LargeBinary, lambda n: bytes([n])),
    (sa.String, str),
)


def fill(connection: sa.Connection, *, prefix: str) -> dict[str, int]:
    """Add rows to each empty table whose name starts with `prefix`, parents first, every column
    set; returns how many rows each such table holds now. Raises TypeError for a column type that
    it does not know."""
    metadata = sa.MetaData()
    metadata.reflect(connection, only=lambda name, _: name.startswith(prefix))
    for table in metadata.sorted_tables:
        if _count(connection, table) == 0:
            rows = [{column.name: _value(column, n) for column in table.c} for n in _numbers()]
            connection.execute(table.insert(), rows)
    return {table.name: _count(connection, table) for table in metadata.sorted_tables}


def _numbers() -> range:
    return range(1, ROWS + 1)


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _value(column: sa.Column[Any], n: int) -> Any:
    # A parent's rows have the same numbers, so a foreign key needs no look-up.
    for kind, make in _VALUES:
        if isinstance(column.type, kind):
            return make(n)
    raise TypeError(f"{column.table.name}.{column.name} has a type without a sample: {column.type}")
