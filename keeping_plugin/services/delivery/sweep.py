"""The sweep: every worker's parent rings for whatever is due, and settles what nobody else will."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from keeping_plugin import failpoints
from keeping_plugin.models import (
    BackfillRun,
    Connection,
    ConnectionStatus,
    Revocation,
    SchemaLoad,
    SyncEntry,
    UndoRun,
    now,
)
from keeping_plugin.services.connection import leftovers
from keeping_plugin.services.delivery.clock import clamp_future_times
from keeping_plugin.services.delivery.readiness import care_due
from keeping_plugin.services.ledger import entries, events
from keeping_plugin.services.ledger.batch import due, has_come
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.services.ledger.waiting import look_due
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import QUEUE_FULL, UNKNOWN_LIMIT, Times

JOBS = 100  # of a kind, a sweep


def sweep(runtime: Runtime) -> None:
    """Once over everything: cheap when nothing is due. Safe to run in several processes at once,
    and from cron (`flask keeping tick`)."""
    failpoints.reach("sweep.began")
    with runtime.database.write() as session:
        time = now(session)
        runtime.watch.observe(time)
        if not runtime.watch.steady:
            clamp_future_times(session, time, runtime.times)
        _give_up_disconnected(session, time, runtime)
    leftovers.settle(runtime.database, seconds=leftovers.SWEEP)
    with runtime.database.read() as session:
        connections = _due_connections(session, time, runtime.times)
        describes = session.scalars(
            select(SchemaLoad.connection_id).where(SchemaLoad.due_at <= time).limit(JOBS)
        ).all()
        revokes = session.scalars(
            select(Revocation.id).where(Revocation.due_at <= time).limit(JOBS)
        ).all()
        backfills = session.scalars(
            select(BackfillRun.id).where(BackfillRun.due_at <= time).limit(JOBS)
        ).all()
        undos = session.scalars(select(UndoRun.id).where(UndoRun.due_at <= time).limit(JOBS)).all()
    waiting = runtime.queue.length()
    if waiting is None or waiting >= QUEUE_FULL:
        return
    for job, row_ids in (
        ("revoke", revokes),
        ("describe", describes),
        ("backfill", backfills),
        ("undo", undos),
    ):
        for row_id in row_ids:
            runtime.queue.enqueue(job, row_id)
    runtime.queue.ring(connections)


def _due_connections(session: Session, time: datetime, times: Times) -> list[int]:
    """Live connections that owe something now, or whose login needs care, the longest due first."""
    mine = SyncEntry.connection_id == Connection.id
    owed = mine & has_come(time) & or_(due(time), look_due(time))
    longest = select(func.min(SyncEntry.due_at)).where(owed).scalar_subquery()
    query = (
        select(Connection.id)
        .where(
            Connection.is_live,
            Connection.confirmed,
            or_(Connection.paused_until.is_(None), Connection.paused_until <= time),
            or_(exists(select(SyncEntry.id).where(owed)), care_due(time, times)),
        )
        .order_by(longest)
        .limit(QUEUE_FULL)
    )
    return list(session.scalars(query))


def _give_up_disconnected(session: Session, time: datetime, runtime: Runtime) -> None:
    """Sent before a disconnect and not looked up for 24 h: a person settles them."""
    gone = select(Connection.id).where(
        Connection.status == ConnectionStatus.DISCONNECTED,
        Connection.disconnected_at < time - runtime.times.span(UNKNOWN_LIMIT),
    )
    # Of several connections at once, so no order of locks could be kept: rows that somebody else
    # is writing are left for the next sweep.
    rows = (
        select(SyncEntry.id)
        .where(
            SyncEntry.connection_id.in_(gone),
            SyncEntry.state.in_(events.OWED),
            SyncEntry.sent_at.is_not(None),
        )
        .with_for_update(skip_locked=True, key_share=True)
    )
    entries.happen(
        session,
        Event.GIVEN_UP,
        SyncEntry.id.in_(rows),
        settled_at=time,
        claim=None,
        claimed_until=None,
    )
