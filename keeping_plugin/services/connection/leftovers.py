"""What a disconnect leaves to be settled: entries that will never be sent, and copies of records.

The disconnect itself is one short commit (tokens and epoch), from which on nothing is sent. Its
rows follow here, 500 a transaction, so that the host, which may be storing mail, waits for none of
it. Whoever disconnects does as much as a request may take; the sweep does the rest, also after a
crash, and with it the rows of a host's transaction that committed after the disconnect.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Select, and_, case, delete, exists, func, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from sqlalchemy.sql import ColumnElement

from keeping_plugin.models import (
    Connection,
    ConnectionStatus,
    Database,
    DomainAccount,
    KnownAddress,
    PanelCard,
    Pick,
    SyncEntry,
    now,
)
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.services.ledger.holding import HELD
from keeping_plugin.services.ledger.locking import lock_connection

DISCONNECTED = "disconnected"
OTHER_ORG = "other_org"

CHUNK = 500  # rows a transaction
REQUEST = 0.3  # seconds of a request that disconnects
SWEEP = 2.0  # seconds of a sweep
_MAKE_WAY = 0.02  # seconds between two transactions, in which SQLite lets the host in

# Literals, not parameters: only then do both databases use the partial index of models/ledger.
_UNSENT = SyncEntry.state.in_([literal_column("'pending'"), literal_column("'waiting'")])

_other = aliased(Connection)
_has_other_org: ColumnElement[bool] = (
    exists()
    .where(
        _other.company_id == Connection.company_id,
        _other.id != Connection.id,
        _other.current,
        _other.confirmed,
    )
    .correlate(Connection)
)


def settle(database: Database, *, seconds: float) -> bool:
    """Settle what is left, a chunk at a time, for about so long; says whether nothing is left."""
    until = time.monotonic() + seconds
    for step in (*map(_cancel, (entries.IN_TIME, HELD)), _fail, *map(_erase, _COPIES)):
        while step(database):
            if time.monotonic() >= until:
                return False
            time.sleep(_MAKE_WAY)
    return True


def never_sent() -> ColumnElement[bool]:
    """Entries of an earlier time of their connection, of which nothing was ever sent."""
    return _UNSENT & SyncEntry.sent_at.is_(None) & (Connection.epoch > SyncEntry.epoch)


def _of_one(database: Database, ids: Select[int, int]) -> tuple[int, Sequence[int]]:
    """The first connection that has such rows, and a chunk of them; read before anything is
    locked."""
    with database.read() as session:
        found = [(row[0], row[1]) for row in session.execute(ids.limit(CHUNK))]
    if not found:
        return 0, ()
    connection_id = found[0][0]
    return connection_id, [row_id for theirs, row_id in found if theirs == connection_id]


def _cancel(which: ColumnElement[bool]) -> Callable[[Database], bool]:
    """One chunk of those that will never be sent; whether there was one."""
    return lambda database: _cancel_chunk(database, which)


def _cancel_chunk(database: Database, which: ColumnElement[bool]) -> bool:
    mine = and_(SyncEntry.connection_id == Connection.id, which, never_sent())
    with database.read() as session:
        # The connection first: what is held for review may be many entries of one that goes on.
        connection_id = session.scalar(
            select(Connection.id).where(Connection.epoch > 1, exists().where(mine)).limit(1)
        )
        chunk = (
            session.scalars(
                select(SyncEntry.id)
                .join(Connection, mine)
                .where(Connection.id == connection_id)
                .limit(CHUNK)
            ).all()
            if connection_id is not None
            else ()
        )
    if connection_id is None or not chunk:
        return False
    with database.write() as session:
        lock_connection(session, connection_id)
        row = session.execute(
            select(Connection.disconnected_at, _has_other_org).where(
                Connection.id == connection_id, Connection.epoch > 1
            )
        ).one()
        at = now(session)
        ended = row.disconnected_at or at
        # The claim goes, too: a drain that holds it writes nothing over this.
        entries.happen(
            session,
            Event.ABANDONED,
            SyncEntry.id.in_(chunk),
            _UNSENT,
            reason=OTHER_ORG if row[1] else DISCONNECTED,
            settled_at=case((SyncEntry.created_at <= ended, ended), else_=at),
        )
    return True


def _fail(database: Database) -> bool:
    """One chunk of what can be looked up no more, since the company has another org by now. A
    drain that is at such a row may still record what it learns."""
    connection_id, chunk = _of_one(
        database,
        select(SyncEntry.connection_id, SyncEntry.id)
        .join(Connection, Connection.id == SyncEntry.connection_id)
        .where(
            Connection.status == ConnectionStatus.DISCONNECTED,
            _has_other_org,
            entries.OWED_ROWS,
            SyncEntry.sent_at.is_not(None),
        ),
    )
    if not chunk:
        return False
    with database.write() as session:
        lock_connection(session, connection_id)
        entries.happen(session, Event.GIVEN_UP, SyncEntry.id.in_(chunk), settled_at=now(session))
    return True


# The key of each copy beside its connection, and whether it stays until another org is connected:
# cards and Accounts go with the access to their records, picks and known addresses with the org
# that they are about.
_COPIES: Mapping[InstrumentedAttribute[str], bool] = {
    PanelCard.address: False,
    DomainAccount.domain: False,
    Pick.address: True,
    KnownAddress.address: True,
}


def _erase(key: InstrumentedAttribute[str]) -> Callable[[Database], bool]:
    """One chunk of a table."""
    table = key.class_
    gone = Connection.status == ConnectionStatus.DISCONNECTED
    if _COPIES[key]:
        gone = gone & _has_other_org

    def step(database: Database) -> bool:
        with database.read() as session:
            found = session.execute(
                select(table.connection_id, key)
                .join(Connection, Connection.id == table.connection_id)
                .where(gone)
                .limit(CHUNK)
            ).all()
        if not found:
            return False
        connection_id = found[0].connection_id
        keys = [each for owner, each in found if owner == connection_id]
        with database.write() as session:
            session.execute(
                delete(table).where(table.connection_id == connection_id, key.in_(keys))
            )
        return True

    return step


def still_to_cancel(session: Session, connection_id: int) -> int:
    """How many entries of a disconnected connection will be cancelled yet."""
    return (
        session.scalar(
            select(func.count())
            .select_from(SyncEntry)
            .join(Connection, Connection.id == SyncEntry.connection_id)
            .where(SyncEntry.connection_id == connection_id, never_sent())
        )
        or 0
    )
