"""How far a backfill run is, as the Automation tab shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from keeping_plugin.models import BackfillRun, EntryState, Lane, SyncEntry, now
from keeping_plugin.services.automation.backfill import DONE, PAUSED, RUNNING

# A run that is due for so long, claimed by nobody: no worker is running.
_PATIENCE = timedelta(seconds=20)

# Literals, not parameters: only then do both databases use the partial index of models/ledger.
_OWED = (
    SyncEntry.state.in_(
        [literal_column(f"'{state}'") for state in ("pending", "sending", "waiting")]
    )
    & SyncEntry.due_at.is_not(None)  # not held for review
)


@dataclass(frozen=True, slots=True)
class Progress:
    """One run. `left` of its entries are still to be sent, `waiting` ones wait for a Contact.
    `stuck`: it is due and no worker has begun it."""

    run: BackfillRun
    left: int
    waiting: int
    stuck: bool

    @property
    def running(self) -> bool:
        """Whether it goes on by itself."""
        return self.run.state == RUNNING

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.run.state in (RUNNING, PAUSED)

    @property
    def host_fails(self) -> bool:
        """Whether the host raised when it was last asked for mail."""
        return self.running and bool(self.run.failures)

    @property
    def share(self) -> float:
        """The part of the time since `since` that lies behind the last message looked at, since
        nobody counts a mailbox's mail beforehand."""
        run = self.run
        if run.state == DONE:
            return 1.0
        whole = (run.started_at - run.since).total_seconds()
        if run.reached_at is None or whole <= 0:
            return 0.0
        return min(1.0, max(0.0, (run.reached_at - run.since).total_seconds() / whole))


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
    due = run.due_at if run.state == RUNNING else None
    stuck = due is not None and now(session) - due > _PATIENCE
    return Progress(run, left, waiting, stuck)
