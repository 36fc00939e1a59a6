"""What describe and the picklist resource of the UI API answer to a user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from salesforce_simulator.errors import not_found
from salesforce_simulator.metadata.record_types import RecordTypes, info_of
from salesforce_simulator.metadata.rights import AUDIT_FIELDS, Rights
from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema, controlling_indexes
from salesforce_simulator.results import User

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
    if field.name in AUDIT_FIELDS and rights.may_create(user, field):
        raw["createable"] = True
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
    rights: Rights, types: RecordTypes, user: User, schema: ObjectSchema, record_type_id: str
) -> dict[str, Any]:
    """The values that a record type offers, by picklist. ``url`` lacks the root of the API."""
    info = info_of(schema, record_type_id)
    if info is None:
        raise not_found()
    kind = str(info["recordTypeId"])
    shown = {}
    for field in schema.fields.values():
        if field.type in {"picklist", "multipicklist", "combobox"} and rights.may_read(
            user, schema, field
        ):
            controller = schema.field(field.controller) if field.controller else None
            if controller is not None and not rights.may_read(user, schema, controller):
                controller = None
            shown[field.name] = {
                **_values(types, schema, field, controller, kind),
                "url": f"ui-api/object-info/{schema.name}/picklist-values/{kind}/{field.name}",
            }
    return {"picklistFieldValues": shown}


def _values(
    types: RecordTypes,
    schema: ObjectSchema,
    field: FieldSchema,
    controller: FieldSchema | None,
    kind: str,
) -> dict[str, Any]:
    # The describe counts all entries of the controlling field, this answer those of the type.
    controllers: dict[str, int] = {}
    places: dict[int, int] = {}
    if controller is not None and controller.type == "boolean":
        controllers, places = {"false": 0, "true": 1}, {0: 0, 1: 1}
    elif controller is not None:
        counted = {entry["value"]: place for place, entry in enumerate(controller.picklist)}
        for place, entry in enumerate(types.entries(schema, controller, kind)):
            controllers[entry["value"]] = place
            places[counted[entry["value"]]] = place
    active = types.entries(schema, field, kind)
    values = [
        {
            "attributes": None,
            "label": entry.get("label") or entry["value"],
            "validFor": [
                places[index]
                for index in controlling_indexes(entry.get("validFor") or "")
                if index in places
            ],
            "value": entry["value"],
        }
        for entry in active
    ]
    default = next((v for v, e in zip(values, active, strict=True) if e.get("defaultValue")), None)
    return {"controllerValues": controllers, "defaultValue": default, "values": values}
