"""What a disconnect did, and what is still being tried: read from the rows it left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from keeping_plugin.models import BackfillRun, Connection, Revocation, SyncEntry
from keeping_plugin.services.connection import disconnect, leftovers


@dataclass(frozen=True, slots=True, kw_only=True)
class DisconnectSummary:
    """`cancelled` entries were never sent, those included that are settled in a moment; of
    `unsettled` ones nobody knows yet whether Salesforce took them."""

    org_name: str
    at: datetime
    by: str
    cancelled: int
    unsettled: int
    runs: int
    revocation: Revocation | None


def disconnect_summary(session: Session, connection: Connection) -> DisconnectSummary | None:
    """The summary of this connection's last disconnect; None when it was never disconnected."""
    at = connection.disconnected_at
    if at is None or connection.current:
        return None
    revocation = session.scalars(
        select(Revocation)
        .where(Revocation.connection_id == connection.id)
        .order_by(Revocation.id.desc())
        .limit(1)
    ).first()
    return DisconnectSummary(
        org_name=connection.org_name,
        at=at,
        by=connection.disconnected_by or "",
        cancelled=_cancelled(session, connection, at),
        unsettled=disconnect.unsettled(session, connection),
        runs=session.scalar(
            select(func.count())
            .select_from(BackfillRun)
            .where(BackfillRun.connection_id == connection.id, BackfillRun.finished_at == at)
        )
        or 0,
        revocation=revocation,
    )


def _cancelled(session: Session, connection: Connection, at: datetime) -> int:
    settled = session.scalar(
        select(func.count())
        .select_from(SyncEntry)
        .where(
            SyncEntry.connection_id == connection.id,
            SyncEntry.reason == leftovers.DISCONNECTED,
            SyncEntry.settled_at == at,
        )
    )
    return (settled or 0) + leftovers.still_to_cancel(session, connection.id)
