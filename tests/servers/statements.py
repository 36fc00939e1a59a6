"""Statements that leave for a database, counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from keeping_plugin.models import Database


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Every statement that leaves for the database within the block."""
    statements: list[str] = []

    def note(_c: Any, _x: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)
