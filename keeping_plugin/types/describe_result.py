"""A describe result as an ObjectSchema.

The body of `GET …/sobjects/{Object}/describe`. Older API versions leave keys out: a missing one
counts as the least permissive value it can have.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from keeping_plugin.types.schema import (
    FieldSpec,
    ObjectSchema,
    PicklistValue,
    RecordType,
    Related,
)

# Characters of base64 in all the dependent values of an object. The largest that Salesforce allows,
# 1,000 values that depend on 300, take 52,000.
_MAX_BITMAPS = 400_000


def schema_of(body: object, name: str = "") -> ObjectSchema:
    """The schema of a describe body; `name` where the body tells none. Raises ValueError."""
    described = _object(body)
    _check_bitmaps(described.get("fields"))
    fields = [_field(_object(entry)) for entry in _array(described.get("fields"))]
    related = [_object(entry) for entry in _array(described.get("childRelationships") or [])]
    name = _text(described, "name") or name
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
            _record_type(_object(entry)) for entry in _array(described.get("recordTypeInfos") or [])
        ),
        children={
            child["relationshipName"]: _required(child, "childSObject")
            for child in related
            if child.get("relationshipName")
        },
        deletable=_flag(described, "deletable"),
        related=tuple(
            Related(
                _required(child, "childSObject"),
                _text(child, "field"),
                _text(child, "relationshipName"),
            )
            for child in related
            if not _flag(child, "deprecatedAndHidden")
        ),
    )


def _check_bitmaps(fields: object) -> None:
    """Six indexes stand in one character: a bitmap takes fifty times its length, read."""
    total = sum(
        len(bits)
        for entry in map(_object, _array(fields))
        for value in map(_object, _array(entry.get("picklistValues") or []))
        if isinstance(bits := value.get("validFor"), str)
    )
    if total > _MAX_BITMAPS:
        raise ValueError("a describe result has no so large bitmaps")


def _field(raw: Mapping[str, Any]) -> FieldSpec:
    name = _required(raw, "name")
    return FieldSpec(
        name=name,
        label=_text(raw, "label") or name,
        type=_required(raw, "type"),
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
        picklist=tuple(_value(_object(entry)) for entry in _array(raw.get("picklistValues") or [])),
        restricted=_flag(raw, "restrictedPicklist"),
        controller=_text(raw, "controllerName"),
        reference_to=tuple(str(target) for target in _array(raw.get("referenceTo") or [])),
        relationship=_text(raw, "relationshipName"),
    )


def _value(raw: Mapping[str, Any]) -> PicklistValue:
    value = _required(raw, "value")
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


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("a describe result has an object here")
    return value


def _array(value: object) -> Sequence[Any]:
    if not isinstance(value, list):
        raise ValueError("a describe result has an array here")
    return value


def _required(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str):
        raise ValueError("a describe result has a text here")
    return value


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
