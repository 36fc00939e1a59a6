"""The inbox's database: one Flask-SQLAlchemy, and SQLite set up so that two writers take turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Dialect, Engine, TypeDecorator, event
from sqlalchemy.orm import DeclarativeBase

db = SQLAlchemy()


class Base(DeclarativeBase):
    """Of every table of the inbox."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC on every database; SQLite keeps no offset, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=_kept(dialect))

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _kept(dialect: Dialect) -> Any:
    return None if dialect.name == "sqlite" else UTC


def set_up_sqlite(engine: Engine) -> None:
    """Let transactions begin where SQLAlchemy says, and writers wait for each other."""

    @event.listens_for(engine, "connect")
    def opened(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        mode = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")


@contextmanager
def writing() -> Iterator[None]:
    """One transaction that writes: committed at its end, rolled back when the block raises.

    It starts anew and says so at once: on SQLite a transaction that began by reading may not be
    let write later, and then fails without waiting.
    """
    db.session.rollback()
    db.session.connection(execution_options={"begin": "IMMEDIATE"})
    try:
        yield
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
