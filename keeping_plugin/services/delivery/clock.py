"""After the database's clock was set back: nothing may stand further ahead than it could be.

Leases, claims and due times were written by a clock that was ahead. Left alone, work would sleep
until the new clock comes to where the old one was.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import InstrumentedAttribute, Session

from keeping_plugin.models import (
    AddressClaim,
    BackfillRun,
    Connection,
    EntryState,
    OrgLease,
    SyncEntry,
    change_rows,
)
from keeping_plugin.services.delivery.outcomes import LAST_RETRY
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.batch import ASK_AGAIN
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.times import (
    BACKFILL_CLAIM,
    BARRED_WAITS,
    CLAIM,
    LEASE,
    PAUSES,
    REFRESH_LEASE,
    RENEW_LOGIN,
    SETTLE,
    Times,
)

# How far ahead each may stand at most, in unscaled seconds.
_MAX_AHEAD: tuple[tuple[InstrumentedAttribute[datetime | None], float], ...] = (
    (AddressClaim.until, CLAIM),
    (BackfillRun.claimed_until, BACKFILL_CLAIM),
    (BackfillRun.due_at, BACKFILL_CLAIM),
    (Connection.refresh_until, REFRESH_LEASE),
    (Connection.paused_until, max(*PAUSES, *BARRED_WAITS, 1.5 * LAST_RETRY)),
    (Connection.barred_until, max(BARRED_WAITS)),
    (Connection.renew_at, RENEW_LOGIN),
)


def clamp_future_times(session: Session, time: datetime, times: Times) -> None:
    """Cut what stands too far ahead. Rows that were never tried are due at once, marked ones after
    a settle time, the others after the longest back-off; waiting rows keep their days."""
    latest = time + times.span(LEASE)
    _cut(session, OrgLease.until, latest)
    claimed_later = SyncEntry.claimed_until > latest
    entries.happen(session, Event.POSTPONED, claimed_later, claimed_until=latest)
    for column, limit in _MAX_AHEAD:
        _cut(session, column, time + times.span(limit))
    marked = (SyncEntry.state == EntryState.SENDING, SyncEntry.sent_at.is_not(None))
    pending = (SyncEntry.state == EntryState.PENDING,)
    untried = (
        *pending,
        SyncEntry.retries == 0,
        SyncEntry.attempts == 0,
        SyncEntry.created_at > time,
    )
    for rows, longest, due in (
        (untried, 0.0, 0.0),
        (marked, ASK_AGAIN, SETTLE),
        (pending, 1.5 * LAST_RETRY, 1.5 * LAST_RETRY),
    ):
        entries.happen(
            session,
            Event.POSTPONED,
            *rows,
            SyncEntry.due_at > time + times.span(longest),
            due_at=time + times.span(due),
        )


def _cut(
    session: Session, column: InstrumentedAttribute[datetime | None], latest: datetime
) -> None:
    change_rows(session, update(column.class_).where(column > latest).values({column: latest}))
