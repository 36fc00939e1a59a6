"""Creating and changing records, in the service's order of a save.

Formats, lookups and restricted picklists first; then required fields and validation rules; then
duplicate rules; then the record is stored, and what follows from it (assignment, roles, people).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import (
    ErrorEntry,
    OrgError,
    SeveralMatches,
    access_denied,
    entity_is_deleted,
    no_such_id,
    no_such_record,
    no_such_record_here,
    not_found,
    refuse,
)
from salesforce_simulator.ids import from_sequence, normalised
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.record_types import default_of
from salesforce_simulator.metadata.rights import AUDIT_FIELDS, Rights
from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema
from salesforce_simulator.records.body import Bodies, no_right_to_set
from salesforce_simulator.records.companions import Companion
from salesforce_simulator.records.derived import Derived
from salesforce_simulator.records.duplicates import Duplicates
from salesforce_simulator.records.inputs import trimmed
from salesforce_simulator.records.people import People
from salesforce_simulator.records.post_save import AfterSave
from salesforce_simulator.records.validation import Validation
from salesforce_simulator.results import SaveOptions, User
from salesforce_simulator.rules.automatic import AutomaticRules
from salesforce_simulator.sharing.access import Access
from salesforce_simulator.store import Record, Store
from salesforce_simulator.values import parse_datetime, show_datetime


class Saves:
    """Create, update and upsert for one org."""

    def __init__(
        self,
        *,
        store: Store,
        catalog: Catalog,
        rights: Rights,
        clock: OrgClock,
        validation: Validation,
        duplicates: Duplicates,
        org_code: str,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._rights = rights
        self._clock = clock
        self._validation = validation
        self._duplicates = duplicates
        self._org_code = org_code
        self._bodies = Bodies(store, catalog, rights)
        self._derived = Derived(store, catalog)
        self._people = People(store, catalog)
        self._automatic = AutomaticRules(store, catalog)
        self._after = AfterSave(store, catalog, self.create_row)
        self.companions: list[Companion] = []

    # -- ids and times -----------------------------------------------------------------------------
    def new_id(self, schema: ObjectSchema) -> str:
        """The next id of an object."""
        number = self._store.next_number(f"id.{schema.prefix}")
        return from_sequence(schema.prefix, self._org_code, number)

    def stamp(self) -> str:
        """The present as records carry it, to the second."""
        return show_datetime(self._clock.now().replace(microsecond=0))

    def existing(self, schema: ObjectSchema, record_id: str, *, reading: bool = False) -> Record:
        """A live record by 15- or 18-character id; OrgError 404 otherwise.

        For a reader a deleted record is not there; who writes hears that it is deleted.
        """
        full = normalised(record_id)
        label = schema.fields["id"].label if "id" in schema.fields else "Id"
        if full is None:
            raise no_such_id(label, record_id)
        if full[:3] != schema.prefix:
            raise no_such_record_here(label, record_id)
        found = self._store.get(full)
        if found is None or found[0] != schema.name:
            raise no_such_record()
        if found[1].get("IsDeleted"):
            if reading:
                raise no_such_record()
            raise entity_is_deleted()
        return found[1]

    def reachable(
        self,
        user: User,
        schema: ObjectSchema,
        record_id: str,
        needed: Access,
        *,
        reading: bool = False,
    ) -> Record:
        """As ``existing``, for a record that sharing lets the user use so."""
        record = self.existing(schema, record_id, reading=reading)
        self._rights.check(user, schema, record, needed)
        return record

    # -- verbs -------------------------------------------------------------------------------------
    def create(
        self, user: User, schema: ObjectSchema, body: Mapping[str, Any], options: SaveOptions
    ) -> str:
        """Create a record; its id."""
        if not schema.allows("createable"):
            message = f"entity type {schema.name} does not support create"
            raise refuse("INVALID_TYPE_FOR_OPERATION", message)
        if not self._rights.on_object(user, schema).create:
            raise access_denied(403)
        changes = self._bodies.changes(user, schema, body, None)
        self._people.check_create(schema, changes)
        for companion in self.companions:
            companion.check(user, schema, changes, None)
        return self._insert(user, schema, changes, options)

    def _insert(
        self,
        user: User,
        schema: ObjectSchema,
        changes: Record,
        options: SaveOptions,
        *,
        asked_for: bool = True,
    ) -> str:
        stamp = self.stamp()
        record: Record = {"Id": self.new_id(schema), "IsDeleted": False}
        kind = changes.get("RecordTypeId") or default_of(schema)
        for field in schema.by_default:
            record[field.name] = self._catalog.record_types.default_value(schema, field, kind)
        if schema.field("CurrencyIsoCode") is not None and user.currency is not None:
            record["CurrencyIsoCode"] = user.currency
        record |= {name: value for name, value in changes.items() if value is not None}
        for field in schema.by_default:
            if changes.get(field.name, record) is None and not field.raw.get("defaultedOnCreate"):
                record.pop(
                    field.name, None
                )  # an explicit null beats a default that is only offered
        by_itself = {
            "CreatedDate": stamp,
            "CreatedById": user.id,
            "LastModifiedDate": stamp,
            "LastModifiedById": user.id,
            "SystemModstamp": stamp,
        }
        for name, value in by_itself.items():
            if changes.get(name) is None:  # an audit field that was given stays
                record[name] = value
        if schema.field("OwnerId") is not None:
            record.setdefault("OwnerId", user.id)
            if options.auto_assign:  # which overrules an owner that was given
                self._automatic.assign(schema, record, options)
        self._derived.number(schema, record)
        self._people.prepare(schema, record)
        if kind is not None:
            record.setdefault("RecordTypeId", kind)
        self._settle(user, schema, record, None, changes, options if asked_for else None)
        return str(record["Id"])

    def update(
        self,
        user: User,
        schema: ObjectSchema,
        record_id: str,
        body: Mapping[str, Any],
        options: SaveOptions,
    ) -> str:
        """Change a record; its 18-character id."""
        before = self.reachable(user, schema, record_id, Access.EDIT)
        if not schema.allows("updateable"):
            message = f"entity type {schema.name} does not support update"
            raise refuse("INVALID_TYPE_FOR_OPERATION", message)
        if not self._rights.on_object(user, schema).edit:
            raise access_denied(403)
        self._check_unmodified(before, options)
        if schema.name == "Lead" and before.get("IsConverted"):
            raise refuse("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        changes = self._bodies.changes(user, schema, body, before)
        if changes.get("OwnerId") not in (None, before.get("OwnerId")):
            self._rights.check(user, schema, before, Access.TRANSFER)
        self._people.check_update(schema, before, changes)
        for companion in self.companions:
            companion.check(user, schema, changes, before)
        stamp = self.stamp()
        record = before | changes
        record |= {
            "LastModifiedDate": stamp,
            "LastModifiedById": user.id,
            "SystemModstamp": stamp,
        }
        self._settle(user, schema, record, before, changes, options)
        return str(record["Id"])

    def _check_unmodified(self, before: Record, options: SaveOptions) -> None:
        """If-Unmodified-Since, to the second."""
        modified = parse_datetime(before.get("LastModifiedDate") or "")
        if options.unmodified_since is None or modified is None:
            return
        if modified.replace(microsecond=0) >= options.unmodified_since + timedelta(seconds=1):
            message = "The record was modified since the time given in If-Unmodified-Since"
            raise refuse("PRECONDITION_FAILED", message, None, status=412)

    def _settle(
        self,
        user: User,
        schema: ObjectSchema,
        record: Record,
        before: Record | None,
        changes: Record,
        options: SaveOptions | None,
    ) -> None:
        """Everything from the computed fields to what follows a stored record.

        Without options it is a record that follows from another, which no duplicate rule stops.
        """
        self._check_activity(schema, record)
        self._derived.fill(schema, record, before)
        self._validation.required(schema, record, None if before is None else changes)
        if options is not None and before is None:
            self._automatic.check(schema, record)
        self._validation.rules(schema, record)
        if options is not None:
            self._duplicates.check(user, schema, record, options)
        self._validation.unique(schema, record, lambda row: self._rights.sees(user, schema, row))
        self._store.put(schema, record, before)
        self._people.follow(schema, record, before, self)
        self._after.follow(user, schema, record, before)
        if options is not None and before is None:
            self._automatic.answer(schema, record)
        for companion in self.companions:
            companion.saved(user, schema, record, before)

    def _check_activity(self, schema: ObjectSchema, record: Record) -> None:
        if schema.name not in {"Task", "Event"}:
            return
        if str(record.get("WhoId") or "").startswith("00Q") and record.get("WhatId"):
            message = (
                "You can only relate an activity to a lead or to another object, not to both: "
                "WhatId must be empty when WhoId is a lead"
            )
            entry = ErrorEntry("FIELD_INTEGRITY_EXCEPTION", message, ("WhoId", "WhatId"))
            raise OrgError(400, [entry])

    def create_row(self, user: User, object_name: str, changes: Record) -> str:
        """Create a record that follows from another save: no rights, no duplicate rules."""
        options = SaveOptions(auto_assign=False)
        schema = self._catalog.get(object_name)
        return self._insert(user, schema, changes, options, asked_for=False)

    def put_row(self, schema: ObjectSchema, record: Record, before: Record | None) -> None:
        """Store a record that follows from another save, with its computed fields."""
        self._derived.fill(schema, record, before)
        self._store.put(schema, record, before)

    # -- by key ------------------------------------------------------------------------------------
    def key_field(self, user: User, schema: ObjectSchema, name: str) -> FieldSchema:
        """The external id or idLookup field of that name; OrgError 404 otherwise."""
        field = self._rights.visible(user, schema, name)
        if field is None or not field.id_lookup:
            raise not_found(
                f"Provided external ID field does not exist or is not accessible: {name}"
            )
        return field

    def by_key(
        self, user: User, schema: ObjectSchema, field: FieldSchema, value: str
    ) -> str | None:
        """The id of the live record with this key that the user sees; ``SeveralMatches`` when
        there are more."""
        if field.type == "id":
            return str(self.existing(schema, value)["Id"])
        ids = self._store.ids_equal(schema.name, field, [_key(field, value)])
        alive = sorted(
            i
            for i, record in self._store.get_many(ids).items()
            if not record.get("IsDeleted") and self._rights.sees(user, schema, record)
        )
        if len(alive) > 1:
            raise SeveralMatches(schema.name, alive)
        return alive[0] if alive else None

    def upsert(
        self,
        user: User,
        schema: ObjectSchema,
        field: FieldSchema,
        value: str,
        body: Mapping[str, Any],
        options: SaveOptions,
        *,
        update_only: bool,
    ) -> tuple[str, bool]:
        """(id, created)."""
        if any(name.lower() == field.name.lower() for name in body):
            message = f"The {field.name} field should not be specified in the sobject data."
            raise refuse("INVALID_FIELD", message, None)
        found = self.by_key(user, schema, field, value)
        if found is not None:
            return self.update(user, schema, found, body, options), False
        if update_only:
            raise not_found()
        audit = [name for name in body if name.lower() in {a.lower() for a in AUDIT_FIELDS}]
        if audit:
            raise no_right_to_set(audit)  # an upsert never sets them
        return self.create(user, schema, {**body, field.name: value}, options), True


def _key(field: FieldSchema, value: str) -> Any:
    if not field.numeric:
        return trimmed(value) or ""
    try:
        return float(value)
    except ValueError:
        raise not_found() from None
