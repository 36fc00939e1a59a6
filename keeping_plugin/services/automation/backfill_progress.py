"""How far a backfill run is, as the Automation tab shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from keeping_plugin.models import BackfillRun, EntryState, Lane, SyncEntry, now
from keeping_plugin.services.automation.backfill import DONE, PAUSED, RUNNING

# A run that is due for so long, claimed by nobody: no worker is running.
_PATIENCE = timedelta(seconds=20)

# Literals, so that both databases see that the partial index of models/ledger fits.
_OWED = (
    SyncEntry.state.in_(
        [literal_column(f"'{state}'") for state in ("pending", "sending", "waiting")]
    )
    & SyncEntry.due_at.is_not(None)  # not held for review
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One run. `reached_at` is when the last message looked at was sent; `share` the part of the
    time since `since` that lies behind it, since nobody counts a mailbox's mail beforehand. `left`
    of the `granted` entries are still to be sent, `waiting` ones wait for a Contact. `stuck`: it is
    due and no worker has begun it. `host_fails`: the host raised when it was last asked for mail;
    `unread` messages were left out because it raised for them alone."""

    id: int
    state: str
    since: datetime
    started_at: datetime
    finished_at: datetime | None
    reached_at: datetime | None
    share: float
    seen: int
    granted: int
    left: int
    waiting: int
    stuck: bool
    host_fails: bool
    unread: int

    @property
    def running(self) -> bool:
        """Whether it goes on by itself."""
        return self.state == RUNNING

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.state in (RUNNING, PAUSED)


def latest(session: Session, company_id: str, mailbox_id: str) -> Progress | None:
    """The mailbox's latest run; None when there was none."""
    run = session.scalars(
        select(BackfillRun)
        .where(BackfillRun.company_id == company_id, BackfillRun.mailbox_id == mailbox_id)
        .order_by(BackfillRun.id.desc())
        .limit(1)
    ).first()
    if run is None:
        return None
    waits = SyncEntry.state == EntryState.WAITING
    left, waiting = session.execute(
        select(func.count().filter(~waits), func.count().filter(waits)).where(
            SyncEntry.connection_id == run.connection_id,
            _OWED,
            SyncEntry.lane == Lane.BACKFILL,
            SyncEntry.run_id == run.id,
        )
    ).one()
    return Progress(
        id=run.id,
        state=run.state,
        since=run.since,
        started_at=run.started_at,
        finished_at=run.finished_at,
        reached_at=run.reached_at,
        share=_share(run),
        seen=run.seen,
        granted=run.granted,
        left=left,
        waiting=waiting,
        stuck=_is_stuck(run, now(session)),
        host_fails=run.state == RUNNING and bool(run.failures),
        unread=run.unread or 0,
    )


def _share(run: BackfillRun) -> float:
    if run.state == DONE:
        return 1.0
    whole = (run.started_at - run.since).total_seconds()
    if run.reached_at is None or whole <= 0:
        return 0.0
    return min(1.0, max(0.0, (run.reached_at - run.since).total_seconds() / whole))


def _is_stuck(run: BackfillRun, time: datetime) -> bool:
    return run.state == RUNNING and run.due_at is not None and time - run.due_at > _PATIENCE
