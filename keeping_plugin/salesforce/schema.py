"""A describe result as an ObjectSchema. Older API versions leave keys out: a missing one counts as
the least permissive value it can have."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from keeping_plugin.salesforce import errors
from keeping_plugin.salesforce.client import Answer
from keeping_plugin.salesforce.payloads import mapping, sequence, text
from keeping_plugin.types import Described, FieldSpec, ObjectSchema, PicklistValue, RecordType


def object_schema(body: object, object: str = "") -> ObjectSchema:
    """The schema of `GET …/sobjects/{object}/describe`. Raises Malformed."""
    described = mapping(body)
    fields = [_field(mapping(entry)) for entry in sequence(described.get("fields"))]
    name = _text(described, "name") or object
    return ObjectSchema(
        name=name,
        label=_text(described, "label") or name,
        label_plural=_text(described, "labelPlural") or _text(described, "label") or name,
        key_prefix=_text(described, "keyPrefix"),
        createable=_flag(described, "createable"),
        updateable=_flag(described, "updateable"),
        queryable=_flag(described, "queryable"),
        fields={field.name: field for field in fields},
        record_types=tuple(
            _record_type(mapping(entry)) for entry in described.get("recordTypeInfos") or ()
        ),
        children={
            child["relationshipName"]: text(child, "childSObject")
            for child in map(mapping, described.get("childRelationships") or ())
            if child.get("relationshipName")
        },
    )


def described(object: str, answer: Answer, last_modified: str) -> Described | None:
    """An answer to describe: the schema, or none when nothing changed since `last_modified`; None
    when the user does not see the object. Raises what a refusal means, Malformed."""
    modified = answer.headers.get("Last-Modified", "")
    if answer.status == 304:
        return Described(object, None, modified or last_modified)
    if answer.status == 404:
        return None
    if answer.status != 200:
        raise errors.of_answer(answer, write=False)
    return Described(object, object_schema(answer.body, object), modified)


def _field(raw: Mapping[str, Any]) -> FieldSpec:
    name = text(raw, "name")
    return FieldSpec(
        name=name,
        label=_text(raw, "label") or name,
        type=text(raw, "type"),
        length=_count(raw, "length"),
        precision=_count(raw, "precision"),
        scale=_count(raw, "scale"),
        digits=_count(raw, "digits"),
        createable=_flag(raw, "createable"),
        updateable=_flag(raw, "updateable"),
        nillable=raw.get("nillable") is not False,
        defaulted_on_create=_flag(raw, "defaultedOnCreate"),
        default_value=_scalar(raw.get("defaultValue")),
        calculated=_flag(raw, "calculated"),
        auto_number=_flag(raw, "autoNumber"),
        custom=_flag(raw, "custom"),
        name_field=_flag(raw, "nameField"),
        unique=_flag(raw, "unique"),
        external_id=_flag(raw, "externalId"),
        id_lookup=_flag(raw, "idLookup"),
        filterable=_flag(raw, "filterable"),
        sortable=_flag(raw, "sortable"),
        encrypted=_flag(raw, "encrypted"),
        permissionable=_flag(raw, "permissionable"),
        html_formatted=_flag(raw, "htmlFormatted"),
        extra_type=_text(raw, "extraTypeInfo"),
        compound=_text(raw, "compoundFieldName"),
        help_text=_text(raw, "inlineHelpText"),
        picklist=tuple(_value(mapping(entry)) for entry in raw.get("picklistValues") or ()),
        restricted=_flag(raw, "restrictedPicklist"),
        controller=_text(raw, "controllerName"),
        reference_to=tuple(str(target) for target in raw.get("referenceTo") or ()),
        relationship=_text(raw, "relationshipName"),
    )


def _value(raw: Mapping[str, Any]) -> PicklistValue:
    value = text(raw, "value")
    bits = raw.get("validFor")
    return PicklistValue(
        value,
        _text(raw, "label") or value,
        active=raw.get("active") is not False,
        default=_flag(raw, "defaultValue"),
        valid_for=valid_for(bits) if isinstance(bits, str) else None,
    )


def valid_for(bits: str) -> tuple[int, ...]:
    """The indexes in a base64 bitmap, most significant bit first: "gAAA" -> (0,)."""
    try:
        data = base64.b64decode(bits, validate=True)
    except (binascii.Error, ValueError):
        return ()
    return tuple(i for i in range(len(data) * 8) if data[i >> 3] >> (7 - (i & 7)) & 1)


def _record_type(raw: Mapping[str, Any]) -> RecordType:
    name = _text(raw, "name")
    return RecordType(
        id=_text(raw, "recordTypeId"),
        name=name,
        developer_name=_text(raw, "developerName") or name,
        # Old versions tell no `active`; `available` is what the user may create with.
        available=_flag(raw, "available") and raw.get("active") is not False,
        default=_flag(raw, "defaultRecordTypeMapping"),
        master=_flag(raw, "master"),
    )


def _flag(raw: Mapping[str, Any], key: str) -> bool:
    return raw.get(key) is True


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _count(raw: Mapping[str, Any], key: str) -> int:
    value = raw.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _scalar(value: object) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool) else None
