"""Who did what, when and to what: append-only, and never a value of anybody's record.

Two statements of this module are the only exceptions: a page that is refused again in the same
minute is counted in its row, and retention deletes what is older than `KEEPING_KEEP_DAYS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict, Unpack

from sqlalchemy import delete, event, insert, select, text
from sqlalchemy.orm import Session

from keeping_plugin.mail.clean import one_line
from keeping_plugin.models import AuditRecord, Connection, change_rows, inserting, now
from keeping_plugin.types import Agent, NewRecord


class Audited(StrEnum):
    """The fixed codes of `AuditRecord.action`."""

    CONNECTED = "connected"
    RECONNECTED = "reconnected"
    OTHER_ORG = "signed_in_to_other_org"
    ORG_CONFIRMED = "org_confirmed"
    ORG_REFUSED = "org_refused"
    CONNECTION_LOST = "connection_lost"
    CONNECTION_BARRED = "connection_barred"
    CONNECTION_UNBARRED = "connection_unbarred"
    DISCONNECTED = "disconnected"
    REVOKED = "grant_revoked"
    REVOKE_GIVEN_UP = "grant_revoke_given_up"
    LOGIN_REFUSED = "login_refused"
    DENIED = "denied"
    SCHEMA_REFRESHED = "schema_refreshed"
    PREFLIGHT = "preflight"
    FIELDS_CHOSEN = "fields_chosen"
    ADDRESS_FIELDS_CHOSEN = "address_fields_chosen"
    CREATE_CHANGED = "create_changed"
    AUTOMATION_CHANGED = "automation_changed"
    PEOPLE_CHANGED = "people_changed"
    AGENT_MATCHED = "agent_matched"
    AGENTS_CHECKED = "agents_checked"
    SKIP_LIST_CHANGED = "skip_list_changed"
    RECORD_CREATED = "record_created"
    RECORD_UPDATED = "record_updated"
    RECORD_PICKED = "record_picked"
    PICK_REMOVED = "pick_removed"
    PICK_FOLLOWED = "pick_followed"
    RECORDS_SEARCHED = "records_searched"
    ORG_SEARCHED = "org_searched"
    SEARCH_SWITCHED = "search_switched"
    ADDRESS_FIELD_NAMED = "address_field_named"
    ENTRY_RETRIED = "entry_retried"
    ENTRY_SETTLED = "entry_settled"
    LOGGED_BY_HAND = "logged_by_hand"
    KEPT_OUT = "kept_out"
    LET_IN = "let_in"
    HELD_ADDED = "held_added"
    HELD_SKIPPED = "held_skipped"
    BACKFILL_STARTED = "backfill_started"
    BACKFILL_CHANGED = "backfill_changed"
    UNDO_STARTED = "undo_started"
    UNDO_STOPPED = "undo_stopped"
    RECORD_DELETED = "record_deleted"
    ADDRESS_ALLOWED = "address_allowed"
    KEYS_ROTATED = "keys_rotated"
    PERSON_FORGOTTEN = "person_forgotten"
    UNUSUAL_USE = "unusual_use"


def record(
    session: Session,
    action: Audited,
    *,
    company_id: str,
    agent_id: str = "",
    agent_name: str = "",
    at: datetime | None = None,
    connection_id: int | None = None,
    object: str = "",
    record_id: str = "",
    fields: Sequence[str] = (),
    detail: str = "",
) -> None:
    """Add one row to the caller's transaction, so that it stands if and only if the deed does.

    `fields` are API names and `detail` a code, a count or an id of ours; neither ever holds what
    a field contained.
    """
    session.add(
        AuditRecord(
            at=at or now(session),
            company_id=company_id,
            agent_id=agent_id,
            agent_name=one_line(agent_name, 255),
            action=action,
            connection_id=connection_id,
            object=object,
            record_id=record_id,
            fields=list(fields) or None,
            detail=detail[:255],
        )
    )


class Details(TypedDict, total=False):
    """What `record` takes beside who did what."""

    at: datetime
    connection_id: int | None
    object: str
    record_id: str
    fields: Sequence[str]
    detail: str


def record_by(session: Session, agent: Agent, action: Audited, **details: Unpack[Details]) -> None:
    """As `record`, for what a person did: with their company, their id, and their name as it is
    now, since a host may forget who left."""
    record(
        session,
        action,
        company_id=agent.company_id,
        agent_id=agent.id,
        agent_name=agent.name,
        **details,
    )


def record_updated_by(
    session: Session,
    agent: Agent,
    connection_id: int,
    records: Iterable[tuple[str, str]],
    *,
    object: str,
    fields: Sequence[str],
) -> None:
    """One row for each record (id and detail) of an object that a person has changed at once, in
    one statement."""
    time = now(session)
    rows = [
        {
            "at": time,
            "company_id": agent.company_id,
            "agent_id": agent.id,
            "agent_name": one_line(agent.name, 255),
            "action": Audited.RECORD_UPDATED,
            "connection_id": connection_id,
            "object": object,
            "record_id": record_id,
            "fields": list(fields),
            "detail": detail,
        }
        for record_id, detail in records
    ]
    if rows:
        session.connection().execute(insert(AuditRecord), rows)


def record_refused(session: Session, agent: Agent, *, route: str) -> None:
    """Count that an agent was refused a page: one row per agent, route and minute, so that one
    which asks again and again does not bury what was done."""
    at = now(session)
    statement = inserting(session, AuditRecord).values(
        at=at,
        company_id=agent.company_id,
        agent_id=agent.id,
        agent_name=one_line(agent.name, 255),
        action=Audited.DENIED,
        detail=route[:255],
        counted_in=f"{at:%Y-%m-%dT%H:%M}",
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["company_id", "agent_id", "detail", "counted_in"],
            index_where=text("counted_in IS NOT NULL"),
            set_={"times": AuditRecord.times + 1},
        )
    )


def denied(session: Session, agent: Agent, *, route: str, changing: bool) -> None:
    """An agent asked for what they may not touch, or for what is not there. Pages are counted by
    the minute; each try to change something is a row."""
    if changing:
        record_by(session, agent, Audited.DENIED, detail=route)
    else:
        record_refused(session, agent, route=route)


def delete_before(session: Session, time: datetime, *, limit: int) -> int:
    """Delete up to `limit` of the oldest rows, as far as they are older than this; returns how
    many. For retention alone: nothing else ever deletes a row, and nothing a chosen one."""
    # Ids rise with time, so the oldest rows are found without reading the others.
    oldest = select(AuditRecord.id, AuditRecord.at).order_by(AuditRecord.id).limit(limit).subquery()
    old = select(oldest.c.id).where(oldest.c.at < time)
    return change_rows(session, delete(AuditRecord).where(AuditRecord.id.in_(old)))


def record_created(
    session: Session, connection: Connection, records: Iterable[tuple[NewRecord, str | None]]
) -> None:
    """One row for each record that an automation made, in one statement; its id is None where
    Salesforce told that it is there, but not which."""
    rows = [
        {
            "object": record.object,
            "record_id": record_id or "",
            "fields": list(record.fields),
            "detail": "automation",
        }
        for record, record_id in records
    ]
    _record_many(session, connection, Audited.RECORD_CREATED, rows)


def record_deleted(
    session: Session,
    connection: Connection,
    records: Iterable[tuple[str, str]],
    *,
    agent_id: str,
    run_id: int,
) -> None:
    """One row for each record (object and id) that an undo deleted, in one statement, under the
    name of the admin who started it."""
    common = {"agent_id": agent_id, "detail": str(run_id)}
    rows = [{**common, "object": object, "record_id": record_id} for object, record_id in records]
    _record_many(session, connection, Audited.RECORD_DELETED, rows)


def _record_many(
    session: Session, connection: Connection, action: Audited, rows: list[dict[str, Any]]
) -> None:
    if not rows:
        return
    common = {
        "at": now(session),
        "company_id": connection.company_id,
        "action": action,
        "connection_id": connection.id,
    }
    session.connection().execute(insert(AuditRecord), [{**common, **row} for row in rows])


@event.listens_for(AuditRecord, "before_update")
@event.listens_for(AuditRecord, "before_delete")
def _append_only(_mapper: object, _connection: object, _row: AuditRecord) -> None:
    raise TypeError("an audit record is never changed and never deleted")
