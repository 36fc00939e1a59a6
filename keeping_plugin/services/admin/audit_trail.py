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

PAGE = 50  # rows

TITLES: Mapping[Audited, str] = {
    Audited.CONNECTED: "Connected Salesforce",
    Audited.RECONNECTED: "Reconnected Salesforce",
    Audited.OTHER_ORG: "Logged in to another org, which waits for a word",
    Audited.ORG_CONFIRMED: "Confirmed the other org",
    Audited.ORG_REFUSED: "Turned the other org down",
    Audited.CONNECTION_LOST: "Salesforce ended the connection",
    Audited.CONNECTION_BARRED: "Salesforce refuses the connection for now",
    Audited.CONNECTION_UNBARRED: "Salesforce accepts the connection again",
    Audited.DISCONNECTED: "Disconnected Salesforce",
    Audited.REVOKED: "Salesforce took the access back",
    Audited.REVOKE_GIVEN_UP: "Salesforce could not be told to take the access back",
    Audited.LOGIN_REFUSED: "A login ended without a connection",
    Audited.DENIED: "Was refused",
    Audited.SCHEMA_REFRESHED: "Had the fields read again",
    Audited.PREFLIGHT: "Had the connection checked",
    Audited.FIELDS_CHOSEN: "Chose the fields that agents see",
    Audited.AUTOMATION_CHANGED: "Switched automations",
    Audited.SKIP_LIST_CHANGED: "Changed the skipped domains",
    Audited.RECORD_CREATED: "Created a record in Salesforce",
    Audited.RECORD_UPDATED: "Changed a record in Salesforce",
    Audited.RECORD_PICKED: "Chose one of several records",
    Audited.RECORDS_SEARCHED: "Searched for records to link",
    Audited.ENTRY_RETRIED: "Had a failed entry tried again",
    Audited.ENTRY_SETTLED: "Settled an entry of unknown outcome",
    Audited.BACKFILL_STARTED: "Had earlier mail brought over",
    Audited.BACKFILL_CHANGED: "Paused, resumed or cancelled earlier mail",
    Audited.KEYS_ROTATED: "Encrypted the stored access anew",
    Audited.PERSON_FORGOTTEN: "Erased what was kept about a person",
    Audited.UNUSUAL_USE: "Salesforce was asked unusually often",
}


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
    known = {action.value for action in Audited}
    url = ""
    if connection is not None and row.object and row.record_id:
        url = f"{connection.instance_url}/lightning/r/{row.object}/{row.record_id}/view"
    return AuditEntry(
        at=row.at,
        agent_id=row.agent_id,
        title=TITLES[Audited(row.action)] if row.action in known else row.action,
        object=row.object,
        fields=tuple(row.fields or ()),
        detail=_detail(row),
        url=url,
        org=connection.org_name if connection is not None else "",
    )


def _detail(row: AuditRecord) -> str:
    """An automation was switched for one mailbox, which its row names in place of a record."""
    named = row.record_id if row.action == Audited.AUTOMATION_CHANGED else ""
    often = f"{row.times:,} times within a minute" if row.times > 1 else ""
    return " · ".join(filter(None, [named, row.detail, often]))
