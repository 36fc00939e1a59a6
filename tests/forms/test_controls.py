"""One row a case: what is typed, what Salesforce is sent, what people are told."""

from __future__ import annotations

import re
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from keeping_plugin.forms.record import RecordForm, record_form
from keeping_plugin.types import FieldSpec, PicklistValue, Value
from tests.forms.samples import of_fields, spec

_NAME = "Field__c"


def _form(field: FieldSpec, typed: list[str] | None, before: Value = None) -> RecordForm:
    sent = None
    if typed is not None:
        sent = MultiDict([(f"sf_{field.name}", text) for text in typed])
    return record_form(of_fields(field), (field.name,))(sent, values={field.name: before})


_NUMBER: dict[str, Any] = {"precision": 8, "scale": 2}


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        (spec("string", length=10), " two words ", "two words"),
        (spec("string", length=10), "a\x00b\x07c", "abc"),
        (spec("string", length=10), "x" * 10, "x" * 10),
        (spec("string"), "‮rtl <b>", "‮rtl <b>"),
        (spec("textarea", length=100), "one\r\ntwo\rthree", "one\ntwo\nthree"),
        (spec("email", length=80), "Jane@Example.com", "Jane@Example.com"),
        (spec("email", length=80), "jane@münchen.example", "jane@münchen.example"),
        (spec("phone", length=40), "+49 (30) 123", "+49 (30) 123"),
        (spec("url", length=255), "www.example.com/ä", "www.example.com/ä"),
        (spec("int", digits=8), "42", 42),
        (spec("int", digits=8), " 1,234 ", 1234),
        (spec("int", digits=8), "−7", -7),
        (spec("double", **_NUMBER), "1234.5", 1234.5),
        (spec("currency", **_NUMBER), "12,500.50", 12500.5),
        (spec("currency", **_NUMBER), "10.00", 10),
        (spec("percent", precision=3, scale=0), "55", 55),
        (spec("date"), "2024-02-29", "2024-02-29"),
        (spec("datetime"), "2026-05-06T14:30", "2026-05-06T14:30:00.000+0000"),
        (spec("datetime"), "2026-05-06T14:30:15", "2026-05-06T14:30:15.000+0000"),
        (spec("time"), "14:30", "14:30:00.000Z"),
        (spec("reference", reference_to=("Account",)), "001dM00001wBXYDQA4", "001dM00001wBXYDQA4"),
        (spec("encryptedstring", length=20), "secret", "secret"),
    ],
)
def test_what_is_typed_is_sent_as_salesforce_takes_it(
    field: FieldSpec, typed: str, value: Value
) -> None:
    form = _form(field, [typed])
    assert form.validate(), form.problems()
    assert form.changes() == {_NAME: value}


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        (spec("string", length=10), "x" * 11, "11 characters is too long: the limit is 10"),
        (spec("string", length=3), "😀😀", "the limit is 3"),
        (spec("textarea", length=32000), "x" * 32001, "32,001 characters"),
        (spec("email", length=80), "jane@", "Enter an email address"),
        (spec("email", length=80), "a@b.example, c@d.example", "Enter an email address"),
        (spec("email", length=80), "x" * 60 + "@" + "y" * 30 + ".example", "the limit is 80"),
        (spec("int", digits=3), "1234", "at most 3 digits"),
        (spec("int", digits=8), "1.5", "Enter a whole number"),
        (spec("int", digits=8), "many", "Enter a number"),
        (spec("double", **_NUMBER), "1e400", "before the point"),
        (spec("double", **_NUMBER), "NaN", "Enter a number"),
        (spec("double", **_NUMBER), "12,5", "point before the decimals"),
        (spec("double", **_NUMBER), "1.234", "at most 2 digits after"),
        (spec("double", **_NUMBER), "1234567", "at most 6 digits before"),
        (spec("percent", precision=3, scale=0), "5.5", "Enter a whole number"),
        (spec("date"), "29.2.2024", "Enter a date, such"),
        (spec("date"), "2023-02-29", "Enter a date, such"),
        (spec("date"), "1066-10-14", "1700"),
        (spec("datetime"), "tomorrow", "Enter a date and a time"),
        (spec("time"), "25:00", "Enter a time"),
        (spec("reference", reference_to=("Account",)), "//evil.example/x", "Choose a record"),
        (spec("reference", reference_to=("Account",)), "../Account/001", "Choose a record"),
    ],
)
def test_what_cannot_be_saved_is_refused_with_a_sentence_and_kept(
    field: FieldSpec, typed: str, words: str
) -> None:
    form = _form(field, [typed], "before" if field.type == "string" else None)
    assert not form.validate()
    assert re.search(words, form.problems()[_NAME][0])
    control = form.control(_NAME)
    assert control is not None
    if field.type != "reference":
        assert control._value() == typed


@pytest.mark.parametrize("before", [None, ""])
def test_an_empty_field_that_was_empty_is_no_change(before: Value) -> None:
    form = _form(spec("string", length=10), ["  "], before)
    assert form.validate()
    assert form.changes() == {}


def test_clearing_a_value_sends_null() -> None:
    form = _form(spec("string", length=10), [""], "old")
    assert form.validate()
    assert form.changes() == {_NAME: None}


def test_clearing_what_salesforce_requires_is_refused() -> None:
    form = _form(spec("string", length=10, nillable=False), [""], "old")
    assert not form.validate()
    assert form.problems() == {_NAME: ["Field is required."]}


def test_a_missing_input_changes_nothing() -> None:
    for kind in ("string", "boolean", "multipicklist", "int", "reference", "datetime"):
        form = _form(spec(kind), [], True if kind == "boolean" else "a;b")
        assert form.validate(), kind
        assert form.changes() == {}, kind


@pytest.mark.parametrize(
    ("before", "typed", "changes"),
    [
        (True, [""], {_NAME: False}),
        (False, ["", "true"], {_NAME: True}),
        (True, ["", "true"], {}),
        (False, [""], {}),
    ],
)
def test_a_checkbox_tells_unticked_from_not_asked(
    before: Value, typed: list[str], changes: dict[str, Value]
) -> None:
    form = _form(spec("boolean", nillable=False), typed, before)
    assert form.validate()
    assert form.changes() == changes


_COLOURS = (
    PicklistValue("r", "Red"),
    PicklistValue("g", "Green", active=False),
    PicklistValue("b", "Blue"),
)


@pytest.mark.parametrize(
    ("before", "typed", "problem"),
    [
        (None, "b", ""),
        (None, "g", "one of the listed values"),
        (None, "purple", "one of the listed values"),
        ("g", "r", ""),
        ("mauve", "", ""),
    ],
)
def test_a_picklist_takes_its_active_values(before: Value, typed: str, problem: str) -> None:
    form = _form(spec("picklist", picklist=_COLOURS, restricted=True), [typed], before)
    assert form.validate() is not bool(problem)
    if problem:
        assert problem in form.problems()[_NAME][0]


@pytest.mark.parametrize("own", ["g", "mauve"])
def test_a_retired_value_on_the_record_stays_selectable(own: str) -> None:
    field = spec("picklist", picklist=_COLOURS, restricted=True)
    form = _form(field, None, own)
    control = form.control(_NAME)
    assert control is not None
    assert f'<option selected value="{own}">' in str(control())
    assert "(no longer available)" in str(control())
    # Chosen again after a look at another one, in the same form.
    assert _form(field, [own], own).validate()


def test_several_values_travel_with_semicolons_in_any_order() -> None:
    field = spec("multipicklist", picklist=_COLOURS)
    assert _form(field, ["", "b", "r"], "r").changes() == {_NAME: "b;r"}
    assert _form(field, ["", "b", "r"], "r;b").changes() == {}
    assert _form(field, [""], "r;b").changes() == {_NAME: None}
    assert _form(field, ["", "g"], "g").validate()
    assert not _form(field, ["", "purple"], "g").validate()


def test_a_combobox_takes_free_text_and_suggests() -> None:
    field = spec("combobox", picklist=_COLOURS, length=40)
    form = _form(field, ["Something else"])
    assert form.validate()
    control = form.control(_NAME)
    assert control is not None
    assert '<option value="r">Red</option>' in str(control())
    assert "Green" not in str(control())


def test_an_unknown_type_is_shown_and_never_written() -> None:
    form = _form(spec("hologram"), ["changed"], "<as it is>")
    assert form.validate()
    assert form.changes() == {}
    control = form.control(_NAME)
    assert control is not None
    assert "&lt;as it is&gt;" in str(control())


def test_a_value_that_never_fit_is_left_alone() -> None:
    """Imported long ago, or by a trigger: only a change is checked."""
    form = _form(spec("string", length=3), ["much too long"], "much too long")
    assert form.validate()
    assert form.changes() == {}


def test_geolocation_parts_have_their_own_range() -> None:
    whole = spec("location", name="Spot__c", createable=False, updateable=False)
    parts = [
        spec("double", name=f"Spot__{part}__s", compound="Spot__c", precision=18, scale=15)
        for part in ("Latitude", "Longitude")
    ]
    form = record_form(of_fields(whole, *parts), ("Spot__c",))
    sent = MultiDict({"sf_Spot__Latitude__s": "90.5", "sf_Spot__Longitude__s": "179.9"})
    made = form(sent, values={})
    assert not made.validate()
    assert set(made.problems()) == {"Spot__Latitude__s"}
    assert [group.names for group in form.groups] == [("Spot__Latitude__s", "Spot__Longitude__s")]


def test_hostile_labels_values_and_choices_are_escaped() -> None:
    evil = '"><script>alert(1)</script>'
    picklist = (PicklistValue(evil, evil),)
    fields = [
        spec(kind, name=f"F{number}", label=evil, help_text=evil, picklist=picklist)
        for number, kind in enumerate(("string", "textarea", "picklist", "multipicklist"))
    ]
    fields += [spec("combobox", name="F9", picklist=picklist), spec("reference", name="F8")]
    schema = of_fields(*fields)
    form = record_form(schema, tuple(schema.fields))(
        None, values=dict.fromkeys(schema.fields, evil)
    )
    assert "<script" not in "".join(str(control()) for _, control in form.controls())
