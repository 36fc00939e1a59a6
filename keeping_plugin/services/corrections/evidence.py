"""What is known here of records that are to be deleted: our own Tasks, and what agents changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from keeping_plugin.models import (
    AuditRecord,
    Connection,
    EntryState,
    SyncEntry,
    UndoItem,
    UndoRun,
    listed,
)
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.corrections.judge import Evidence
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Inspection

_CLOCKS_DIFFER = timedelta(hours=1)


def gather(
    runtime: Runtime, run: UndoRun, items: Sequence[UndoItem], inspection: Inspection
) -> Evidence:
    """Two statements besides the connection."""
    tasks = {task.id for same in inspection.tasks.values() for task in same}
    records = [*tasks, *(item.record_id or "" for item in items)]
    since = min((each.created_at for each in inspection.records.values()), default=run.started_at)
    with runtime.database.read() as session:
        user_id = session.get_one(Connection, run.connection_id).user_id
        ours = session.scalars(
            select(SyncEntry.record_id).where(
                SyncEntry.connection_id == run.connection_id,
                SyncEntry.record_id.in_(select(listed(session, tasks))),
                SyncEntry.state == EntryState.DONE,
                SyncEntry.reason == "logged",
            )
        ).all()
        agents = session.scalars(
            select(AuditRecord.record_id).where(
                AuditRecord.company_id == run.company_id,
                AuditRecord.at >= since - _CLOCKS_DIFFER,
                AuditRecord.agent_id != "",
                AuditRecord.action.in_((Audited.RECORD_CREATED, Audited.RECORD_UPDATED)),
                AuditRecord.record_id.in_(select(listed(session, records))),
            )
        ).all()
    return Evidence(user_id, frozenset(filter(None, ours)), frozenset(agents))
