"""A batch: up to 200 messages of one connection with all their due actions, claimed together by one
compare-and-set, and given back when they end without outcomes of their own.

A batch may also outlive its lease: whoever worked on it stands still, or is dead. Nothing says
which, and a message that makes every worker stand still must not do so for ever. So it counts like
any other batch that ended without outcomes: the same rows travel in tens, then alone, and one that
stops three workers alone has failed.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from keeping_plugin.models import Connection, EntryState, SyncEntry, now
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.services.ledger.lease import Lease, renew_lease
from keeping_plugin.services.ledger.locking import connection_first, lock_connection
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import ATTEMPTS, BATCH, LEASE, PAUSES, SETTLE, Times

SMALL_BATCH = 10
ASK_AGAIN = 300.0  # seconds


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that are ours to work on until they are settled. `connection` is as it stood when they
    were claimed, `began_at` the database's time of the claim."""

    token: str
    connection: Connection
    began_at: datetime
    rows: Sequence[SyncEntry]

    @property
    def row_ids(self) -> list[int]:
        return [row.id for row in self.rows]

    @property
    def alone(self) -> bool:
        """Only one message: what goes wrong is this message's doing."""
        return len({row.message_id for row in self.rows}) == 1


def drainable(connection: Connection | None, time: datetime) -> bool:
    """Live, confirmed by an admin and not paused."""
    return (
        connection is not None
        and connection.is_live
        and connection.confirmed
        and (connection.paused_until is None or connection.paused_until <= time)
    )


def has_come(time: datetime) -> ColumnElement[bool]:
    """Entries still owed whose time has come."""
    return and_(entries.IN_TIME, SyncEntry.due_at <= time)


def due(time: datetime, *, steady: bool = True) -> ColumnElement[bool]:
    """Rows to be sent or looked up at this time. A waiting row without a mark is not among them:
    its look is made for many at once (`waiting`). Unless the clock is `steady`, no marked
    row is looked at."""
    found = and_(
        has_come(time),
        or_(SyncEntry.state != EntryState.WAITING, SyncEntry.sent_at.is_not(None)),
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
        if not renew_lease(runtime, session, lease):
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
        claimed = entries.claim(
            session,
            SyncEntry.message_id.in_(message_ids),
            claimable,
            token=token,
            until=time + runtime.times.span(LEASE),
        )
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


def count_outlived(
    session: Session,
    connection: Connection,
    claims: Sequence[str],
    time: datetime,
    times: Times,
) -> None:
    """Count these claims, which ended with nobody giving their rows back.

    A batch in which something was marked had read its messages by then: what came after is looked
    up. Only a message that travels alone already is counted as an attempt, so that a worker killed
    by a deploy counts for little.
    """
    rows = session.scalars(
        select(SyncEntry).where(
            SyncEntry.connection_id == connection.id,
            SyncEntry.state.in_((EntryState.PENDING, EntryState.SENDING, EntryState.WAITING)),
            SyncEntry.claim.in_(claims),
        )
    ).all()
    for claim in claims:
        mine = [row for row in rows if row.claim == claim]
        if not mine or any(row.sent_at is not None for row in mine):
            continue
        batch = Batch(claim, connection, time, mine)
        counts = all(row.batch_size == 1 for row in mine)
        retry_in_smaller_batch(session, batch, batch.row_ids, times=times, counts=counts)


def release_rows(session: Session, batch: Batch, row_ids: Collection[int], *, unmark: bool) -> None:
    """Give rows back as they were: nothing was sent for them. `unmark` those whose mark was only
    just made."""
    lock_connection(session, batch.connection.id)
    if unmark:
        time = now(session)
        entries.unmark(session, _of(batch, row_ids), batch.token, at=time, look_at=time)
    entries.happen(session, Event.RELEASED, *entries.of_batch(row_ids, batch.token))


def _of(batch: Batch, row_ids: Collection[int]) -> list[SyncEntry]:
    chosen = frozenset(row_ids)
    return [row for row in batch.rows if row.id in chosen]


def retry_in_smaller_batch(
    session: Session,
    batch: Batch,
    row_ids: Collection[int],
    *,
    times: Times,
    unmark: bool = False,
    counts: bool = True,
) -> None:
    """After a batch that ended without row outcomes: the same rows travel in tens, then alone;
    only alone does it count as an attempt, and only if it `counts`. After three a row of which
    nothing is in doubt has failed; one that is in doubt is asked about again. Neither happens at
    once: what is broken may be the host, for a minute."""
    lock_connection(session, batch.connection.id)
    time = now(session)
    mine = entries.of_batch(row_ids, batch.token)
    if unmark:
        settled = time + times.span(SETTLE)
        entries.unmark(session, _of(batch, row_ids), batch.token, at=time, look_at=settled)
    if batch.alone and counts:
        marked = SyncEntry.sent_at.is_not(None)
        often = SyncEntry.attempts >= ATTEMPTS
        again = time + times.span(ASK_AGAIN)
        one_more = SyncEntry.attempts + 1
        entries.happen(session, Event.POSTPONED, *mine, attempts=one_more)
        entries.happen(session, Event.NO_OUTCOME, *mine, often, settled_at=time)
        entries.happen(session, Event.POSTPONED, *mine, often, marked, due_at=again)
        for attempts in range(1, ATTEMPTS):
            entries.happen(
                session,
                Event.POSTPONED,
                *mine,
                SyncEntry.attempts == attempts,
                ~marked,
                due_at=time + times.span(PAUSES[attempts - 1]),
            )
    largest = max(row.batch_size or len(batch.rows) for row in batch.rows)
    smaller = 1 if min(largest, len(batch.rows)) <= SMALL_BATCH else SMALL_BATCH
    entries.happen(session, Event.RELEASED, *mine, batch_size=smaller)
