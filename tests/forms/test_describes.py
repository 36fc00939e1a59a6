"""Every describe there is gives a form for new records and one for those at hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.datastructures import MultiDict

from keeping_plugin.forms.record import defaults, record_form
from keeping_plugin.types import ObjectSchema
from tests.forms import samples
from tests.forms.printed import markup, untouched
from tests.servers.needs import NO_SHARED

_RECORDED = samples.recorded()
_SOURCES: list[object] = [
    pytest.param(lambda path=path: samples.read(path), id=f"{path.parent.name}-{path.stem}")
    for path in _RECORDED
] or [pytest.param(None, id="recorded", marks=pytest.mark.skip(reason=NO_SHARED))]
_SOURCES += [pytest.param(lambda n=name: samples.schema(n), id=name) for name in samples.own()]
_SOURCES += [
    pytest.param(lambda n=name: samples.schema(n, person_accounts=True), id=f"person-{name}")
    for name in ("Account", "Contact", "Lead")
]

Source = Callable[[], ObjectSchema]


@pytest.mark.parametrize("source", _SOURCES)
def test_an_edit_form_prints_what_it_read_and_changes_nothing_untouched(source: Source) -> None:
    schema = source()
    values = {name: samples.a_value(spec) for name, spec in schema.fields.items()}
    form = record_form(schema, tuple(schema.fields))(None, values=values)
    sent = untouched(form)
    # The record may have moved on meanwhile: what was printed still counts as untouched.
    for now in (values, dict.fromkeys(values)):
        again = record_form(schema, tuple(schema.fields))(sent, values=now)
        assert again.validate(), again.problems()
        assert again.changes() == {}
        assert again.overwritten(now) == []


@pytest.mark.parametrize("source", _SOURCES)
def test_no_chosen_field_is_dropped_from_an_edit_form(source: Source) -> None:
    schema = source()
    form = record_form(schema, tuple(schema.fields))(None, values={})
    shown = {name for group in form.groups for name in (group.name, *group.names)}
    assert shown == set(schema.fields)


@pytest.mark.parametrize("source", _SOURCES)
def test_a_create_form_asks_for_what_salesforce_requires(source: Source) -> None:
    schema = source()
    made = record_form(schema, (), creating=True)
    # A checkbox always says something.
    needed = (spec for spec in schema.fields.values() if spec.type != "boolean")
    required = {spec.name for spec in needed if spec.required}
    form = made(MultiDict(), values={})
    assert {name for name, control in form.controls() if control.required} == required
    assert form.validate() is not bool(required)
    assert set(form.problems()) == required


@pytest.mark.parametrize("source", _SOURCES)
def test_a_create_form_renders_and_sends_what_is_filled_in(source: Source) -> None:
    schema = source()
    made = record_form(schema, tuple(schema.fields), creating=True)
    form = made(None, values=defaults(made))
    assert markup(form) or not any(spec.createable for spec in schema.fields.values())
    filled = {
        spec.name: samples.a_value(spec)
        for spec in schema.fields.values()
        if form.control(spec.name) is not None and spec.type not in ("picklist", "multipicklist")
    }
    sent = untouched(made(None, values=filled))
    again = made(sent, values={})
    again.validate()
    changed = again.changes()
    for name in filled:
        control = again.control(name)
        assert control is not None
        if name in again.problems() or type(control).__name__ == "ReadOnlyControl":
            continue
        assert control.mark(changed[name]) == control.mark(filled[name]), name


def test_all_recorded_describes_are_walked() -> None:
    if not _RECORDED:
        pytest.skip(NO_SHARED)
    assert len(_RECORDED) == 21
    assert all(isinstance(path, Path) for path in _RECORDED)
