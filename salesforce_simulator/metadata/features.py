"""Features an org may have: the objects, fields and child relationships that each one adds.

An org of the package's own describes starts without them. A describe folder may hold some of the
objects already; these stay as they were recorded, and only keys they lack are filled in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from salesforce_simulator.metadata.describing import complete_field, complete_object

#: Types of the fields of ``objects_of`` that hold ids of several records: lists in JSON.
JUNCTION = "junctionIdList"


@dataclass(frozen=True, slots=True)
class Child:
    """A child relationship of ``parent``; ``name`` is None for one that no query can use."""

    parent: str
    child: str
    field: str
    name: str | None
    cascade: bool = False
    junctions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feature:
    """What a feature adds. ``fields`` are of objects that are there without it."""

    objects: tuple[Mapping[str, Any], ...] = ()
    fields: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    children: tuple[Child, ...] = ()


def add_feature(described: dict[str, dict[str, Any]], feature: Feature) -> set[str]:
    """Put into the describes what they lack of a feature; the names of the objects concerned."""
    changed = set()
    for body in feature.objects:
        name = str(body["name"])
        changed.add(name)
        described.setdefault(name, {**body, "fields": list(body["fields"])})
    for name, raw in feature.fields:
        if name in described:
            changed.add(name)
            fields = described[name]["fields"]
            if all(known["name"] != raw["name"] for known in fields):
                described[name]["fields"] = [*fields, raw]
    for child in feature.children:
        if child.parent in described and child.child in described:
            changed.add(child.parent)
            _add_child(described[child.parent], child)
    return changed


def _add_child(parent: dict[str, Any], child: Child) -> None:
    known = list(parent.get("childRelationships") or ())
    if any(one["childSObject"] == child.child and one["field"] == child.field for one in known):
        return
    known.append(
        {
            "cascadeDelete": child.cascade,
            "childSObject": child.child,
            "deprecatedAndHidden": False,
            "field": child.field,
            "junctionIdListNames": list(child.junctions),
            "junctionReferenceTo": ["Contact", "Lead", "User"] if child.junctions else [],
            "relationshipName": child.name,
            "restrictedDelete": False,
        }
    )
    parent["childRelationships"] = known


#: name, label, type, length, properties: C createable, U updateable, F filterable, L idLookup,
#: N nillable, D defaulted on create.
Spec = tuple[str, str, str, int, str]


def described_object(
    name: str, label: str, prefix: str, specs: Iterable[Spec], more: Mapping[str, Any], **flags: Any
) -> dict[str, Any]:
    """A describe result out of the table of an object's fields. ``more`` holds, by field name, the
    keys that the table has no column for."""
    fields = [
        described_field(spec, more.get(spec[0], {})) for spec in (*system_fields(label), *specs)
    ]
    return complete_object(name, label, prefix, fields, **flags)


def described_field(spec: Spec, more: Mapping[str, Any]) -> dict[str, Any]:
    """One field of the table."""
    name, label, kind, length, properties = spec
    filterable = "F" in properties
    given: dict[str, Any] = {
        "name": name,
        "label": label,
        "type": kind,
        "createable": "C" in properties,
        "updateable": "U" in properties,
        "filterable": filterable,
        "sortable": filterable,
        "groupable": filterable and kind != "datetime",
        "aggregatable": filterable and kind != "boolean",
        "idLookup": "L" in properties,
        "nillable": "N" in properties,
        "defaultedOnCreate": "D" in properties,
    }
    if length:
        given["length"] = length
    return complete_field(given | dict(more))


def system_fields(label: str) -> tuple[Spec, ...]:
    """The fields every object has."""
    return (
        ("Id", f"{label} ID", "id", 18, "FDL"),
        ("IsDeleted", "Deleted", "boolean", 0, "FD"),
        ("CreatedDate", "Created Date", "datetime", 0, "FD"),
        ("CreatedById", "Created By ID", "reference", 18, "FD"),
        ("LastModifiedDate", "Last Modified Date", "datetime", 0, "FD"),
        ("LastModifiedById", "Last Modified By ID", "reference", 18, "FD"),
        ("SystemModstamp", "System Modstamp", "datetime", 0, "FD"),
    )


#: Where the references of ``system_fields`` lead.
BY = {
    "CreatedById": {"referenceTo": ["User"], "relationshipName": "CreatedBy"},
    "LastModifiedById": {"referenceTo": ["User"], "relationshipName": "LastModifiedBy"},
}
