"""Picklists that depend on another field, with and without JavaScript."""

from __future__ import annotations

import lxml.html
import pytest
from werkzeug.datastructures import MultiDict

from keeping_plugin.forms.record import RecordForm, record_form
from keeping_plugin.types import ObjectSchema, PicklistValue, Value
from keeping_plugin.types.describe_result import valid_for
from tests.forms.samples import of_fields, spec, values

_COUNTRIES = (
    PicklistValue("DE", "Germany"),
    PicklistValue("YU", "Yugoslavia", active=False),
    PicklistValue("FR", "France"),
)
_CITIES = (
    PicklistValue("B", "Berlin", valid_for=(0,)),
    PicklistValue("S", "Strasbourg", valid_for=(0, 2)),
    PicklistValue("P", "Paris", valid_for=(2,)),
)
_SCHEMA = of_fields(
    spec("picklist", name="Country__c", label="Country", picklist=_COUNTRIES),
    spec("picklist", name="City__c", label="City", picklist=_CITIES, controller="Country__c"),
)


def _form(sent: dict[str, str] | None, *names: str, **before: Value) -> RecordForm:
    data = None if sent is None else MultiDict({f"sf_{k}__c": v for k, v in sent.items()})
    made = record_form(_SCHEMA, names or ("Country__c", "City__c"))
    return made(data, values={f"{name}__c": value for name, value in before.items()})


@pytest.mark.parametrize(
    ("bits", "indexes"),
    [("gAAA", (0,)), ("QAAA", (1,)), ("AEAA", (9,)), ("hAAA", (0, 5)), ("AAAAAgAA", (30,))],
)
def test_the_bitmap_counts_from_the_most_significant_bit(bits: str, indexes: tuple[int]) -> None:
    assert valid_for(bits) == indexes


@pytest.mark.parametrize(
    ("country", "city", "fits"),
    [("DE", "B", True), ("DE", "S", True), ("FR", "S", True), ("FR", "B", False), ("", "P", False)],
)
def test_a_value_has_to_go_with_its_controlling_value(country: str, city: str, fits: bool) -> None:
    form = _form({"Country": country, "City": city})
    assert form.validate() is fits
    if not fits:
        assert "is not available for Country" in form.problems()["City__c"][0]


def test_a_new_controlling_value_questions_the_old_choice() -> None:
    form = _form({"Country": "FR", "City": "B"}, Country="DE", City="B")
    assert not form.validate()
    assert form.problems() == {"City__c": ["“Berlin” is not available for Country “France”."]}


def test_a_pair_that_never_fitted_is_left_alone_untouched() -> None:
    form = _form({"Country": "FR", "City": "B"}, Country="FR", City="B")
    assert form.validate()
    assert form.changes() == {}


def test_groups_tell_without_javascript_what_goes_with_what() -> None:
    form = _form(None, Country="DE", City="S")
    select = lxml.html.fromstring(str(form["sf_City__c"]()))
    groups = {
        group.get("label"): [option.get("value") for option in group]
        for group in select.iterfind("optgroup")
    }
    assert groups == {"Germany": ["B", "S"], "France": ["S", "P"]}
    chosen = [option for option in select.iter("option") if option.get("selected") is not None]
    assert [option.getparent().get("label") for option in chosen] == ["Germany"]
    assert 'data-k-controls="sf_City__c"' in str(form["sf_Country__c"]())


def test_alone_it_offers_what_goes_with_the_record() -> None:
    form = _form(None, "City__c", Country="FR", City="P")
    select = lxml.html.fromstring(str(form["sf_City__c"]()))
    assert [option.get("value") for option in select.iter("option")] == ["", "S", "P"]
    assert not _form({"City": "B"}, "City__c", Country="FR", City="P").validate()
    assert _form({"City": "S"}, "City__c", Country="FR", City="P").validate()


@pytest.mark.parametrize(
    ("names", "country", "sentence"),
    [
        ((), "FR", "The choices depend on Country."),
        (("City__c",), "FR", "Choices for Country “France”."),
        (("City__c",), None, "The choices depend on Country, which is empty: fill that in first."),
        (("Country__c",), "FR", ""),
    ],
)
def test_it_is_said_on_what_the_choices_depend(
    names: tuple[str, ...], country: Value, sentence: str
) -> None:
    form = _form(None, *names, Country=country, City=None)
    *_, (_, last) = form.controls()
    assert last.depends == sentence


def test_a_checkbox_controls_too() -> None:
    schema = of_fields(
        spec("boolean", name="Big__c", label="Big"),
        spec(
            "picklist",
            name="Size__c",
            picklist=values("S", "L", S=(0,), L=(1,)),
            controller="Big__c",
        ),
    )
    made = record_form(schema, ("Big__c", "Size__c"))
    fits = MultiDict([("sf_Big__c", ""), ("sf_Big__c", "true"), ("sf_Size__c", "L")])
    assert made(fits, values={"Big__c": False}).validate()
    odd = MultiDict([("sf_Big__c", ""), ("sf_Size__c", "L")])
    assert not made(odd, values={"Big__c": False}).validate()


def test_a_record_types_own_values_keep_what_they_depend_on() -> None:
    made = record_form(_SCHEMA, ("Country__c", "City__c"))
    own = {"City__c": [PicklistValue("S", "Strasbourg"), PicklistValue("X", "Extra")]}
    form = made(None, values={"Country__c": "DE"}, picklists=own)
    assert 'value="B"' not in str(form["sf_City__c"]())
    sent = MultiDict({"sf_Country__c": "DE", "sf_City__c": "B"})
    assert not made(sent, values={}, picklists=own).validate()
    sent = MultiDict({"sf_Country__c": "DE", "sf_City__c": "S"})
    assert made(sent, values={}, picklists=own).validate()


def test_a_chain_of_three_is_decoded_from_a_recorded_describe(shared: object) -> None:
    from tests.forms.samples import read, recorded

    path = next(path for path in recorded() if path.parent.name == "swiftly-salesforce")
    schema: ObjectSchema = read(path)
    city = schema.fields["playgroundorg__Controlled_Picklist__c"]
    controller = schema.fields[city.controller]
    pairs = {
        controller.picklist[index].value: sorted(
            value.value for value in city.picklist if index in (value.valid_for or ())
        )
        for index in range(len(controller.picklist))
    }
    assert any(pairs.values())
    for above, below in pairs.items():
        for value in city.picklist:
            sent = MultiDict({f"sf_{city.controller}": above, f"sf_{city.name}": value.value})
            form = record_form(schema, (city.controller, city.name))(sent, values={})
            assert form.validate() is (value.value in below), (above, value.value)
