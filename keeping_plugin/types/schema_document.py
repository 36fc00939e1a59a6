"""An ObjectSchema as text for the cache, which loads quickly.

The document is JSON Lines: a header, then one line per field, in the order of the header's field
names. A describe of a large org has hundreds of fields with thousands of picklist values, of which
a panel or a form needs a few: loading parses the header, and each field is parsed when first used.
Default values are left out.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from keeping_plugin.types.schema import FieldSpec, ObjectSchema, PicklistValue, RecordType

_DEFAULTS = {
    spec.name: spec.default
    for spec in dataclasses.fields(FieldSpec)
    if spec.default is not dataclasses.MISSING
}


def dump_schema(schema: ObjectSchema) -> str:
    """The schema as a document for `load_schema`; equal schemas have equal documents."""
    head = {
        "name": schema.name,
        "label": schema.label,
        "label_plural": schema.label_plural,
        "key_prefix": schema.key_prefix,
        "createable": schema.createable,
        "updateable": schema.updateable,
        "queryable": schema.queryable,
        "record_types": [dataclasses.astuple(record_type) for record_type in schema.record_types],
        "children": dict(schema.children),
        "fields": list(schema.fields),
    }
    return "\n".join(map(_compact, (head, *map(_field_row, schema.fields.values()))))


def load_schema(text: str) -> ObjectSchema:
    """The schema of a document written by `dump_schema`."""
    first, *lines = text.split("\n")
    head = json.loads(first)
    names = head.pop("fields")
    record_types = tuple(RecordType(*row) for row in head.pop("record_types"))
    fields = _Fields(dict(zip(names, lines, strict=True)))
    return ObjectSchema(fields=fields, record_types=record_types, **head)


class _Fields(Mapping[str, FieldSpec]):
    """Fields by name, each parsed on first use."""

    __slots__ = ("_lines", "_specs")

    def __init__(self, lines: Mapping[str, str]) -> None:
        self._lines = lines
        self._specs: dict[str, FieldSpec] = {}

    def __getitem__(self, name: str) -> FieldSpec:
        spec = self._specs.get(name)
        if spec is None:
            spec = self._specs[name] = _field(json.loads(self._lines[name]))
        return spec

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, name: object) -> bool:
        return name in self._lines

    def __repr__(self) -> str:
        return f"<{len(self)} fields>"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _field_row(spec: FieldSpec) -> dict[str, Any]:
    row = {}
    for name in FieldSpec.__dataclass_fields__:
        value = getattr(spec, name)
        if name in _DEFAULTS and _DEFAULTS[name] == value:
            continue
        row[name] = [_picklist_row(entry) for entry in value] if name == "picklist" else value
    return row


def _picklist_row(entry: PicklistValue) -> list[Any]:
    valid_for = None if entry.valid_for is None else list(entry.valid_for)
    return [entry.value, entry.label, entry.active, entry.default, valid_for]


def _field(row: dict[str, Any]) -> FieldSpec:
    if "picklist" in row:
        row["picklist"] = tuple(map(_picklist_value, row["picklist"]))
    if "reference_to" in row:
        row["reference_to"] = tuple(row["reference_to"])
    return FieldSpec(**row)


def _picklist_value(row: Sequence[Any]) -> PicklistValue:
    value, label, active, default, valid_for = row
    return PicklistValue(
        value, label, active, default, None if valid_for is None else tuple(valid_for)
    )
