"""A job's claim on an undo run: one job at a time advances it, and gives it back when it has to
wait."""

from __future__ import annotations

import uuid

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from keeping_plugin.errors import NotReady, SalesforceError
from keeping_plugin.models import (
    Connection,
    ConnectionStatus,
    ItemState,
    UndoItem,
    UndoRun,
    UndoState,
    change_rows,
    now,
)
from keeping_plugin.services.corrections.choice import OPEN
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import PAUSES, SETTLE, UNDO_CLAIM


def claim(runtime: Runtime, run_id: int) -> UndoRun | None:
    """The run, if it is due and nobody has it."""
    with runtime.database.write() as session:
        time = now(session)
        until = time + runtime.times.span(UNDO_CLAIM)
        claimed = (
            update(UndoRun)
            .where(
                UndoRun.id == run_id,
                UndoRun.state.in_(OPEN),
                UndoRun.due_at <= time,
                or_(UndoRun.claimed_until.is_(None), UndoRun.claimed_until < time),
            )
            .values(claim=uuid.uuid4().hex, claimed_until=until, due_at=until)
        )
        if not change_rows(session, claimed):
            return None
        run = session.get_one(UndoRun, run_id)
        if is_over(session.get_one(Connection, run.connection_id), run):
            return run
        sent_at = session.scalar(
            select(func.max(UndoItem.sent_at)).where(
                UndoItem.run_id == run_id, UndoItem.state == ItemState.SENT
            )
        )
        look_at = sent_at + runtime.times.span(SETTLE) if sent_at else time
        if look_at > time:  # Salesforce may still be at it
            run.claim = run.claimed_until = None
            run.due_at = look_at
            return None
        return run


def is_over(connection: Connection, run: UndoRun) -> bool:
    """Whether the connection has ended since the run was started."""
    gone = connection.status == ConnectionStatus.DISCONNECTED or not connection.current
    return gone or connection.epoch != run.epoch


def mine(session: Session, run: UndoRun) -> UndoRun | None:
    """The run, locked, if this job still has it."""
    return session.scalars(
        select(UndoRun)
        .where(UndoRun.id == run.id, UndoRun.claim == run.claim)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()


def renew(runtime: Runtime, session: Session, current: UndoRun) -> None:
    """Extend the claim."""
    current.claimed_until = current.due_at = now(session) + runtime.times.span(UNDO_CLAIM)


def end(session: Session, run: UndoRun, state: UndoState, reason: str = "") -> None:
    """End the run."""
    run.state, run.reason, run.finished_at = state, reason, now(session)
    run.due_at = run.claim = run.claimed_until = None


def give_back(runtime: Runtime, run: UndoRun, *, wait: float = 0.0, reason: str = "") -> None:
    """Release the run for another job in this many unscaled seconds."""
    with runtime.database.write() as session:
        current = mine(session, run)
        if current is not None:
            current.claim = current.claimed_until = None
            current.due_at = now(session) + runtime.times.span(wait)
            current.reason = reason


def put_off(runtime: Runtime, run: UndoRun, error: SalesforceError | NotReady) -> None:
    """Release the run with a growing delay: Salesforce did not answer, or accepts nothing for
    now."""
    with runtime.database.write() as session:
        current = mine(session, run)
        if current is None:
            return
        wait = PAUSES[min(current.failures, len(PAUSES) - 1)]
        current.failures += 1
        current.claim = current.claimed_until = None
        current.due_at = now(session) + runtime.times.span(wait)
        current.reason = error.code
