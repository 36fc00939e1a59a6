"""References on the way in: ids checked, other records found by their external ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salesforce_simulator.errors import ErrorEntry, no_such_column
from salesforce_simulator.ids import MASTER_RECORD_TYPE, PREFIXES, normalised
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.rights import Rights
from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema
from salesforce_simulator.records.inputs import parser_error
from salesforce_simulator.results import User
from salesforce_simulator.sharing.access import CONTROLLED, Access
from salesforce_simulator.sharing.owners import refused_owner
from salesforce_simulator.store import Record, Store


def invalid_reference(message: str = "invalid cross reference id") -> ErrorEntry:
    """INVALID_CROSS_REFERENCE_KEY: unknown or invisible."""
    return ErrorEntry("INVALID_CROSS_REFERENCE_KEY", message, ())


class Lookups:
    """Settles what a reference in a body points at."""

    def __init__(self, store: Store, catalog: Catalog, rights: Rights) -> None:
        self._store = store
        self._catalog = catalog
        self._rights = rights

    def by_id(
        self, user: User, schema: ObjectSchema, field: FieldSchema, value: str
    ) -> tuple[str | None, ErrorEntry | None]:
        """The 18-character id a reference stores, or the complaint about it."""
        record_id = normalised(value)
        known = {self._prefix(name) for name in field.references}
        if record_id is None or (known and record_id[:3] not in known):
            # An id of another object is recorded with the one code, text that is no id with the
            # other; the words are the same.
            code = "MALFORMED_ID" if record_id is None else "FIELD_INTEGRITY_EXCEPTION"
            message = f"{field.label}: id value of incorrect type: {value}"
            return None, ErrorEntry(code, message, (field.name,))
        if field.name == "RecordTypeId":
            return self._record_type(schema, field, record_id)
        found = self._store.get(record_id)
        if found is None:
            return None, invalid_reference()
        name, record = found
        target = self._catalog.get(name)
        if record.get("IsDeleted"):
            return None, ErrorEntry("ENTITY_IS_DELETED", "entity is deleted", ())
        if not self._rights.on_object(user, target).read:
            code = "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
            message = "insufficient access rights on cross-reference id"
            return None, ErrorEntry(code, message, ())
        if not self._within_reach(user, schema, field, target, record):
            code = "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
            message = f"insufficient access rights on cross-reference id: {record_id[:15]}"
            return None, ErrorEntry(code, message, ())
        return record_id, self._refused_target(user, schema, field, name, record)

    def _within_reach(
        self,
        user: User,
        schema: ObjectSchema,
        field: FieldSchema,
        target: ObjectSchema,
        record: Record,
    ) -> bool:
        """Whether sharing lets the user point at a record. A Contact that its Account controls
        needs the right to edit that."""
        sharing = self._rights.sharing
        if not self._rights.hides_rows:
            return True
        if not self._rights.sees(user, target, record):
            return False
        joins = (schema.name, field.name) == ("Contact", "AccountId")
        edits = joins and sharing.defaults.get("Contact") == CONTROLLED
        needed = Access.READ | Access.EDIT if edits else Access.READ
        return needed & sharing.access(user, target.name, record) == needed

    def list_of(
        self, user: User, schema: ObjectSchema, field: FieldSchema, given: Any
    ) -> tuple[list[str] | None, ErrorEntry | None]:
        """The ids of a JunctionIdList, each once: an array in JSON (assumed), null for none."""
        if given is None:
            return None, None
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise parser_error("list", given)
        found: list[str] = []
        for one in given:
            record_id, complaint = self.by_id(user, schema, field, one)
            if record_id is None or complaint is not None:
                return None, complaint
            found.append(record_id)
        return list(dict.fromkeys(found)) or None, None

    def _prefix(self, name: str) -> str | None:
        schema = self._catalog.find(name)
        if schema is not None:
            return schema.prefix
        return PREFIXES.get(name)

    def _refused_target(
        self, user: User, schema: ObjectSchema, field: FieldSchema, name: str, record: Record
    ) -> ErrorEntry | None:
        if field.name == "OwnerId":
            refused = refused_owner(self._rights, user, schema, name, record)
            if refused is not None:
                return refused
        if name == "Lead" and record.get("IsConverted") and schema.name in {"Task", "Event"}:
            return ErrorEntry("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", ())
        return None

    def _record_type(
        self, schema: ObjectSchema, field: FieldSchema, record_id: str
    ) -> tuple[str | None, ErrorEntry | None]:
        for info in schema.raw.get("recordTypeInfos") or ():
            if normalised(info.get("recordTypeId") or "") == record_id and info.get("available"):
                return (None if record_id == MASTER_RECORD_TYPE else record_id), None
        message = f"{field.label}: this ID value isn't valid for the user: {record_id}"
        return None, ErrorEntry("INVALID_CROSS_REFERENCE_KEY", message, (field.name,))

    def by_external_id(
        self, user: User, field: FieldSchema, wanted: Mapping[str, Any]
    ) -> tuple[str | None, ErrorEntry | None]:
        """The id behind ``{"Ext__c": "x"}``, written through a relationship name."""
        keys = {name: value for name, value in wanted.items() if name != "attributes"}
        targets = [self._catalog.find(name) for name in field.references]
        target = targets[0] if len(targets) == 1 else None
        if target is None or len(keys) != 1:
            return None, invalid_reference(
                f"{field.relationship}: one external id of one object is needed"
            )
        ((name, value),) = keys.items()
        key = self._rights.visible(user, target, name)
        if key is None:
            raise no_such_column(name, target.name)
        if not key.external_id or not isinstance(value, str | int | float):
            message = f"{name} is not an External ID or indexed field for {target.name}"
            return None, ErrorEntry("INVALID_FIELD", message, ())
        ids = self._store.ids_equal(target.name, key, [value])
        alive = [
            i
            for i, r in self._store.get_many(ids).items()
            if not r.get("IsDeleted") and self._rights.sees(user, target, r)
        ]
        if len(alive) == 1:
            return alive[0], None
        if alive:
            message = f"{name}: more than one record found for external id field: {alive}"
            return None, ErrorEntry("DUPLICATE_EXTERNAL_ID", message, ())
        message = (
            f"Foreign key external ID: {str(value).lower()} not found for field {key.name} in "
            f"entity {target.name}"
        )
        return None, ErrorEntry("INVALID_FIELD", message, ())
