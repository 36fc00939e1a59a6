"""Record types: which one a new record gets, and which picklist values each of them offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from salesforce_simulator.ids import MASTER_RECORD_TYPE, normalised
from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema

Offers = Mapping[str, Mapping[str, Sequence[str]]]


def info_of(schema: ObjectSchema, record_type_id: str) -> Mapping[str, Any] | None:
    """The entry of ``recordTypeInfos`` with this id, in 15 or 18 characters."""
    wanted = normalised(record_type_id)
    for info in schema.raw.get("recordTypeInfos") or ():
        if wanted is not None and normalised(info.get("recordTypeId") or "") == wanted:
            found: Mapping[str, Any] = info
            return found
    return None


def default_of(schema: ObjectSchema) -> str | None:
    """The record type of a new record for which none was chosen; None for the master type."""
    if schema.field("RecordTypeId") is None:
        return None
    for info in schema.raw.get("recordTypeInfos") or ():
        if info.get("defaultRecordTypeMapping") and info.get("available"):
            found = normalised(info.get("recordTypeId") or "")
            return None if found == MASTER_RECORD_TYPE else found
    return None


class RecordTypes:
    """What record types offer. ``offers`` maps an object's types, by developer name, and their
    fields to values; whatever is not named offers everything."""

    def __init__(self, offers: Mapping[str, Offers]) -> None:
        self._offers = offers

    def entries(
        self, schema: ObjectSchema, field: FieldSchema, record_type_id: str | None
    ) -> list[Mapping[str, Any]]:
        """The active entries of a picklist that this record type offers."""
        active = [entry for entry in field.picklist if entry.get("active", True)]
        offers = self._offers.get(schema.name)
        info = info_of(schema, record_type_id) if offers and record_type_id else None
        if offers is None or info is None:
            return active
        named = offers.get(str(info.get("developerName")), {}).get(field.name)
        return active if named is None else [entry for entry in active if entry["value"] in named]

    def default_value(
        self, schema: ObjectSchema, field: FieldSchema, record_type_id: str | None
    ) -> Any:
        """What a new record of this type gets in a field that is left out."""
        default = field.default_value()
        if default is None or not field.picklist:
            return default
        offered = {entry["value"] for entry in self.entries(schema, field, record_type_id)}
        return default if default in offered else None
