"""Names to fields: what a path in a query means for this user, or the error it deserves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from salesforce_simulator.errors import refuse
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.rights import Rights
from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema
from salesforce_simulator.query.money import Money
from salesforce_simulator.query.soql.complaints import (
    complain,
    no_such_column,
    no_such_object,
    no_such_relationship,
)
from salesforce_simulator.query.soql.tree import FieldPath
from salesforce_simulator.results import User
from salesforce_simulator.sharing.access import access_row
from salesforce_simulator.store import Record, Store

LEVEL_LIMIT = 5
RELATIONSHIP_LIMIT = 55

_NAME_FIELDS = {
    name.lower(): FieldSchema({"name": name, "type": kind, "filterable": True})
    for name, kind in (
        ("Id", "id"), ("Name", "string"), ("Type", "string"), ("FirstName", "string"),
        ("LastName", "string"), ("Title", "string"), ("Email", "email"), ("Phone", "phone"),
        ("MobilePhone", "phone"), ("Username", "string"), ("Alias", "string"),
        ("IsActive", "boolean"),
    )
}  # fmt: skip
"""What may be selected through a polymorphic relationship: the fields of the entity ``Name``."""


_ACCESS = "UserRecordAccess"
_ACCESS_STEP = FieldSchema(
    {"name": "Id", "type": "reference", "relationshipName": _ACCESS, "referenceTo": [_ACCESS]}
)
"""From any record to what the user may do with it."""


@dataclass(frozen=True, eq=False, slots=True)
class BoundField:
    """A path that exists: the references to follow, then the field.

    ``schema`` is None for a field of ``Name``, behind a polymorphic reference.
    """

    steps: tuple[FieldSchema, ...]
    schema: ObjectSchema | None
    field: FieldSchema
    offset: int
    text: str


def compound_value(record: Record, schema: ObjectSchema, compound: FieldSchema) -> Any:
    """An address or a geolocation out of its parts; None when all are empty."""
    parts = {}
    prefix = compound.name.removesuffix("Address").removesuffix("__c")
    for field in schema.fields.values():
        if field.compound == compound.name:
            key = field.name.removeprefix(prefix).removesuffix("__s").strip("_")
            parts[key[:1].lower() + key[1:]] = record.get(field.name)
    return parts if any(value is not None for value in parts.values()) else None


def stored_value(record: Record, schema: ObjectSchema, field: FieldSchema) -> Any:
    """A field of a record as answers show it."""
    if field.type in {"address", "location"}:
        return compound_value(record, schema, field)
    value = record.get(field.name)
    return bool(value) if field.type == "boolean" else value


class Scope:
    """One query's view of the org: the user's rights, and the records it has met so far."""

    def __init__(
        self,
        *,
        store: Store,
        catalog: Catalog,
        rights: Rights,
        user: User,
        text: str,
        now: datetime,
        all_rows: bool,
        api_version: str,
    ) -> None:
        self.store = store
        self.catalog = catalog
        self.rights = rights
        self.user = user
        self.text = text
        #: Date literals count days in the user's zone.
        self.zone: tzinfo = UTC if user.timezone == "GMT" else ZoneInfo(user.timezone)
        self.today = now.astimezone(self.zone).date()
        self.year_ago = (now.date() - timedelta(days=365)).isoformat()
        self.all_rows = all_rows
        self.api_version = api_version
        self.money = Money(store, catalog, user)
        self._met: dict[str, Record | None] = {}
        self._seen: dict[str, bool] = {}
        self._relationships: set[tuple[str, ...]] = set()

    # -- names -------------------------------------------------------------------------------------
    def readable_object(self, name: str) -> ObjectSchema | None:
        """The object of that name if the user may read it."""
        schema = self.catalog.find(name)
        if schema is None or not schema.allows("queryable"):
            return None
        return schema if self.rights.on_object(self.user, schema).read else None

    def object(self, name: str, offset: int) -> ObjectSchema:
        """The object of a FROM; INVALID_TYPE when there is none for this user."""
        schema = self.readable_object(name)
        if schema is None:
            raise no_such_object(self.text, offset, name)
        return schema

    def bind(self, schema: ObjectSchema, path: FieldPath, alias: str | None = None) -> BoundField:
        """The field a path leads to from ``schema``."""
        names = path.names
        if len(names) > 1 and names[0].lower() in {(alias or "").lower(), schema.name.lower()}:
            if names[0].lower() not in schema.relationships:
                names = names[1:]
        if len(names) - 1 > LEVEL_LIMIT:
            message = f"only {LEVEL_LIMIT} levels of relationships are allowed: {path.text}"
            raise complain(self.text, path.offset, message)
        if len(names) > 1:
            self._relationships.add((schema.name, *(name.lower() for name in names[:-1])))
            if len(self._relationships) > RELATIONSHIP_LIMIT:
                message = f"only {RELATIONSHIP_LIMIT} relationships are allowed in a query"
                raise complain(self.text, path.offset, message)
        steps: list[FieldSchema] = []
        here: ObjectSchema | None = schema
        for name in names[:-1]:
            step = here.relationships.get(name.lower()) if here is not None else None
            if step is None and here is not None and name.lower() == "userrecordaccess":
                step = _ACCESS_STEP
            if step is None or here is None or not self.rights.may_read(self.user, here, step):
                raise no_such_relationship(self.text, path.offset, name, "field path")
            steps.append(step)
            here = self._target(step, path, name)
        field = self._last(here, names[-1])
        if field is None:
            entity = here.name if here is not None else "Name"
            raise no_such_column(self.text, path.offset, names[-1], entity)
        return BoundField(tuple(steps), here, field, path.offset, path.text)

    def _target(self, step: FieldSchema, path: FieldPath, name: str) -> ObjectSchema | None:
        """Where a reference leads; None is the polymorphic entity ``Name``."""
        if len(step.references) > 1:
            return None
        target = self.readable_object(step.references[0]) if step.references else None
        if target is None:
            raise no_such_relationship(self.text, path.offset, name, "field path")
        return target

    def _last(self, schema: ObjectSchema | None, name: str) -> FieldSchema | None:
        if schema is None:
            return _NAME_FIELDS.get(name.lower())
        return self.rights.visible(self.user, schema, name)

    # -- values ------------------------------------------------------------------------------------
    def record(self, record_id: str | None) -> Record | None:
        """The record behind a reference, unless it is gone."""
        if record_id is None:
            return None
        if record_id not in self._met:
            self.meet([record_id])
        return self._met[record_id]

    def meet(self, record_ids: list[str]) -> None:
        """Read records that are about to be looked at, all at once."""
        unknown = [i for i in record_ids if i not in self._met]
        if not unknown:
            return
        found = self.store.get_many(unknown)
        for record_id in unknown:
            record = found.get(record_id)
            if record is not None and record.get("IsDeleted") and not self.all_rows:
                record = None
            self._met[record_id] = record if record is None or self.sees(record) else None

    def sees(self, record: Record) -> bool:
        """Whether the user sees a record."""
        if not self.rights.hides_rows:
            return True
        record_id = record["Id"]
        if record_id not in self._seen:
            shown = self.rights.sees(self.user, self.object_of(record_id), record)
            self._seen[record_id] = shown
        return self._seen[record_id]

    def prefetch(self, records: list[Record], bound: list[BoundField]) -> None:
        """Read the parents that these paths lead to from these records, level by level."""
        for path in {b.steps: b for b in bound if b.steps}.values():
            here: list[Record] = records
            for step in path.steps:
                ids = list({r[step.name] for r in here if r.get(step.name)})
                self.meet(ids)
                here = [met for met in (self._met[i] for i in ids) if met is not None]

    def value(self, record: Record, bound: BoundField) -> Any:
        """What a path leads to from a record; None where a parent is missing."""
        here = self._holder(record, bound)
        return None if here is None else self.field_of(here, bound.schema, bound.field)

    def _holder(self, record: Record, bound: BoundField) -> Record | None:
        here: Record | None = record
        for step in bound.steps:
            here = self.record(here.get(step.name))  # type: ignore[union-attr]
            if here is None:
                return None
        return here

    def corporate_value(self, record: Record, bound: BoundField) -> Any:
        """As ``value``, with amounts in the org's currency."""
        here = self._holder(record, bound)
        found = None if here is None else self.field_of(here, bound.schema, bound.field)
        if here is None or found is None or bound.field.type != "currency":
            return found
        return self.money.corporate(found, here.get("CurrencyIsoCode"))

    def field_of(self, record: Record, schema: ObjectSchema | None, field: FieldSchema) -> Any:
        """A field of a record; of the entity ``Name`` when ``schema`` is None."""
        if schema is not None:
            if field.name == "IsArchived":
                return self.archived(record)
            if schema.name == _ACCESS:
                access = self.rights.allowed(self.user, self.object_of(record["Id"]), record)
                return access_row(self.user.id, record["Id"], access)[field.name]
            if field.type == "base64":
                return f"{self.url(record['Id'])}/{field.name}"
            return stored_value(record, schema, field)
        actual = self.object_of(record["Id"])
        if field.name == "Type":
            return "Queue" if actual.name == "Group" else actual.name
        if field.name == "Name" and actual.field("Name") is None:
            return record.get(actual.title_field or "Id")
        own = self.rights.visible(self.user, actual, field.name)
        return None if own is None else stored_value(record, actual, own)

    def archived(self, record: Record) -> bool:
        """Closed activities are archived when they are a year old, by their day and by creation, or
        when a run of the archiving has found them (``mail.archiving``)."""
        if not record["Id"].startswith(("00T", "00U")) or not record.get("IsClosed"):
            return False
        return bool(record.get("IsArchived")) or (
            str(record.get("ActivityDate") or "9") < self.year_ago
            and str(record.get("CreatedDate")) < self.year_ago
        )

    def object_of(self, record_id: str) -> ObjectSchema:
        """The object an id belongs to."""
        schema = self.catalog.by_prefix(record_id[:3])
        if schema is None:
            raise refuse("UNKNOWN_EXCEPTION", f"no object has the prefix of {record_id}", None)
        return schema

    def url(self, record_id: str) -> str:
        """The REST address of a record."""
        name = self.object_of(record_id).name
        return f"/services/data/v{self.api_version}/sobjects/{name}/{record_id}"
