"""What leaving an org does in the caller's transaction, which is short whatever the company owes:
rows follow in chunks (services/connection/leftovers)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from keeping_plugin.models import (
    AgentUser,
    BackfillRun,
    Connection,
    ConnectionStatus,
    EntryState,
    RefusedOwner,
    SchemaDocument,
    SchemaLoad,
    SyncEntry,
    UndoneAddress,
)
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.connection import barred, grants
from keeping_plugin.services.people import policy as people
from keeping_plugin.times import Times

_OWED = (EntryState.PENDING, EntryState.WAITING, EntryState.SENDING)


def end_connection(
    session: Session, connection: Connection, *, agent_id: str, at: datetime, times: Times
) -> int:
    """Disconnect: the grant goes, the epoch rises, nothing unsent will ever be sent, and is
    cancelled afterwards. Rows with a mark keep it and their state: they are looked up after a
    reconnect to the same org. Returns the id of the revocation, or 0."""
    # The connection's row first: whoever marks rows reads it FOR SHARE.
    revocation = _end(session, connection, agent_id=agent_id, at=at, times=times)
    _end_runs(session, connection, at=at)
    audit.record(
        session,
        Audited.DISCONNECTED,
        company_id=connection.company_id,
        agent_id=agent_id,
        at=at,
        connection_id=connection.id,
    )
    return revocation


def leave_for_other_org(
    session: Session, connection: Connection, *, agent_id: str, at: datetime, times: Times
) -> int:
    """The company has moved to another org: as `end_connection`, and what it might still have
    looked up there becomes a person's to settle, afterwards. Returns the id of a revocation, or
    0."""
    revocation = 0
    if connection.current:
        revocation = _end(session, connection, agent_id=agent_id, at=at, times=times)
    else:
        revocation = grants.give_back(session, connection, at=at, times=times)
    _end_runs(session, connection, at=at)
    for table in (SchemaDocument, SchemaLoad, AgentUser, RefusedOwner):
        session.execute(delete(table).where(table.connection_id == connection.id))
    # What was undone there, perhaps in a sandbox, is nobody's decision about the next org.
    session.execute(delete(UndoneAddress).where(UndoneAddress.company_id == connection.company_id))
    people.leave_org(session, connection.company_id, agent_id=agent_id)
    return revocation


def _end(
    session: Session, connection: Connection, *, agent_id: str, at: datetime, times: Times
) -> int:
    connection.current = False
    connection.status = ConnectionStatus.DISCONNECTED
    connection.epoch += 1
    connection.disconnected_at = at
    connection.disconnected_by = agent_id
    connection.lost_at = None
    connection.end_pause()
    barred.clear(connection)
    revocation = grants.give_back(session, connection, at=at, times=times)
    session.flush()
    session.execute(
        update(SchemaLoad).where(SchemaLoad.connection_id == connection.id).values(due_at=None)
    )
    return revocation


def _end_runs(session: Session, connection: Connection, *, at: datetime) -> None:
    session.execute(
        update(BackfillRun)
        .where(
            BackfillRun.connection_id == connection.id,
            or_(BackfillRun.state == "running", BackfillRun.state == "paused"),
        )
        .values(state="cancelled", finished_at=at, due_at=None)
    )


def unsettled(session: Session, connection: Connection) -> int:
    """How many rows are left whose outcome only a look in this org can tell."""
    return (
        session.scalar(
            select(func.count())
            .select_from(SyncEntry)
            .where(
                SyncEntry.connection_id == connection.id,
                SyncEntry.state.in_(_OWED),
                SyncEntry.sent_at.is_not(None),
            )
        )
        or 0
    )
