"""The audit trail as an admin reads it: newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import or_, select, true
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from keeping_plugin.models import AuditRecord, Connection
from keeping_plugin.services.admin.activity_list import Place
from keeping_plugin.services.audit import Audited
from keeping_plugin.wording.audit import detail_text, title_of

PAGE = 50  # rows


class ActorFilter(StrEnum):
    """Whose deeds are asked for: a busy automation would otherwise bury what people did."""

    ALL = ""
    PEOPLE = "people"
    AUTOMATIC = "automatic"
    REFUSED = "refused"


_ONLY: Mapping[ActorFilter, ColumnElement[bool]] = {
    ActorFilter.ALL: true(),
    ActorFilter.PEOPLE: AuditRecord.agent_id != "",
    ActorFilter.AUTOMATIC: AuditRecord.agent_id == "",
    ActorFilter.REFUSED: AuditRecord.action == Audited.DENIED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One row of the trail. `agent_id` is "" when nobody of the company did it; `url` leads to the
    record, `org` is the name of the connection's org."""

    at: datetime
    agent_id: str
    title: str
    object: str
    fields: tuple[str, ...]
    detail: str
    url: str
    org: str


@dataclass(frozen=True, slots=True)
class Trail:
    """Deeds, newest first; `following` is where the next page begins, None at the end."""

    deeds: Sequence[AuditEntry]
    following: Place | None


def trail(
    session: Session,
    company_id: str,
    *,
    whose: ActorFilter = ActorFilter.ALL,
    after: Place | None = None,
) -> Trail:
    """One page of what was done in this company."""
    at, key = AuditRecord.at, AuditRecord.id
    query = select(AuditRecord).where(AuditRecord.company_id == company_id, _ONLY[whose])
    if after is not None:
        query = query.where(at <= after.at, or_(at < after.at, key < after.id))
    query = query.order_by(at.desc(), key.desc()).limit(PAGE + 1)
    rows = session.scalars(query).all()
    of_company = select(Connection).where(Connection.company_id == company_id)
    connections = {row.id: row for row in session.scalars(of_company)}
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return Trail(
        [_deed(row, connections.get(row.connection_id or 0)) for row in rows[:PAGE]],
        Place(last.at, last.id) if last is not None else None,
    )


def _deed(row: AuditRecord, connection: Connection | None) -> AuditEntry:
    url = ""
    if connection is not None and row.object and row.record_id:
        url = f"{connection.instance_url}/lightning/r/{row.object}/{row.record_id}/view"
    return AuditEntry(
        at=row.at,
        agent_id=row.agent_id,
        title=title_of(row.action),
        object=row.object,
        fields=tuple(row.fields or ()),
        detail=_detail(row),
        url=url,
        org=connection.org_name if connection is not None else "",
    )


_OF_MAILBOXES = (Audited.AUTOMATION_CHANGED, Audited.PEOPLE_CHANGED)


def _detail(row: AuditRecord) -> str:
    """What is set for one mailbox names it in place of a record."""
    named = row.record_id if row.action in _OF_MAILBOXES else ""
    often = f"{row.times:,} times within a minute" if row.times > 1 else ""
    return " · ".join(filter(None, [named, detail_text(row.action, row.detail), often]))
