"""From the body of a save to the changes it makes: names, rights, formats, lookups, picklists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salesforce_simulator.errors import ErrorEntry, OrgError, no_such_column, refuse
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.features import JUNCTION
from salesforce_simulator.metadata.record_types import default_of
from salesforce_simulator.metadata.rights import Rights
from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema
from salesforce_simulator.records.inputs import (
    AddressRules,
    check_attributes,
    parser_error,
    picklist_complaint,
    trimmed,
    typed_value,
)
from salesforce_simulator.records.lookups import Lookups
from salesforce_simulator.records.places import unknown_place
from salesforce_simulator.results import User
from salesforce_simulator.store import Record, Store


class Bodies:
    """Reads bodies for the user who sends them."""

    def __init__(self, store: Store, catalog: Catalog, rights: Rights) -> None:
        self._store = store
        self._rights = rights
        self._types = catalog.record_types
        self._lookups = Lookups(store, catalog, rights)

    def changes(
        self, user: User, schema: ObjectSchema, body: Mapping[str, Any], before: Record | None
    ) -> Record:
        """The typed values by canonical name; OrgError with every complaint of the first kind."""
        check_attributes(body, schema.name)
        written = self._named(user, schema, body, creating=before is None)
        complaints: list[ErrorEntry] = []
        changes: Record = {}
        for field, given in written:
            value, complaint = self._value(user, schema, field, given)
            if complaint is not None:
                complaints.append(complaint)
            changes[field.name] = value
        complaints += self._picklists(schema, [field for field, _ in written], changes, before)
        if complaints:
            raise OrgError(400, complaints)
        return changes

    def _picklists(
        self,
        schema: ObjectSchema,
        fields: list[FieldSchema],
        changes: Record,
        before: Record | None,
    ) -> list[ErrorEntry]:
        """Values that a restricted picklist does not offer the record's type; the value a record
        has already may stay."""
        kind = changes.get("RecordTypeId") or (before or {}).get("RecordTypeId")
        if before is None:
            kind = kind or default_of(schema)
        complaints = []
        for field in fields:
            value = changes[field.name]
            if before is None or before.get(field.name) != value:
                entries = self._types.entries(schema, field, kind)
                complaint = picklist_complaint(field, value, entries)
                unknown = None if complaint is None else unknown_place(field, str(value))
                complaints.append(unknown or complaint)
        return [complaint for complaint in complaints if complaint is not None]

    def _named(
        self, user: User, schema: ObjectSchema, body: Mapping[str, Any], *, creating: bool
    ) -> list[tuple[FieldSchema, Any]]:
        written: dict[str, tuple[FieldSchema, Any]] = {}
        refused = []
        for name, value in body.items():
            if name == "attributes":
                continue
            field = self._rights.visible(user, schema, name)
            if field is None:
                field = self._relationship(user, schema, name, value)
            if field is None:
                raise no_such_column(name, schema.name)
            if field.type == "id":
                raise _id_in_body(creating)
            may_create = creating and self._rights.may_create(user, field)
            allowed = may_create if creating else field.updateable
            if not allowed or not self._rights.on_field(user, schema, field).editable:
                refused.append(field.name)
            if field.name in written:
                message = f"Duplicate field '{field.name}' in the sObject data."
                raise refuse("JSON_PARSER_ERROR", message, None)
            written[field.name] = (field, value)
        if refused:
            raise no_right_to_set(refused)
        return list(written.values())

    def _addresses(self, field: FieldSchema) -> AddressRules:
        """The org's rules, which only matter to email fields."""
        kept = self._store.settings("address rules") if field.type == "email" else {}
        return AddressRules(**kept.get("all", {}))

    def _relationship(
        self, user: User, schema: ObjectSchema, name: str, value: Any
    ) -> FieldSchema | None:
        field = schema.relationships.get(name.lower())
        if field is None or not isinstance(value, Mapping):
            return None
        return field if self._rights.may_read(user, schema, field) else None

    def _value(
        self, user: User, schema: ObjectSchema, field: FieldSchema, given: Any
    ) -> tuple[Any, ErrorEntry | None]:
        if field.type == JUNCTION:
            return self._lookups.list_of(user, schema, field, given)
        if field.type != "reference":
            return typed_value(field, given, self._addresses(field))
        if isinstance(given, Mapping):
            return self._lookups.by_external_id(user, field, given)
        if given is not None and not isinstance(given, str):
            raise parser_error("string", given)
        text = trimmed(given) if given is not None else None
        return (None, None) if text is None else self._lookups.by_id(user, schema, field, text)


def _id_in_body(creating: bool) -> OrgError:
    if creating:
        message = "cannot specify Id in an insert call"
        return refuse("INVALID_FIELD_FOR_INSERT_UPDATE", message, ["Id"])
    message = "The Id field should not be specified in the sobject data."
    return refuse("INVALID_FIELD", message, None)


def no_right_to_set(names: list[str]) -> OrgError:
    """400 for fields that are not to be written, by anybody or by this user."""
    message = (
        f"Unable to create/update fields: {', '.join(names)}. Please check the security "
        "settings of this field and verify that it is read/write for your profile or "
        "permission set."
    )
    return refuse("INVALID_FIELD_FOR_INSERT_UPDATE", message, names)
