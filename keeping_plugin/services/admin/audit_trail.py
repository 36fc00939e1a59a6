"""The audit trail as an admin reads it: newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from keeping_plugin.models import AuditRecord, Connection
from keeping_plugin.objects import record_page
from keeping_plugin.services.admin.activity_list import Place, behind
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.schema import describe
from keeping_plugin.services.schema.fields import label_in
from keeping_plugin.types import ObjectSchema
from keeping_plugin.wording.audit import ENGLISH, Count, detail_text, title_of

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
    """One row of the trail. `agent_id` is "" when nobody of the company did it, `agent` is their
    name as it was then; `url` leads to the record, `org` is the name of the connection's org.
    `object` and `fields` are the org's labels, as far as it still shows them."""

    at: datetime
    agent_id: str
    agent: str
    title: str
    object: str
    record_id: str
    fields: tuple[str, ...]
    detail: str
    url: str
    org: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which rows: of whom, of one person, of one day in UTC, about one record."""

    whose: ActorFilter = ActorFilter.ALL
    agent_id: str = ""
    day: date | None = None
    record_id: str = ""

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """Of the rows of one company."""
        yield _ONLY[self.whose]
        if self.agent_id:
            yield AuditRecord.agent_id == self.agent_id
        if self.record_id:
            # Salesforce shows 15 characters here and 18 there.
            yield AuditRecord.record_id != ""
            yield AuditRecord.record_id.startswith(self.record_id[:15], autoescape=True)
        if self.day is not None:
            begins = datetime.combine(self.day, time(), UTC)
            yield AuditRecord.at >= begins
            yield AuditRecord.at < begins + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Trail:
    """Deeds, newest first; `following` is where the next page begins, None at the end. `people`
    are the names of everyone who did something, by id."""

    deeds: Sequence[AuditEntry]
    following: Place | None
    people: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Names:
    """What the org calls objects and fields, the inbox its mailboxes, and the reader a count."""

    schemas: Mapping[str, ObjectSchema]
    mailboxes: Mapping[str, str]
    count: Count

    def object(self, name: str) -> str:
        """An object's label; its API name where the org shows none."""
        return self.schemas[name].label if name in self.schemas else name

    def field(self, object: str, name: str) -> str:
        """A field's label; its API name where the org shows none."""
        schema = self.schemas.get(object)
        spec = schema.fields.get(name) if schema is not None else None
        return label_in(schema, spec) if schema is not None and spec is not None else name


def trail(
    session: Session,
    company_id: str,
    *,
    wanted: AuditFilter | None = None,
    after: Place | None = None,
    mailboxes: Mapping[str, str] | None = None,
    count: Count = ENGLISH,
) -> Trail:
    """One page of what was done in this company. `mailboxes` are their names by id, `count` is how
    its reader writes a number."""
    at, key = AuditRecord.at, AuditRecord.id
    conditions = (*(wanted or AuditFilter()).conditions(), behind(at, key, after))
    query = select(AuditRecord).where(AuditRecord.company_id == company_id, *conditions)
    rows = session.scalars(query.order_by(at.desc(), key.desc()).limit(PAGE + 1)).all()
    of_company = select(Connection).where(Connection.company_id == company_id)
    connections = {row.id: row for row in session.scalars(of_company)}
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    current = next((row.id for row in connections.values() if row.current), None)
    schemas = describe.schemas(session, current) if current is not None else {}
    names = Names(schemas, mailboxes or {}, count)
    people = _people(session, company_id)
    return Trail(
        [_deed(row, connections.get(row.connection_id or 0), names, people) for row in rows[:PAGE]],
        Place(last.at, last.id) if last is not None else None,
        people,
    )


def _people(session: Session, company_id: str) -> Mapping[str, str]:
    """Everyone who did something, by name; who has none in any row, by id."""
    query = (
        select(AuditRecord.agent_id, func.max(AuditRecord.agent_name))
        .where(AuditRecord.company_id == company_id, AuditRecord.agent_id != "")
        .group_by(AuditRecord.agent_id)
    )
    found = {agent_id: name or agent_id for agent_id, name in session.execute(query)}
    return dict(sorted(found.items(), key=lambda one: one[1].lower()))


def _deed(
    row: AuditRecord, connection: Connection | None, names: Names, people: Mapping[str, str]
) -> AuditEntry:
    url = ""
    if connection is not None and row.object and row.record_id:
        url = record_page(connection.instance_url, row.object, row.record_id)
    return AuditEntry(
        at=row.at,
        agent_id=row.agent_id,
        agent=row.agent_name or people.get(row.agent_id, row.agent_id),
        title=title_of(row.action),
        object=names.object(row.object),
        record_id=row.record_id if row.object else "",
        fields=tuple(names.field(row.object, name) for name in row.fields or ()),
        detail=_detail(row, names),
        url=url,
        org=connection.org_name if connection is not None else "",
    )


_OF_MAILBOXES = (Audited.AUTOMATION_CHANGED, Audited.PEOPLE_CHANGED)


def _detail(row: AuditRecord, names: Names) -> str:
    """What is set for one mailbox names it in place of a record."""
    named = row.record_id if row.action in _OF_MAILBOXES else ""
    named = names.mailboxes.get(named, named)
    often = f"{names.count(row.times)} times within a minute" if row.times > 1 else ""
    return " · ".join(
        filter(None, [named, detail_text(row.action, row.detail, names.count), often])
    )
