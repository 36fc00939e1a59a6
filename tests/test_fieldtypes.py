"""One table of field types: complete, and read by everything that treats types differently."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keeping_plugin.fieldtypes import FIELD_TYPES, ControlKind, FieldType, ShownAs, field_type
from keeping_plugin.forms.controls import ReadOnlyControl
from keeping_plugin.forms.fields import CONTROLS
from keeping_plugin.services.panel.display import of_value
from keeping_plugin.types import FieldSpec, PicklistValue, Value
from keeping_plugin.types.describe_result import schema_of
from salesforce_simulator import describe

_RED = (PicklistValue("r", "Red"),)
# What Salesforce's JSON holds, and what an agent reads.
_SAMPLES: dict[ShownAs, tuple[Value, str, str]] = {
    ShownAs.NOTHING: ("0", "0", ""),
    ShownAs.TEXT: ("word", "word", ""),
    ShownAs.LABEL: ("r", "Red", ""),
    ShownAs.LABELS: ("r;x", "Red, x", ""),
    ShownAs.YES_NO: (True, "Yes", ""),
    ShownAs.NUMBER: (1234.5, "1,234.5", ""),
    ShownAs.WHOLE_NUMBER: (1234, "1,234", ""),
    ShownAs.AMOUNT: (1234.5, "1,234.50", ""),
    ShownAs.PERCENT: (12.5, "12.5 %", ""),
    ShownAs.DAY: ("2026-05-06", "6 May 2026", ""),
    ShownAs.MOMENT: ("2026-05-06T14:30:00.000+0000", "6 May 2026, 14:30 UTC", ""),
    ShownAs.TIME: ("14:30:00.000Z", "14:30", ""),
    ShownAs.MAIL_LINK: ("jane@acme.example", "jane@acme.example", "mailto:jane@acme.example"),
    ShownAs.DIAL_LINK: ("+49 30 123", "+49 30 123", "tel:+4930123"),
    ShownAs.WEB_LINK: ("acme.example", "acme.example", "https://acme.example"),
    ShownAs.NAME: ("003000000000001", "003000000000001", ""),
    ShownAs.ADDRESS: ({"street": "1 Main", "city": "X"}, "1 Main\nX", ""),
    ShownAs.COORDINATES: ({"latitude": 1.5, "longitude": 2.5}, "1.5, 2.5", ""),
}


def _shipped() -> Iterator[dict[str, Any]]:
    for name in describe.names():
        yield describe.load(name)
        yield describe.load(name, person_accounts=True)


def _types(bodies: Iterator[dict[str, Any]]) -> set[str]:
    return {
        field.type
        for body in bodies
        for field in schema_of(body, body.get("name", "")).fields.values()
    }


def test_every_type_of_the_shipped_describes_has_a_row() -> None:
    found = _types(_shipped())
    assert len(found) > 10
    assert found <= FIELD_TYPES.keys()


def test_every_type_of_the_recorded_describes_has_a_row(shared: Path) -> None:
    paths = sorted((shared / "salesforce" / "describe").glob("*/*.json"))
    bodies = [body for path in paths if "fields" in (body := json.loads(path.read_text("utf-8")))]
    found = _types(iter(bodies))
    assert len(found) > 10
    assert found <= FIELD_TYPES.keys()


@pytest.mark.parametrize("row", FIELD_TYPES.values(), ids=str)
def test_every_row_is_complete(row: FieldType) -> None:
    assert row.label
    assert (CONTROLS[row.control] is not ReadOnlyControl) == row.writable
    assert row.offered or not row.writable
    value, text, href = _SAMPLES[row.shown]
    spec = FieldSpec(name="F", label="F", type=row.name, scale=2, picklist=_RED)
    assert of_value(spec, value) == (text, href)


def test_every_kind_of_control_and_way_to_show_a_value_is_used() -> None:
    assert {row.control for row in FIELD_TYPES.values()} == set(ControlKind) == CONTROLS.keys()
    assert {row.shown for row in FIELD_TYPES.values()} == set(ShownAs)


def test_a_type_that_salesforce_has_added_since_is_shown_as_text_and_left_alone() -> None:
    row = field_type("hologram")
    assert (row.label, row.writable, row.compound, row.offered) == ("hologram", False, False, True)
    spec = FieldSpec(name="F", label="F", type="hologram")
    assert of_value(spec, "as it is") == ("as it is", "")
