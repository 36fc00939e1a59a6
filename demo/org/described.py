"""What describe and the picklist resource of the UI API answer to a user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .errors import not_found
from .ids import normalised
from .results import User
from .rights import Rights
from .schema import FieldSchema, ObjectSchema, controlling_indexes

_GLOBAL_KEYS = (
    "activateable", "associateEntityType", "associateParentEntity", "createable", "custom",
    "customSetting", "deepCloneable", "deletable", "deprecatedAndHidden", "feedEnabled",
    "hasSubtypes", "isInterface", "isSubtype", "keyPrefix", "label", "labelPlural", "layoutable",
    "mergeable", "mruEnabled", "name", "queryable", "replicateable", "retrieveable", "searchable",
    "triggerable", "undeletable", "updateable", "urls",
)  # fmt: skip


def visible_describe(rights: Rights, user: User, schema: ObjectSchema) -> dict[str, Any]:
    """The describe result as this user's rights leave it."""
    allowed = rights.on_object(user, schema)
    body = dict(schema.raw)
    for key, right in (
        ("createable", allowed.create),
        ("updateable", allowed.edit),
        ("deletable", allowed.delete),
    ):
        if key in body:
            body[key] = bool(body[key]) and right
    body["fields"] = [
        _visible_field(rights, user, schema, field)
        for field in schema.fields.values()
        if rights.may_read(user, schema, field)
    ]
    return body


def _visible_field(
    rights: Rights, user: User, schema: ObjectSchema, field: FieldSchema
) -> dict[str, Any]:
    raw = dict(field.recorded)
    if not rights.on_field(user, schema, field).editable:
        raw |= {key: False for key in ("createable", "updateable") if key in raw}
    return raw


def describe_global(rights: Rights, user: User, schemas: Sequence[ObjectSchema]) -> dict[str, Any]:
    """The short descriptions of all objects."""
    entries = []
    for schema in schemas:
        described = visible_describe(rights, user, schema)
        entry = {key: described[key] for key in _GLOBAL_KEYS if key in described}
        entry.setdefault("name", schema.name)
        entry.setdefault("keyPrefix", schema.prefix)
        entries.append(entry)
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": entries}


def picklist_values(
    rights: Rights, user: User, schema: ObjectSchema, record_type_id: str
) -> dict[str, Any]:
    """Active values of every picklist; the org keeps the same values for every record type."""
    known = {
        normalised(info.get("recordTypeId") or "")
        for info in schema.raw.get("recordTypeInfos") or ()
    }
    wanted = normalised(record_type_id)
    if wanted is None or wanted not in known:
        raise not_found()
    shown = {}
    for field in schema.fields.values():
        if field.type in {"picklist", "multipicklist", "combobox"} and rights.may_read(
            user, schema, field
        ):
            shown[field.name] = _values(schema, field, wanted)
    return {"picklistFieldValues": shown}


def _values(schema: ObjectSchema, field: FieldSchema, record_type_id: str) -> dict[str, Any]:
    controllers = _controller_values(schema, field)
    active = [entry for entry in field.picklist if entry.get("active", True)]
    values = [
        {
            "attributes": None,
            "label": entry.get("label") or entry["value"],
            "validFor": controlling_indexes(entry["validFor"]) if entry.get("validFor") else [],
            "value": entry["value"],
        }
        for entry in active
    ]
    default = next((v for v, e in zip(values, active, strict=True) if e.get("defaultValue")), None)
    url = (
        f"/services/data/v66.0/ui-api/object-info/{schema.name}/picklist-values/"
        f"{record_type_id}/{field.name}"
    )
    return {
        "controllerValues": controllers,
        "defaultValue": default,
        "url": url,
        "values": values,
    }


def _controller_values(schema: ObjectSchema, field: FieldSchema) -> dict[str, int]:
    controller = schema.field(field.controller) if field.controller else None
    if controller is None:
        return {}
    if controller.type == "boolean":
        return {"false": 0, "true": 1}
    return {entry["value"]: place for place, entry in enumerate(controller.picklist)}
