"""What changed between two describes of one object, as an admin would put it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from keeping_plugin.types import FieldSpec, ObjectSchema


class Kind(StrEnum):
    NEW = "new"
    REMOVED = "removed"  # deleted, or hidden from the connecting user: describe cannot tell
    RETYPED = "retyped"
    REQUIRED = "required"
    OPTIONAL = "optional"
    READ_ONLY = "read_only"
    UNFILTERABLE = "unfilterable"  # of email fields: people may be found by them
    HIDDEN = "hidden"  # the whole object
    SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one field, or of the whole object where `field` is empty. `required`: until
    now Salesforce saved no record without the field (of REMOVED only)."""

    kind: Kind
    field: str = ""
    label: str = ""
    was: str = ""
    now: str = ""
    required: bool = False


def compare(before: ObjectSchema | None, after: ObjectSchema | None) -> tuple[Change, ...]:
    """Every change that matters to a choice of fields, in the order of the fields."""
    if before is None or after is None:
        if before is None and after is not None:
            return (Change(Kind.SHOWN, label=after.label_plural),)
        if before is not None:
            return (Change(Kind.HIDDEN, label=before.label_plural),)
        return ()
    return tuple(_compare(before.fields, after.fields))


def _compare(before: Mapping[str, FieldSpec], after: Mapping[str, FieldSpec]) -> Iterator[Change]:
    for name, old in before.items():
        if name not in after:
            yield Change(Kind.REMOVED, name, old.label, required=old.required)
    for name, new in after.items():
        was = before.get(name)
        if was is None:
            yield Change(Kind.NEW, name, new.label, now=new.type)
            if new.required:
                yield Change(Kind.REQUIRED, name, new.label)
            continue
        if was.type != new.type:
            yield Change(Kind.RETYPED, name, new.label, was=was.type, now=new.type)
        if was.required != new.required:
            yield Change(Kind.REQUIRED if new.required else Kind.OPTIONAL, name, new.label)
        if new.type == "email" and was.filterable and not new.filterable:
            yield Change(Kind.UNFILTERABLE, name, new.label, was=was.type, now=new.type)
        if was.updateable and not new.updateable:
            yield Change(Kind.READ_ONLY, name, new.label)


def kept(changes: Collection[Change]) -> list[dict[str, Any]]:
    """As JSON values. Processes of 0.1.0 read them too, and know no `UNFILTERABLE`: it is kept as a
    change of the type to itself."""
    return [asdict(change) | {"kind": _KEPT.get(change.kind, change.kind)} for change in changes]


def restored(values: Collection[Mapping[str, Any]]) -> tuple[Change, ...]:
    """The changes that `kept` wrote."""
    return tuple(Change(**{**value, "kind": _kind(value)}) for value in values)


_KEPT = {Kind.UNFILTERABLE: Kind.RETYPED}


def _kind(value: Mapping[str, Any]) -> Kind:
    kind = Kind(value["kind"])
    return Kind.UNFILTERABLE if kind is Kind.RETYPED and value["was"] == value["now"] else kind
