"""Looking up records by name, for fields that refer to them; no free query.

Ten names a search: whoever asks often enough can list an org. So every search leaves a row that
says who asked and what was found, an agent has few of them a minute and a day, and a field takes
only a record that one of the agent's own searches returned.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from keeping_plugin.errors import TooBusy
from keeping_plugin.models import Search, now
from keeping_plugin.objects import row_of
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.panel.view import Linked
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema.creating import form_fields
from keeping_plugin.services.schema.fields import writable
from keeping_plugin.times import DAY, HOUR, MINUTE, PANEL_CALL
from keeping_plugin.types import Agent

MIN_LENGTH = 2  # characters worth a search
MAX_RESULTS = 10
MAX_LENGTH = 80  # no name is found by more
# Of one agent, in all processes. Somebody who types makes three or four searches for one record.
A_MINUTE, A_DAY = 20, 300
_OFFERED = HOUR  # how long what a search returned may be chosen


def referred_objects(link: Linked) -> frozenset[str]:
    """The objects that a field shown to agents, or of a form for a new record, may refer to."""
    found: set[str] = set()
    for name, schema in link.schemas.items():
        shown = link.shown.get(name, ())
        fields = set(shown)
        row, choice = row_of(name), link.creating.get(name)
        if row.person or (choice is not None and choice.allowed):
            fields |= {*form_fields(row, choice, shown)}
            fields |= {spec.name for spec in schema.fields.values() if spec.required}
        for field in fields & schema.fields.keys():
            specs = {*writable(schema, field), *writable(schema, field, creating=True)}
            for spec in specs:
                found.update(spec.reference_to)
    return frozenset(found)


def search(
    runtime: Runtime, agent: Agent, link: Linked, object: str, text: str
) -> list[tuple[str, str]] | None:
    """Id and name of records whose name contains the text; None when the text is too short to
    look for. Raises what the gateway's `search` raises, and TooBusy."""
    text = text.strip()
    if len(text) < MIN_LENGTH:
        return None
    if len(text) > MAX_LENGTH or not text.isprintable():
        return []
    asked = begin(runtime, agent, link, object)
    with runtime.asked_by(agent, link.connection_id, Feature.RECORDS, within=PANEL_CALL) as gateway:
        records = gateway.search(object, text, limit=MAX_RESULTS)
    _found(runtime, agent, link, object, asked, [record.id for record in records])
    return [
        (record.id, next((str(value) for value in record.fields.values() if value), record.id))
        for record in records
    ]


def returned(
    runtime: Runtime, agent: Agent, link: Linked, objects: Collection[str]
) -> frozenset[str]:
    """The records of these objects that this agent's searches returned within the hour: the first
    15 characters of their ids, which alone are significant."""
    with runtime.database.read() as session:
        rows = session.scalars(
            select(Search.found).where(
                *_of(link, agent),
                Search.at > now(session) - runtime.times.span(_OFFERED),
                Search.object.in_(objects),
            )
        ).all()
    return frozenset(record_id[:15] for found in rows for record_id in found or ())


def begin(runtime: Runtime, agent: Agent, link: Linked, object: str, *, most: int = A_DAY) -> int:
    """Write the search down before Salesforce is asked, so that parallel ones count each other; its
    id. Raises TooBusy for one too many, whose row says so: of all, or of more than `most` searches
    of this object a day."""
    with runtime.database.write() as session:
        row = Search(
            connection_id=link.connection_id, agent_id=agent.id, object=object, at=now(session)
        )
        session.add(row)
        session.flush()
        asked = row.id
    with runtime.database.read() as session:
        minute = _count(session, link, agent, runtime.times.span(MINUTE))
        day = _count(session, link, agent, runtime.times.span(DAY))
        same = _count(session, link, agent, runtime.times.span(DAY), Search.object == object)
    most = A_DAY if day > A_DAY else most
    if minute <= A_MINUTE and day <= A_DAY and same <= most:
        return asked
    with runtime.database.write() as session:
        session.execute(update(Search).where(Search.id == asked).values(refused=True))
    if day > A_DAY or same > most:
        raise TooBusy(
            f"You have reached the limit of {most} searches a day. Open the record in "
            "Salesforce instead."
        )
    raise TooBusy(
        f"You have reached the limit of {A_MINUTE} searches a minute. Try again in a minute."
    )


def _of(link: Linked, agent: Agent) -> tuple[ColumnElement[bool], ...]:
    return (Search.connection_id == link.connection_id, Search.agent_id == agent.id)


def _count(
    session: Session, link: Linked, agent: Agent, span: timedelta, *more: ColumnElement[bool]
) -> int:
    query = select(func.count()).where(
        *_of(link, agent), Search.at > now(session) - span, Search.refused.is_(False), *more
    )
    return session.scalar(query) or 0


def keep_found(session: Session, asked: int, record_ids: list[str]) -> None:
    """What a search returned, which may be chosen within the hour."""
    session.execute(update(Search).where(Search.id == asked).values(found=record_ids))


def _found(
    runtime: Runtime, agent: Agent, link: Linked, object: str, asked: int, record_ids: list[str]
) -> None:
    with runtime.database.write() as session:
        keep_found(session, asked, record_ids)
        audit.record_by(
            session,
            agent,
            Audited.RECORDS_SEARCHED,
            connection_id=link.connection_id,
            object=object,
            detail=f"found={len(record_ids)}",
        )
