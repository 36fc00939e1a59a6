"""A connection whose login Salesforce refuses, though nothing says that its grant is dead.

It keeps its tokens and its status, which 0.1.0's processes can read, and what is owed waits. Until
the time of the next try nobody asks Salesforce for it; then one process does. An answer to a call
ends it; after 30 days it is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import true, update
from sqlalchemy.orm import Session

from keeping_plugin.errors import ConnectionBarred, KeepingError
from keeping_plugin.models import Connection, ConnectionStatus, Database, change_rows, now
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.connection import grants
from keeping_plugin.times import BARRED_LIMIT, BARRED_WAITS, UNKNOWN_LIMIT, Times
from keeping_plugin.wording.terminal import escaped

log = logging.getLogger(__name__)

BARS_KEPT = 50  # that have ended; of more, the shortest are forgotten


def bar(
    session: Session,
    row: Connection,
    error: ConnectionBarred,
    *,
    at: datetime,
    times: Times,
    probed: bool,
) -> None:
    """Note a refusal on the connection's row, which the caller has locked. `probed`: this was the
    try that was due, so that the next one comes later. Barred for too long, it is lost."""
    if not row.is_barred:
        row.barred_since, row.barred_probes = at, 0
        _note(session, row, Audited.CONNECTION_BARRED, at=at, detail=error.reason)
        log.warning(
            "connection_barred",
            extra={
                "company_id": escaped(row.company_id),
                "connection_id": row.id,
                "reason": error.reason,
            },
        )
    elif probed:
        row.barred_probes = (row.barred_probes or 0) + 1
    row.barred_reason, row.barred_words = error.reason, str(error)[:255]
    if row.barred_since is not None and at - row.barred_since >= times.span(BARRED_LIMIT):
        # It may live on at Salesforce: it goes back as after a disconnect.
        grants.give_back(session, row, at=at, times=times)
        lose(session, row, error, at=at)
        return
    row.barred_until = at + times.span(wait_after(row.barred_probes or 0))
    row.paused_until, row.pause_reason = row.barred_until, error.code


def wait_after(probes: int) -> float:
    """Unscaled seconds until the next try, after so many in vain."""
    return BARRED_WAITS[min(probes, len(BARRED_WAITS) - 1)]


def lift(session: Session, row: Connection, *, at: datetime, times: Times) -> None:
    """Salesforce took a call again: the connection goes on, and so does what was owed."""
    if not row.is_barred or row.barred_since is None:
        return
    ended = [*_ended(row), (row.barred_since, at)]
    clear(row)
    row.barred_before = _kept(ended)
    begin = asked_since(row, at, times.span(UNKNOWN_LIMIT)) or row.connected_at
    row.barred_before = _kept([bar for bar in ended if bar[1] > begin])
    _note(session, row, Audited.CONNECTION_UNBARRED, at=at)
    log.info(
        "connection_unbarred",
        extra={"company_id": escaped(row.company_id), "connection_id": row.id},
    )


def asked_since(row: Connection, at: datetime, span: timedelta) -> datetime | None:
    """Since when Salesforce could be asked for so long altogether: while the connection is barred
    nobody asks, so nothing becomes clear. None: not for so long since the last login."""
    begin = row.barred_since if row.is_barred and row.barred_since is not None else at
    for since, until in reversed(_ended(row)):
        asked = begin - until
        if asked >= span:
            break
        span -= max(asked, timedelta())
        begin = min(begin, since)
    begin -= span
    return begin if row.connected_at <= begin else None


def _ended(row: Connection) -> list[tuple[datetime, datetime]]:
    kept = row.barred_before or ()
    return [(datetime.fromisoformat(since), datetime.fromisoformat(until)) for since, until in kept]


def _kept(bars: Sequence[tuple[datetime, datetime]]) -> list[list[str]] | None:
    longest = sorted(bars, key=lambda bar: bar[1] - bar[0])[-BARS_KEPT:]
    return [[since.isoformat(), until.isoformat()] for since, until in sorted(longest)] or None


def clear(row: Connection) -> None:
    """Forget that it was barred: after a login of its own, a disconnect, or the end of the bar."""
    row.barred_since = row.barred_until = None
    row.barred_reason = row.barred_words = row.barred_probes = None
    if row.pause_reason == ConnectionBarred.code:
        row.paused_until, row.pause_reason = None, ""


def lose(session: Session, row: Connection, error: KeepingError, *, at: datetime) -> None:
    """The grant is dead and erased; only a new login helps."""
    clear(row)
    row.status = ConnectionStatus.LOST
    row.tokens = None
    row.lost_at, row.lost_reason = at, str(error)[:255]
    row.refresh_owner = row.refresh_until = None
    _note(session, row, Audited.CONNECTION_LOST, at=at)
    log.warning(
        "connection_lost", extra={"company_id": escaped(row.company_id), "connection_id": row.id}
    )


def try_now(database: Database, connection_id: int | None = None) -> None:
    """Make the next try of every barred connection, or of this one, due: somebody has mended
    something."""
    mine = true() if connection_id is None else Connection.id == connection_id
    with database.write() as session:
        at = now(session)
        barred = update(Connection).where(
            mine, Connection.barred_until > at, Connection.status == ConnectionStatus.LIVE
        )
        change_rows(session, barred.values(barred_until=at, paused_until=at))


def refusal(row: Connection) -> ConnectionBarred:
    """The error for a call that is not made because the connection is barred."""
    return ConnectionBarred(row.barred_words or "", reason=row.barred_reason or "refused")


def _note(
    session: Session, row: Connection, action: Audited, *, at: datetime, detail: str = ""
) -> None:
    audit.record(
        session, action, company_id=row.company_id, at=at, connection_id=row.id, detail=detail
    )
