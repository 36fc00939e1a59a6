"""Describe results to build forms from, and a value of every type."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from keeping_plugin.types import FieldSpec, ObjectSchema, PicklistValue, Value
from keeping_plugin.types.describe_result import schema_of
from salesforce_simulator.describe import load, names
from tests.servers.needs import ROOT


def recorded() -> list[Path]:
    """The recorded describes beside the checkout; none where there are none."""
    import os

    folder = Path(os.environ.get("KEEPING_SHARED_DIR", ROOT.parent / "shared"))
    return sorted((folder / "salesforce" / "describe").glob("*/*.json"))


@cache
def schema(name: str, *, person_accounts: bool = False) -> ObjectSchema:
    """One of the package's own set."""
    return schema_of(load(name, person_accounts=person_accounts), name)


def own() -> tuple[str, ...]:
    """Names of the package's own set."""
    return names()


def read(path: Path) -> ObjectSchema:
    """A recorded describe."""
    return schema_of(json.loads(path.read_text("utf-8")), path.stem)


def spec(type: str, **given: Any) -> FieldSpec:
    """A field that may be written."""
    given = {"name": "Field__c", "label": "Field", "createable": True, "updateable": True} | given
    return FieldSpec(type=type, **given)


def of_fields(*specs: FieldSpec, **given: Any) -> ObjectSchema:
    """An object of these fields."""
    given = {"name": "Thing__c", "label": "Thing", "label_plural": "Things"} | given
    given = {"key_prefix": "a00", "createable": True, "updateable": True, "queryable": True} | given
    return ObjectSchema(fields={one.name: one for one in specs}, **given)


def values(*entries: str, **valid_for: tuple[int, ...]) -> tuple[PicklistValue, ...]:
    """Active picklist entries; `valid_for` by value."""
    return tuple(
        PicklistValue(entry, entry.title(), valid_for=valid_for.get(entry)) for entry in entries
    )


def a_value(field: FieldSpec) -> Value:
    """A value as Salesforce might hold it: awkward where the type allows it."""
    if field.type in ("picklist", "multipicklist"):
        offered = [entry.value for entry in field.picklist]
        if field.type == "picklist":
            # Now and then one that was retired long ago.
            return offered[-1] if offered and len(field.name) % 2 else "Retired <long> ago"
        return ";".join(offered[:2]) or "Retired; one"
    return _AWKWARD.get(field.type, '<b>"odd" & ends</b>')


_AWKWARD: dict[str, Value] = {
    "boolean": True,
    "int": 1234567,
    "long": 12345678901,
    "double": 52.520008,
    "currency": 12500.5,
    "percent": 12.5,
    "date": "2024-02-29",
    "datetime": "2022-02-26T22:47:14.123+0000",
    "time": "14:30:00.000Z",
    "textarea": "\nfirst\r\nsecond <i>line</i>\n\n  end",
    "email": "o'brien+x@exämple.com",
    "reference": "001dM00001wBXYDQA4",
    "phone": "+49 (0) 30 / 123-45",
    "url": "javascript:alert(1)",
    "address": {"street": "1 <Main>", "city": "X", "state": None},
    "location": {"latitude": 52.5, "longitude": 13.4},
    "anyType": "whatever",
}
