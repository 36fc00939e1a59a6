"""Objects and fields as recorded describe results tell them, old and trimmed recordings included.

The describe dict stays what it was recorded as and is what the org serves; ``FieldSchema`` and
``ObjectSchema`` read it, with a stated assumption for every key that a recording lacks.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as default_of
from functools import cached_property
from typing import Any

from salesforce_simulator.ids import PREFIXES
from salesforce_simulator.values import COMPOUND_TYPES, NUMBER_TYPES

SYSTEM_FIELDS = frozenset(
    {"Id", "IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById",
     "SystemModstamp", "MasterRecordId", "LastActivityDate", "LastViewedDate",
     "LastReferencedDate", "PhotoUrl"}
)  # fmt: skip
INDEXED_NAMES = frozenset(
    {"createddate", "lastmodifieddate", "systemmodstamp", "name", "lastname", "subject",
     "activitydate", "casenumber", "username"}
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class FieldSchema:
    """One field of a describe result.

    ``recorded`` is the dict that is served; ``assumed`` stands in for keys it lacks, from the
    package's own description of the same field.
    """

    recorded: Mapping[str, Any]
    assumed: Mapping[str, Any] = default_of(default_factory=dict)

    @cached_property
    def raw(self) -> Mapping[str, Any]:
        """What is recorded, and what is assumed where nothing is."""
        return {**self.assumed, **self.recorded} if self.assumed else self.recorded

    @cached_property
    def name(self) -> str:
        """The canonical API name."""
        return str(self.raw["name"])

    @cached_property
    def type(self) -> str:
        """The describe type, e.g. ``picklist``; ``anyType`` when the recording has none."""
        return str(self.raw.get("type") or "anyType")

    @cached_property
    def label(self) -> str:
        """What people read; the name when the recording has none."""
        return str(self.raw.get("label") or self.name)

    @cached_property
    def length(self) -> int:
        """Most characters of text; 0 means that the recording does not limit it."""
        return int(self.raw.get("length") or 0)

    @cached_property
    def computed(self) -> bool:
        """Written by the org alone: system fields, formulas, auto-numbers, compounds."""
        return (
            self.name in SYSTEM_FIELDS
            or self.type in COMPOUND_TYPES
            or bool(self.raw.get("calculated") or self.raw.get("autoNumber"))
        )

    @cached_property
    def createable(self) -> bool:
        """May be set on create; assumed of ordinary fields when not recorded."""
        return bool(self.raw.get("createable", not self.computed))

    @cached_property
    def updateable(self) -> bool:
        """May be changed later; assumed of ordinary fields when not recorded."""
        return bool(self.raw.get("updateable", not self.computed))

    @cached_property
    def required(self) -> bool:
        """REFERENCE rule: createable, not nillable, not defaulted on create."""
        return (
            self.createable
            and not self.raw.get("nillable", True)
            and not self.raw.get("defaultedOnCreate", "createable" not in self.raw)
            and self.type != "boolean"
        )

    @cached_property
    def long_text(self) -> bool:
        """Text areas above 255 characters: neither filterable nor sortable nor groupable."""
        return self.type == "textarea" and self.length > 255

    @cached_property
    def filterable(self) -> bool:
        """May stand in a WHERE."""
        return bool(self.raw.get("filterable", True)) and self.type not in COMPOUND_TYPES | {
            "base64"
        }

    @cached_property
    def sortable(self) -> bool:
        """May stand in an ORDER BY."""
        return bool(self.raw.get("sortable", self.filterable))

    @cached_property
    def groupable(self) -> bool:
        """May stand in a GROUP BY."""
        return bool(self.raw.get("groupable", False))

    @cached_property
    def aggregatable(self) -> bool:
        """May be counted, summed and compared by an aggregate function."""
        return bool(self.raw.get("aggregatable", self.filterable))

    @cached_property
    def unique(self) -> bool:
        """No two records may hold the same value."""
        return bool(self.raw.get("unique"))

    @cached_property
    def external_id(self) -> bool:
        """Declared an external id."""
        return bool(self.raw.get("externalId"))

    @cached_property
    def id_lookup(self) -> bool:
        """Usable as the key of an upsert."""
        return self.external_id or bool(self.raw.get("idLookup"))

    @cached_property
    def case_sensitive(self) -> bool:
        """Compared with regard to case."""
        return bool(self.raw.get("caseSensitive"))

    @cached_property
    def references(self) -> tuple[str, ...]:
        """The objects a reference may point at."""
        return tuple(self.raw.get("referenceTo") or ())

    @cached_property
    def relationship(self) -> str | None:
        """The name a reference goes by in SOQL paths."""
        name = self.raw.get("relationshipName")
        return str(name) if name and self.type == "reference" else None

    @cached_property
    def compound(self) -> str | None:
        """The compound field this one is a part of."""
        name = self.raw.get("compoundFieldName")
        return str(name) if name else None

    @cached_property
    def picklist(self) -> tuple[Mapping[str, Any], ...]:
        """The picklist entries, inactive ones included."""
        return tuple(self.raw.get("picklistValues") or ())

    @cached_property
    def restricted(self) -> bool:
        """A picklist that refuses values it does not list."""
        return bool(self.raw.get("restrictedPicklist"))

    @cached_property
    def controller(self) -> str | None:
        """The field whose value restricts this picklist."""
        name = self.raw.get("controllerName")
        return str(name) if name and self.raw.get("dependentPicklist") else None

    @cached_property
    def numeric(self) -> bool:
        """A number of any kind."""
        return self.type in NUMBER_TYPES

    @cached_property
    def indexed(self) -> bool:
        """Looked up through the value index rather than by reading every record."""
        return (
            self.type in {"reference", "email", "phone"}
            or self.unique
            or self.id_lookup
            or self.name.lower() in INDEXED_NAMES
        ) and self.type != "id"

    def default_value(self) -> Any:
        """What a new record gets when the field is left out: default entry, default, or None."""
        for entry in self.picklist:
            if entry.get("defaultValue") and entry.get("active", True):
                return entry["value"]
        default = self.raw.get("defaultValue")
        if self.type == "boolean":
            return default is True or default == "true"
        return default


def controlling_indexes(valid_for: str) -> list[int]:
    """The positions of the controller's values that a ``validFor`` bitmap allows, MSB first."""
    bitmap = base64.b64decode(valid_for)
    return [i for i in range(len(bitmap) * 8) if bitmap[i >> 3] >> (7 - (i & 7)) & 1]


@dataclass(frozen=True, slots=True)
class ChildRelationship:
    """One entry of ``childRelationships`` that has a name."""

    name: str
    child: str
    field: str
    cascade: bool


def _invented(name: str, attempt: int) -> str:
    """A key prefix such as custom objects have, out of the object's name."""
    number = sum(map(ord, name)) % 26 + 26 * attempt
    return f"a{number // 26}{chr(ord('A') + number % 26)}"


def key_prefixes(described: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """A prefix of its own for each object whose recording has none and that has no known one."""
    known = {name: body.get("keyPrefix") or PREFIXES.get(name) for name, body in described.items()}
    taken = {prefix for prefix in known.values() if prefix}
    found: dict[str, str] = {}
    for name in sorted(name for name, prefix in known.items() if not prefix):
        attempt = 0
        while (prefix := _invented(name, attempt)) in taken:
            attempt += 1
        taken.add(prefix)
        found[name] = prefix
    return found


class ObjectSchema:
    """One object: its describe dict and the lookups the engine needs, by lower-case name.

    ``own`` is the package's description of the same object, asked for keys of fields that an old or
    trimmed recording lacks; ``prefix`` stands in for a key prefix that was not recorded.
    """

    def __init__(
        self,
        describe: Mapping[str, Any],
        own: Mapping[str, Any] | None = None,
        prefix: str | None = None,
    ) -> None:
        known = {entry["name"]: entry for entry in (own or {}).get("fields", ())}
        self.raw = describe
        self.name = str(describe["name"])
        self._prefix = prefix
        self.fields: dict[str, FieldSchema] = {}
        self.relationships: dict[str, FieldSchema] = {}
        for raw in describe.get("fields") or ():
            found = FieldSchema(raw, known.get(raw["name"], {}))
            self.fields[found.name.lower()] = found
            if found.relationship:
                self.relationships[found.relationship.lower()] = found
        self.children: dict[str, ChildRelationship] = {}
        for child in describe.get("childRelationships") or ():
            if child.get("relationshipName"):
                self.children[child["relationshipName"].lower()] = ChildRelationship(
                    str(child["relationshipName"]),
                    str(child["childSObject"]),
                    str(child["field"]),
                    bool(child.get("cascadeDelete")),
                )

    @cached_property
    def prefix(self) -> str:
        """The key prefix: the recorded one, the known one, or one like a custom object's."""
        known = self.raw.get("keyPrefix") or PREFIXES.get(self.name)
        return str(known or self._prefix or _invented(self.name, 0))

    @cached_property
    def indexed(self) -> tuple[FieldSchema, ...]:
        """The fields kept in the value index."""
        return tuple(field for field in self.fields.values() if field.indexed)

    @cached_property
    def by_default(self) -> tuple[FieldSchema, ...]:
        """The fields a new record fills in by itself."""
        return tuple(f for f in self.fields.values() if f.default_value() is not None)

    @cached_property
    def title_field(self) -> str | None:
        """The name field, e.g. ``Name`` or ``CaseNumber``."""
        for field in self.fields.values():
            if field.raw.get("nameField"):
                return field.name
        for name in ("Name", "CaseNumber", "Subject"):
            if name.lower() in self.fields:
                return name
        return None

    def field(self, name: str) -> FieldSchema | None:
        """The field of that name in any case."""
        return self.fields.get(name.lower())

    def allows(self, operation: str) -> bool:
        """Whether the recorded describe allows ``createable``, ``queryable``, and so on."""
        return bool(self.raw.get(operation, True))
