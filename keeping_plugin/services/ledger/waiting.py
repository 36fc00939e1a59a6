"""Messages whose customer has no Contact yet: released in the commit in which we learn of one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, literal, or_, select, true
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from keeping_plugin.models import EntryState, KnownAddress, SyncEntry, inserting, listed, now
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.batch import has_come
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.services.ledger.locking import lock_connection
from keeping_plugin.times import WAIT_LIMIT, WAIT_LOOKS, WAIT_ROWS, Times


def contact_appeared(session: Session, connection_id: int, addresses: Collection[str]) -> int:
    """A Contact with each of these addresses exists. Stamps the addresses as known and makes
    waiting Tasks for them due, and what was held for review of them; returns how many. The caller
    commits, and rings when it is more than none.

    The stamp is what a drain reads that is about to write `waiting` after a find that began
    earlier (`known_since`); otherwise that row would sleep through the news.
    """
    # Before anything is read: a drain about to write `waiting` either sees the stamp or is seen.
    lock_connection(session, connection_id)
    time = now(session)
    each = listed(session, sorted(set(addresses)))
    rows = select(literal(connection_id), each, literal(time, KnownAddress.known_at.type)).where(
        true()
    )  # SQLite would take ON CONFLICT for the ON of a join
    columns = ["connection_id", "address", "known_at"]
    stamp = inserting(session, KnownAddress).from_select(columns, rows)
    session.execute(
        stamp.on_conflict_do_update(
            index_elements=["connection_id", "address"], set_={"known_at": time}
        )
    )
    return entries.happen(
        session,
        Event.CONTACT_APPEARED,
        SyncEntry.connection_id == connection_id,
        entries.OWED_ROWS,
        SyncEntry.address.in_(select(each)),
        or_(SyncEntry.state == EntryState.WAITING, SyncEntry.due_at.is_(None)),
        due_at=time,
    )


def known_since(
    session: Session, connection_id: int, addresses: Collection[str], since: datetime
) -> frozenset[str]:
    """Of these addresses, those stamped as known at or after a time."""
    if not addresses:
        return frozenset()
    return frozenset(
        session.scalars(
            select(KnownAddress.address).where(
                KnownAddress.connection_id == connection_id,
                KnownAddress.address.in_(sorted(addresses)),
                KnownAddress.known_at >= since,
            )
        )
    )


def look_due(time: datetime) -> ColumnElement[bool]:
    """Waiting rows of which nothing was ever sent, whose next look is due."""
    return and_(has_come(time), SyncEntry.state == EntryState.WAITING, SyncEntry.sent_at.is_(None))


def wait_on(
    session: Session,
    connection_id: int,
    addresses: Collection[str],
    times: Times,
) -> None:
    """Each look is followed by a longer wait: 10 min, 1 h, 6 h, then a day."""
    mine = (SyncEntry.connection_id == connection_id, SyncEntry.address.in_(sorted(addresses)))
    time = now(session)
    last = len(WAIT_LOOKS) - 1
    # From the last to the first, so that no row is moved on twice.
    for looks in range(last, -1, -1):
        seen = SyncEntry.looks >= looks if looks == last else SyncEntry.looks == looks
        following = WAIT_LOOKS[min(looks + 1, last)]
        entries.happen(
            session,
            Event.LOOKED_FOR,
            *mine,
            look_due(time),
            seen,
            looks=min(looks + 1, last),
            due_at=time + times.span(following),
        )


def expire(session: Session, connection_id: int, time: datetime, times: Times) -> None:
    """Nothing waits longer than 14 days, nor behind 5,000 younger ones."""
    ended = {"reason": "no_contact", "settled_at": time}
    waits = (
        SyncEntry.connection_id == connection_id,
        entries.IN_TIME,
        SyncEntry.state == EntryState.WAITING,
        SyncEntry.sent_at.is_(None),
    )
    too_old = time - times.span(WAIT_LIMIT)
    entries.happen(session, Event.ABANDONED, *waits, SyncEntry.waiting_since <= too_old, **ended)
    beyond = session.scalars(
        select(SyncEntry.id)
        .where(*waits)
        .order_by(SyncEntry.waiting_since.desc(), SyncEntry.id.desc())
        .offset(WAIT_ROWS)
    ).all()
    if beyond:
        entries.happen(session, Event.ABANDONED, SyncEntry.id.in_(beyond), **ended)
