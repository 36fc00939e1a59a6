"""The records, users and rules of an org in memory, behind `FakeSalesforce`."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from keeping_plugin.errors import Complaint, DuplicatesFound, RecordRejected, SchemaStale
from keeping_plugin.objects import ROWS
from keeping_plugin.ports import Clock
from keeping_plugin.types import FieldSpec, ObjectSchema, PicklistValue, Related
from keeping_plugin.types.describe_result import schema_of
from keeping_plugin.types.schema_document import dump_schema

Row = dict[str, Any]

PREFIXES = {
    **{name: row.prefix for name, row in ROWS.items()},
    "User": "005",
    "OpportunityContactRole": "00K",
    "Organization": "00D",
}
# Task statuses, and whether each counts as closed.
STATUSES = {"Not Started": False, "In Progress": False, "Completed": True, "Deferred": False}
_CHECK = string.ascii_uppercase + "012345"
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase


def to_18(short: str) -> str:
    """An id of 15 characters with Salesforce's checksum of its capitals."""
    return short + "".join(
        _CHECK[sum(1 << bit for bit, char in enumerate(short[start : start + 5]) if char.isupper())]
        for start in (0, 5, 10)
    )


def stamp(moment: datetime) -> str:
    """A datetime as Salesforce writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


@dataclass(slots=True)
class DuplicateRule:
    """Refuses a save that equals another record of the object in these fields."""

    object: str
    fields: tuple[str, ...]
    may_save: bool = True


@dataclass(slots=True)
class FakeOrg:
    """One org. `unique` holds (object, field) pairs whose values may stand once. `offers` are the
    picklist values of record types, by object, developer name and field; what is not named there
    offers everything."""

    schemas: dict[str, ObjectSchema]
    clock: Clock
    rows: dict[str, dict[str, Row]] = field(default_factory=dict)
    offers: Mapping[str, Mapping[str, Mapping[str, list[str]]]] = field(default_factory=dict)
    unique: set[tuple[str, str]] = field(default_factory=set)
    duplicate_rules: list[DuplicateRule] = field(default_factory=list)
    queues: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    statuses: dict[str, bool] = field(default_factory=lambda: dict(STATUSES))
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def new_id(self, object: str) -> str:
        """An id as this object's look."""
        number, digits = next(self._numbers), ""
        while number:
            number, digit = divmod(number, 62)
            digits = _DIGITS[digit] + digits
        return to_18(PREFIXES.get(object, "a00") + "Fk0000" + digits.rjust(6, "0"))

    def of(self, object: str, *, deleted_too: bool = False) -> Iterable[Row]:
        """The rows of an object, oldest first."""
        rows = self.rows.get(object, {}).values()
        return [row for row in rows if deleted_too or not row["IsDeleted"]]

    def row(self, object: str, record_id: str) -> Row | None:
        """A row that is not deleted, by either form of its id."""
        row = self.rows.get(object, {}).get(record_id[:15])
        return None if row is None or row["IsDeleted"] else row

    def offered(
        self, object: str, spec: FieldSpec, record_type_id: str | None
    ) -> tuple[PicklistValue, ...]:
        """What a picklist offers in records of this type; without one, of the default type."""
        for kind in self.schemas[object].record_types:
            chosen = kind.id[:15] == record_type_id[:15] if record_type_id else kind.default
            named = self.offers.get(object, {}).get(kind.developer_name, {}).get(spec.name)
            if chosen and named is not None:
                return tuple(value for value in spec.picklist if value.value in named)
        return spec.picklist

    def insert(self, object: str, fields: Mapping[str, Any], *, by: str) -> str:
        """Keep a record as it is given, with what every record has."""
        schema = self.schemas.get(object)
        now = stamp(self.clock.now())
        row: Row = dict.fromkeys(schema.fields) if schema else {}
        for spec in schema.fields.values() if schema else ():
            if spec.type == "boolean":
                row[spec.name] = False
            for value in spec.picklist:
                if value.default:
                    row[spec.name] = value.value
        row |= {
            "Id": self.new_id(object),
            "OwnerId": by,
            "CreatedById": by,
            "CreatedDate": now,
            "LastModifiedById": by,
            "LastModifiedDate": now,
            "SystemModstamp": now,
            "IsDeleted": False,
        }
        if object == "Case":
            row["CaseNumber"] = f"{1001 + len(self.rows.get('Case', {})):08}"
        row |= {name: _stored(value) for name, value in fields.items()}
        self._derive(object, row)
        self.rows.setdefault(object, {})[row["Id"][:15]] = row
        if object == "Opportunity" and row.get("ContactId"):
            role = {"OpportunityId": row["Id"], "ContactId": row["ContactId"], "IsPrimary": True}
            self.insert("OpportunityContactRole", role, by=by)
        return str(row["Id"])

    def change(self, object: str, row: Row, changes: Mapping[str, Any], *, by: str) -> None:
        """Write fields of a row."""
        row |= {name: _stored(value) for name, value in changes.items()}
        row["LastModifiedById"] = by
        row["LastModifiedDate"] = row["SystemModstamp"] = stamp(self.clock.now())
        self._derive(object, row)

    def referring(
        self, related: Related, record_id: str, *, deleted_too: bool = False
    ) -> list[Row]:
        """The rows of another object that refer to a record."""
        rows = self.of(related.object, deleted_too=deleted_too)
        return [row for row in rows if row.get(related.field) == record_id]

    def remove(self, object: str, row: Row, *, by: str) -> None:
        """Put a row into the recycle bin, and the Tasks about it. Raises RecordRejected while a
        Case refers to it."""
        schema = self.schemas.get(object)
        for related in schema.related if schema else ():
            for other in self.referring(related, row["Id"]):
                if related.object == "Case":
                    raise _rejected("DELETE_FAILED", "It is associated with a Case.")
                if related.object == "Task":
                    self.remove("Task", other, by=by)
        row["IsDeleted"] = True
        row["LastModifiedById"] = by
        row["LastModifiedDate"] = row["SystemModstamp"] = stamp(self.clock.now())

    def _derive(self, object: str, row: Row) -> None:
        if object in {"Contact", "Lead", "User"}:
            parts = (row.get("FirstName"), row.get("LastName"))
            row["Name"] = " ".join(part for part in parts if part)
        if object == "Task":
            row["IsClosed"] = self.statuses.get(row.get("Status") or "", False)
        if object == "Case":
            row["IsClosed"] = row.get("Status") == "Closed"
        if object == "Opportunity":
            row["IsClosed"] = str(row.get("StageName") or "").startswith("Closed")

    def check(
        self,
        object: str,
        fields: Mapping[str, Any],
        *,
        creating: bool,
        allow_duplicates: bool,
        row: Row | None = None,
    ) -> None:
        """Refuse what Salesforce refuses, in its order: names, formats, missing, duplicates."""
        schema = self.schemas.get(object)
        if schema is None:
            complaint = Complaint("NOT_FOUND", "The requested resource does not exist")
            raise SchemaStale(complaints=(complaint,), object=object)
        for name, value in fields.items():
            if name not in schema.fields:
                message = f"No such column '{name}' on sobject of type {object}"
                complaint = Complaint("INVALID_FIELD", message)
                raise SchemaStale(complaints=(complaint,), object=object, field=name)
            self._check_value(schema.fields[name], value, creating=creating)
            self._check_offered(schema.fields[name], value, object, {**(row or {}), **fields})
        self._check_required(schema, fields, creating=creating)
        self._check_unique(object, fields, row)
        self._check_duplicates(object, fields, row, allowed=allow_duplicates)

    def _check_value(self, spec: FieldSpec, value: Any, *, creating: bool) -> None:
        writable = spec.createable if creating else spec.updateable
        if not writable:
            message = f"Unable to create/update fields: {spec.name}."
            raise _rejected("INVALID_FIELD_FOR_INSERT_UPDATE", message, spec.name)
        if not isinstance(value, str):
            return
        if 0 < spec.length < len(value.strip()) and spec.type not in {"reference", "id"}:
            message = f"{spec.label}: data value too large: {value} (max length={spec.length})"
            raise _rejected("STRING_TOO_LONG", message, spec.name)
        if spec.type == "email" and value and "." not in value.partition("@")[2]:
            message = f"{spec.label}: invalid email address: {value}"
            raise _rejected("INVALID_EMAIL_ADDRESS", message, spec.name)

    def _check_offered(
        self, spec: FieldSpec, value: Any, object: str, record: Mapping[str, Any]
    ) -> None:
        if not spec.restricted or not value:
            return
        entries = self.offered(object, spec, record.get("RecordTypeId"))
        for part in str(value).split(";") if spec.type == "multipicklist" else [value]:
            if part not in {entry.value for entry in entries if entry.active}:
                message = f"{spec.label}: bad value for restricted picklist field: {part}"
                raise _rejected("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, spec.name)

    def _check_required(
        self, schema: ObjectSchema, fields: Mapping[str, Any], *, creating: bool
    ) -> None:
        missing = [
            spec.name
            for spec in schema.fields.values()
            if spec.required
            and (creating or spec.name in fields)
            and not _stored(fields.get(spec.name))
        ]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise _rejected("REQUIRED_FIELD_MISSING", message, *missing)

    def _check_unique(self, object: str, fields: Mapping[str, Any], row: Row | None) -> None:
        for name in fields:
            if (object, name) not in self.unique or fields[name] is None:
                continue
            for other in self.of(object):
                if other is not row and other.get(name) == fields[name]:
                    message = (
                        f"duplicate value found: {name} duplicates value on record with id: "
                        f"{other['Id'][:15]}"
                    )
                    raise RecordRejected(complaints=(Complaint("DUPLICATE_VALUE", message),))

    def _check_duplicates(
        self, object: str, fields: Mapping[str, Any], row: Row | None, *, allowed: bool
    ) -> None:
        for rule in self.duplicate_rules:
            if rule.object != object or (allowed and rule.may_save):
                continue
            if not all(fields.get(name) for name in rule.fields):
                continue
            same = [
                other
                for other in self.of(object)
                if other is not row
                and all(
                    str(other.get(name)).lower() == str(fields[name]).lower()
                    for name in rule.fields
                )
            ]
            if same:
                raise DuplicatesFound(
                    complaints=(Complaint("DUPLICATES_DETECTED", "Use one of these records?"),),
                    record_ids=tuple((object, other["Id"]) for other in same),
                    may_save=rule.may_save,
                )


def shipped_schemas(*, person_accounts: bool = False) -> dict[str, ObjectSchema]:
    """The schemas of the describe set that comes with the package."""
    # Imported here: the set is data, read only by those who ask for it.
    from salesforce_simulator import describe

    return {name: _shipped_schema(name, person_accounts) for name in describe.names()}


@cache
def _shipped_schema(name: str, person_accounts: bool) -> ObjectSchema:
    from salesforce_simulator import describe

    return schema_of(describe.load(name, person_accounts=person_accounts))


def document_of(schema: ObjectSchema) -> str:
    """The schema as the cache keeps it; one of that set is written once a test worker."""
    if schema is shipped_schemas().get(schema.name):
        return _shipped_document(schema.name)
    return dump_schema(schema)


@cache
def _shipped_document(name: str) -> str:
    return dump_schema(_shipped_schema(name, False))


@cache
def shipped_offers() -> Mapping[str, Mapping[str, Mapping[str, list[str]]]]:
    """What the record types of that set offer."""
    from salesforce_simulator import describe

    return {name: describe.record_type_values(name) for name in describe.names()}


def _rejected(code: str, message: str, *fields: str) -> RecordRejected:
    return RecordRejected(complaints=(Complaint(code, message, fields),))


def _stored(value: Any) -> Any:
    """Text is trimmed on save, and empty text is no value."""
    return (value.strip() or None) if isinstance(value, str) else value
