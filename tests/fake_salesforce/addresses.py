"""Email fields of Contacts and Leads beside Email, for an org in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from keeping_plugin.types import FieldSpec, ObjectSchema

EMAIL_FIELD: dict[str, Any] = {
    "type": "email",
    "length": 80,
    "createable": True,
    "updateable": True,
    "custom": True,
    "filterable": True,
    "external_id": True,
    "id_lookup": True,
}


def with_email_fields(
    schemas: dict[str, ObjectSchema], *names: str, **more: Any
) -> dict[str, ObjectSchema]:
    """The schemas with these further email fields on both kinds of people."""
    made = dict(schemas)
    for object in ("Contact", "Lead"):
        new = {
            name: FieldSpec(**{"name": name, "label": _label(name), **EMAIL_FIELD, **more})
            for name in names
        }
        made[object] = replace(made[object], fields={**made[object].fields, **new})
    return made


def without_fields(schemas: dict[str, ObjectSchema], *names: str) -> dict[str, ObjectSchema]:
    """The schemas of a user who may not see these fields."""
    return {
        object: replace(
            schema,
            fields={name: spec for name, spec in schema.fields.items() if name not in names},
        )
        for object, schema in schemas.items()
    }


def _label(name: str) -> str:
    return name.removesuffix("__c").replace("_", " ")
