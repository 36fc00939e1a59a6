"""The org's objects and fields as the connecting user sees them, cached and kept fresh.

The describe job reads object by object the first time, so that an admin sees it move, and later
asks for all of them at once, unless nothing was modified since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.orm import Session

from keeping_plugin.errors import ConnectionBarred, ConnectionLost, KeepingError, NotConnected
from keeping_plugin.models import Connection, Database, SchemaDocument, SchemaLoad, now, upsert
from keeping_plugin.objects import DESCRIBE_REQUESTS, DESCRIBED, TASK
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.ledger.locking import lock_connection
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import changes as schema_changes
from keeping_plugin.services.schema import preflight, task_key
from keeping_plugin.services.schema.changes import Change
from keeping_plugin.services.schema.loaded import LOADED
from keeping_plugin.time_zones import NAME_LENGTH
from keeping_plugin.times import DESCRIBE_CALL, SCHEMA_LEASE, SCHEMA_REFRESH, SCHEMA_RETRY
from keeping_plugin.types import Agent, Described, ObjectSchema
from keeping_plugin.types.schema_document import dump_schema, load_schema

# Kept whole: every panel asks this.
_DIGESTS = select(SchemaDocument.object, SchemaDocument.digest).where(
    SchemaDocument.connection_id == bindparam("connection_id"),
    SchemaDocument.document.is_not(None),
)


def schemas(session: Session, connection_id: int) -> Mapping[str, ObjectSchema]:
    """The objects that the connecting user can see, by name, in the product's order; Task too."""
    # Past the ORM, which would take longer than the database.
    rows = session.connection().execute(_DIGESTS, {"connection_id": connection_id})
    found = {name: LOADED.get(digest) for name, digest in rows}
    unknown = [name for name, schema in found.items() if schema is None]
    if unknown:
        documents = session.execute(
            select(SchemaDocument.object, SchemaDocument.digest, SchemaDocument.document).where(
                SchemaDocument.connection_id == connection_id, SchemaDocument.object.in_(unknown)
            )
        )
        for name, digest, document in documents:
            # Hidden from the user since a moment ago: then it has no document any more.
            found[name] = None if document is None else LOADED.load(digest, document)
    return {name: schema for name in DESCRIBED if (schema := found.get(name)) is not None}


def is_described(session: Session, connection_id: int) -> bool:
    """Whether a describe has ever come to its end."""
    found = session.scalar(
        select(SchemaDocument.object)
        .where(
            SchemaDocument.connection_id == connection_id, SchemaDocument.object == DESCRIBED[-1]
        )
        .limit(1)
    )
    return found is not None


def changes(
    session: Session, connection_id: int
) -> Mapping[str, tuple[datetime, tuple[Change, ...]]]:
    """By object: when a refresh last found changes, and which."""
    rows = session.execute(
        select(SchemaDocument.object, SchemaDocument.changes).where(
            SchemaDocument.connection_id == connection_id
        )
    )
    return {
        name: (datetime.fromisoformat(kept["at"]), schema_changes.restored(kept["changes"]))
        for name, kept in rows
        if kept
    }


def start_load(session: Session, connection_id: int, *, at: datetime) -> None:
    """Make a full describe due now, after a login: another user sees other fields, of which
    "not modified since" says nothing. Whoever calls this has the job enqueued after its commit."""
    session.execute(
        update(SchemaDocument)
        .where(SchemaDocument.connection_id == connection_id)
        .values(last_modified="")
    )
    row = {
        "connection_id": connection_id,
        "started_at": None,
        "finished_at": None,
        "due_at": at,
        "done": 0,
        "total": len(DESCRIBED),
        "current_object": "",
        "failed": "",
    }
    upsert(session, SchemaLoad, row)


def refresh_soon(
    database: Database, connection_id: int, *, at_most_every: timedelta | None = None
) -> bool:
    """Ask for a fresh describe: an admin's Refresh, or Salesforce's INVALID_FIELD. Returns false
    when one is due or running already, or has ended within `at_most_every`; otherwise have the job
    enqueued."""
    with database.write() as session:
        at = now(session)
        ended: ColumnElement[bool] = SchemaLoad.finished_at.is_not(None)
        if at_most_every is not None:
            ended = SchemaLoad.finished_at <= at - at_most_every
        asked = session.scalar(
            update(SchemaLoad)
            .where(
                SchemaLoad.connection_id == connection_id,
                SchemaLoad.due_at > at,
                ended,
            )
            .values(due_at=at, started_at=None, finished_at=None, done=0, failed="")
            .returning(SchemaLoad.connection_id)
        )
    return asked is not None


def refresh(runtime: Runtime, agent: Agent, connection_id: int) -> None:
    """An admin's Refresh: the job describes the org again."""
    refresh_soon(runtime.database, connection_id)
    with runtime.database.write() as session:
        audit.record_by(session, agent, Audited.SCHEMA_REFRESHED, connection_id=connection_id)
    runtime.queue.enqueue("describe", connection_id)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One load that this process has taken, by the time at which it did; `known` is the
    `last_modified` of each object at hand, nothing when none was ever read to its end."""

    connection_id: int
    began: datetime
    known: Mapping[str, str]


class _Overtaken(Exception):
    """Somebody logged in again, moved to another org, or took the load over: what this one has
    read may be what another user sees, and is not kept."""


def describe(runtime: Runtime, connection_id: int, *, more: preflight.More | None = None) -> None:
    """Read the schema of one connection, if that is due. A failure is kept for the settings page
    and tried again by itself; a lost or ended connection starts anew with its next login. A load
    that a login overtakes keeps nothing more: that login has its own."""
    turn = _begin(runtime, connection_id)
    if turn is None:
        return
    with suppress(_Overtaken):
        _describe(runtime, turn, more)


def _describe(runtime: Runtime, turn: _Turn, more: preflight.More | None) -> None:
    connection_id, known = turn.connection_id, turn.known
    try:
        with runtime.gateway(connection_id, Feature.SCHEMA, within=DESCRIBE_CALL) as gateway:
            # One by one the first time, for the eyes; later at once, for the org's allowance.
            groups = DESCRIBE_REQUESTS if known else tuple((name,) for name in DESCRIBED)
            done = 0
            for names in groups:
                _progress(runtime, turn, done, names[0])
                unless = {name: known[name] for name in names if known.get(name)}
                _store(runtime, turn, names, gateway.describe(names, unless_modified=unless))
                done += len(names)
            _progress(runtime, turn, done, "")
            status = gateway.closed_task_status()
            timezone = gateway.org_facts().timezone
        _first_preflight(runtime, connection_id, more)
    except KeepingError as error:
        _fail(runtime, turn, error)
    else:
        _finish(runtime, turn, status, timezone)


def _first_preflight(runtime: Runtime, connection_id: int, more: preflight.More | None) -> None:
    """Right after connecting an admin should read what the org still lacks."""
    with runtime.database.read() as session:
        connection = session.get(Connection, connection_id)
        at_hand = schemas(session, connection_id)
    if connection is not None and connection.preflight is None:
        preflight.run(runtime, connection_id, described=at_hand, more=more)


def _begin(runtime: Runtime, connection_id: int) -> _Turn | None:
    """Take the due load; None when none is."""
    with runtime.database.write() as session:
        at = now(session)
        taken = session.scalar(
            update(SchemaLoad)
            .where(SchemaLoad.connection_id == connection_id, SchemaLoad.due_at <= at)
            .values(
                started_at=at,
                finished_at=None,
                failed="",
                done=0,
                total=len(DESCRIBED),
                due_at=at + runtime.times.span(SCHEMA_LEASE),
            )
            .returning(SchemaLoad.connection_id)
        )
        if taken is None:
            return None
        rows = session.execute(
            select(SchemaDocument.object, SchemaDocument.last_modified).where(
                SchemaDocument.connection_id == connection_id
            )
        )
        known = {row.object: row.last_modified for row in rows}
    return _Turn(connection_id, at, known if DESCRIBED[-1] in known else {})


def _note(session: Session, turn: _Turn, **values: object) -> None:
    """Write into the load, whose row is locked from here on. Raises _Overtaken when it is not
    this process's any more."""
    noted = session.scalar(
        update(SchemaLoad)
        .where(
            SchemaLoad.connection_id == turn.connection_id,
            SchemaLoad.started_at == turn.began,
            SchemaLoad.finished_at.is_(None),
        )
        .values(values)
        .returning(SchemaLoad.connection_id)
    )
    if noted is None:
        raise _Overtaken


def _progress(runtime: Runtime, turn: _Turn, done: int, name: str) -> None:
    with runtime.database.write() as session:
        _note(session, turn, done=done, current_object=name)


def _store(runtime: Runtime, turn: _Turn, asked: Sequence[str], found: Sequence[Described]) -> None:
    """Keep what came; what was asked for and did not come is hidden from the user."""
    answers = {described.object: described for described in found}
    connection_id = turn.connection_id
    with runtime.database.write() as session:
        at = now(session)
        _note(session, turn, current_object=asked[0])
        for name in asked:
            row = session.get(SchemaDocument, (connection_id, name))
            answer = answers.get(name)
            if row is not None and answer is not None and answer.schema is None:
                row.fetched_at = at
                row.last_modified = answer.last_modified or row.last_modified
                continue
            document = dump_schema(answer.schema) if answer and answer.schema else None
            if row is None:
                row = SchemaDocument(connection_id=connection_id, object=name)
                session.add(row)
            else:
                found_now = schema_changes.compare(_loaded(row.document), _loaded(document))
                if found_now:
                    row.changes = {"at": at.isoformat(), "changes": schema_changes.kept(found_now)}
            row.document = document
            row.digest = hashlib.sha256((document or "").encode()).hexdigest()
            row.last_modified = answer.last_modified if answer else ""
            row.fetched_at = at


def _loaded(document: str | None) -> ObjectSchema | None:
    return None if document is None else load_schema(document)


def _finish(runtime: Runtime, turn: _Turn, task_status: str | None, timezone: str) -> None:
    with runtime.database.write() as session:
        # The connection's row first, as a disconnect locks them.
        lock_connection(session, turn.connection_id)
        at = now(session)
        _note(session, turn, finished_at=at, due_at=at + runtime.times.span(SCHEMA_REFRESH))
        task = schemas(session, turn.connection_id).get(TASK.name)
        session.execute(
            update(Connection)
            .where(Connection.id == turn.connection_id)
            .values(
                task_status=task_status,
                timezone=timezone[:NAME_LENGTH] or None,
            )
        )
        task_key.keep(session, turn.connection_id, task_key.usable(task) if task else None)


def _fail(runtime: Runtime, turn: _Turn, error: KeepingError) -> None:
    # Without a connection nobody can describe; the next login makes it due.
    ended = isinstance(error, NotConnected | ConnectionLost)
    with runtime.database.write() as session:
        at = now(session)
        due = None if ended else at + runtime.times.span(SCHEMA_RETRY)
        if isinstance(error, ConnectionBarred):
            # No sooner than Salesforce is asked at all.
            until = session.scalar(
                select(Connection.barred_until).where(Connection.id == turn.connection_id)
            )
            due = max(due, until) if due and until else due
        _note(session, turn, finished_at=at, failed=error.code, due_at=due)
