"""Claim: up to 200 messages of one connection, with all their due actions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from keeping_plugin.models import Connection, ConnectionStatus, EntryState, SyncEntry, now
from keeping_plugin.services.delivery import lease as leases
from keeping_plugin.services.delivery.batch import Batch
from keeping_plugin.services.delivery.lease import Lease
from keeping_plugin.services.delivery.outlived import count_outlived
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import BATCH, LEASE


def drainable(connection: Connection | None, time: datetime) -> bool:
    """Live, confirmed by an admin and not paused."""
    return (
        connection is not None
        and connection.current
        and connection.confirmed
        and connection.status == ConnectionStatus.LIVE
        and (connection.paused_until is None or connection.paused_until <= time)
    )


def due(time: datetime, *, steady: bool = True) -> ColumnElement[bool]:
    """Rows to be sent or looked up at this time. A waiting row without a mark is not among them:
    its look is made for many at once (services/waiting). Unless the clock is `steady`, no marked
    row is looked at."""
    found = and_(
        SyncEntry.state.in_((EntryState.PENDING, EntryState.SENDING, EntryState.WAITING)),
        or_(SyncEntry.state != EntryState.WAITING, SyncEntry.sent_at.is_not(None)),
        SyncEntry.due_at <= time,
        or_(SyncEntry.claimed_until.is_(None), SyncEntry.claimed_until < time),
    )
    return found if steady else and_(found, SyncEntry.sent_at.is_(None))


def claim(runtime: Runtime, lease: Lease, connection_id: int) -> Batch | None:
    """One compare-and-set; None when nothing is due, or nothing may be sent now."""
    with runtime.database.write() as session:
        time = now(session)
        connection = connection_first(session, connection_id)
        if connection is None or not drainable(connection, time):
            return None
        if not leases.renew(runtime, session, lease):
            return None
        claimable = and_(
            SyncEntry.connection_id == connection_id, due(time, steady=runtime.watch.steady)
        )
        message_ids, outlived = _choose(session, claimable)
        if outlived:
            count_outlived(session, connection, outlived, time, runtime.times)
            message_ids, _ = _choose(session, claimable)
        if not message_ids:
            return None
        token = uuid.uuid4().hex
        claimed = session.scalars(
            update(SyncEntry)
            .where(SyncEntry.message_id.in_(message_ids), claimable)
            .values(claim=token, claimed_until=time + runtime.times.span(LEASE))
            .returning(SyncEntry)
            .execution_options(synchronize_session=False)
        ).all()
        rows = sorted(claimed, key=lambda row: (row.lane, row.due_at, row.id))
        session.expunge_all()
    return Batch(token, connection, time, rows) if rows else None


def _choose(session: Session, claimable: ColumnElement[bool]) -> tuple[list[str], list[str]]:
    """Messages to work on, and the claims of earlier batches that still stand on some."""
    query = select(SyncEntry.message_id, SyncEntry.batch_size, SyncEntry.claim).where(claimable)
    # Two actions a message at most. One query per lane keeps each on its index.
    query = query.order_by(SyncEntry.lane, SyncEntry.due_at, SyncEntry.id).limit(2 * BATCH)
    rows = session.execute(query).all()
    outlived = sorted({row.claim for row in rows if row.claim is not None})
    return together((row.message_id, row.batch_size) for row in rows), outlived


def together(candidates: Iterable[tuple[str, int | None]]) -> list[str]:
    """The first messages that may travel together.

    A message that was in a batch without outcomes names the largest batch it may travel in; one
    that would make the batch too large for itself or for others is left for the next.
    """
    chosen: dict[str, None] = {}
    room = BATCH
    for message_id, size in candidates:
        if message_id in chosen:
            continue
        allowed = min(room, size or BATCH)
        if len(chosen) + 1 > allowed:
            continue
        chosen[message_id] = None
        room = allowed
    return list(chosen)
