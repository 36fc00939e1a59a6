"""Short sessions of our own on the host's engine, and the database's clock.

`message_arrived` alone uses the host's session; all else opens one of these, never two at a time,
and never keeps one open during an HTTP call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Engine,
    Executable,
    Text,
    Update,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from keeping_plugin.models.base import Base

# What SQLite's busy timeout is to two writers. A process that freezes in the middle of a
# transaction gives its locks back, so that it holds up nobody for longer than a lease.
_PATIENCE = text(
    "SELECT set_config('lock_timeout', '5s', true),"
    " set_config('idle_in_transaction_session_timeout', '10s', true)"
)

_CLOCK = select(func.clock_timestamp())


class Database:
    """Opens read and write sessions. `engine` is asked for late: Flask-SQLAlchemy makes engines
    inside an app context."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine

    @property
    def engine(self) -> Engine:
        return self._engine()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that is rolled back at its end."""
        with Session(self.engine, expire_on_commit=False) as session:
            if session.get_bind().dialect.name == "sqlite":
                _begin(session.connection(), "DEFERRED")
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that commits at its end, or rolls back when the block raises."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            if session.get_bind().dialect.name == "sqlite":
                _begin(session.connection(), "IMMEDIATE")
            else:
                session.execute(_PATIENCE)
            yield session


def _begin(connection: Connection, how: str) -> None:
    # Writes begin immediate: two SQLite writers that both began by reading fail at once ("database
    # is locked") whatever the busy timeout. Reads begin deferred, because a reader that holds the
    # write lock keeps the host, whom it may be asking, from answering. The host's own listener has
    # begun already, one way or the other; nothing was written yet, so beginning anew loses nothing.
    raw = connection.connection.driver_connection
    if raw is not None and raw.in_transaction:
        connection.exec_driver_sql("ROLLBACK")
    connection.exec_driver_sql(f"BEGIN {how}")


def now(session: Session) -> datetime:
    """The time by which leases, claims and settle times are written and compared: the database
    server's clock, so that several machines agree; SQLite's is this machine's."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    time: datetime = session.scalar(_CLOCK)  # type: ignore[assignment]
    return time.astimezone(UTC)


def insert_new(session: Session, model: type[Base], rows: list[dict[str, Any]]) -> int:
    """INSERT ... ON CONFLICT DO NOTHING; how many were new."""
    if not rows:
        return 0
    done = session.execute(inserting(session, model).values(rows).on_conflict_do_nothing())
    return int(done.rowcount)  # type: ignore[attr-defined]


# Each supports ON CONFLICT in its database's own syntax.
INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def inserting(session: Session, model: type[Base]) -> Any:
    """An INSERT that takes ON CONFLICT on the session's database."""
    return INSERTS[session.get_bind().dialect.name](model)


def upsert(session: Session, model: type[Base], row: dict[str, Any]) -> None:
    """Insert a row, or overwrite the columns given where one with its primary key stands."""
    statement = _upsert(session.get_bind().dialect.name, model, tuple(row))
    session.connection().execute(statement, row)


def upsert_all(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """The same for rows of the same columns: one statement."""
    if rows:
        statement = _upsert(session.get_bind().dialect.name, model, tuple(rows[0]))
        session.connection().execute(statement, list(rows))


@lru_cache  # a panel would spend half a millisecond on building them
def _upsert(dialect: str, model: type[Base], names: tuple[str, ...]) -> Executable:
    key = [column.name for column in model.__table__.primary_key]
    statement = INSERTS[dialect](model)
    changes = {name: statement.excluded[name] for name in names if name not in key}
    made: Executable = statement.on_conflict_do_update(index_elements=key, set_=changes)
    return made


def change_rows(session: Session, statement: Update | Delete) -> int:
    """Execute it past the objects that the session holds; returns of how many rows."""
    done = session.execute(statement.execution_options(synchronize_session=False))
    return int(done.rowcount)  # type: ignore[attr-defined]


def listed(session: Session, texts: Collection[str]) -> ColumnElement[str]:
    """These texts as a column of a row each, in their order, sent as one parameter: a statement
    that spells out hundreds of values is compiled, parsed and planned anew each time."""
    if session.get_bind().dialect.name == "sqlite":
        return func.json_each(json.dumps(list(texts))).table_valued("value").c.value
    return func.unnest(literal(list(texts), postgresql.ARRAY(Text)))
