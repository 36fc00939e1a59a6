"""`forms`: a form from a describe, beside the same fields declared by hand in WTForms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from time import process_time
from typing import Any

import wtforms
from wtforms import validators

from benchmarks import describes
from benchmarks.bench import Bench, Runs, side_by_side
from benchmarks.describes import Body
from benchmarks.machine import Load, watched
from keeping_plugin.forms.record import RecordForm, record_form
from keeping_plugin.types import FieldSpec, ObjectSchema

_choice: Any = wtforms.SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
FRESH, UNCHANGED = 1.3, 1.05
ROUNDS = 30, 8

_VALUES: Mapping[str, Any] = {
    "boolean": True,
    "int": 1234,
    "double": 12.5,
    "currency": 12500.5,
    "percent": 12.5,
    "date": "2026-02-28",
    "datetime": "2026-02-26T22:47:14.000+0000",
    "time": "14:30:00.000Z",
    "reference": "001dM00001wBXYDQA4",
    "email": "person@shop.example",
}
_BY_HAND: Mapping[str, tuple[type[wtforms.Field], Any]] = {
    "textarea": (wtforms.TextAreaField, "Some text"),
    "email": (wtforms.EmailField, "person@shop.example"),
    "phone": (wtforms.TelField, "Some text"),
    "boolean": (wtforms.BooleanField, True),
    "int": (wtforms.IntegerField, 1234),
    "double": (wtforms.DecimalField, Decimal("12.5")),
    "currency": (wtforms.DecimalField, Decimal("12500.5")),
    "percent": (wtforms.DecimalField, Decimal("12.5")),
    "date": (wtforms.DateField, date(2026, 2, 28)),
    "datetime": (wtforms.DateTimeLocalField, datetime(2026, 2, 26, 22, 47, 14)),  # noqa: DTZ001
    "time": (wtforms.TimeField, time(14, 30)),
    "picklist": (wtforms.SelectField, ""),
    "multipicklist": (wtforms.SelectMultipleField, ()),
}


def measure(bench: Bench) -> None:
    """An edit form of every field: class, prefill and render; then without the class, as when the
    schema is what it was. Ours also prints the mark by which an untouched value is told."""
    bodies = [*(describes.recorded() or describes.shipped()), describes.large()]
    if not describes.recorded():
        bench.missing("describes of real orgs", "there are none beside the checkout")
    totals: dict[str, list[float]] = {"ours": [], "hand": [], "ours again": [], "hand again": []}
    with watched() as load:
        took = [_compare(body, rounds=bench.size(*ROUNDS)) for body in bodies]
    for runs in took[:-1]:
        for name, each in runs.items():
            totals[name].append(each.median)
    sums = {name: sum(values) for name, values in totals.items()}
    count = len(bodies) - 1
    _points(bench, f"{count} real describes, all their fields", sums, None, load)
    case = f"a Contact of {bodies[-1].fields} fields"
    _points(bench, case, {name: each.median for name, each in took[-1].items()}, took[-1], load)


def _points(
    bench: Bench,
    case: str,
    took: Mapping[str, float],
    runs: Mapping[str, Runs] | None,
    load: Load,
) -> None:
    rounds = bench.size(*ROUNDS)
    for ours, hand, what, limit in (
        ("ours", "hand", "class, prefill, render", FRESH),
        ("ours again", "hand again", "schema unchanged: prefill, render", UNCHANGED),
    ):
        ratio = took[ours] / took[hand]
        bench.point(
            f"{case}: {what}",
            took[ours] * 1000,
            "ms",
            against=f"by hand: {took[hand] * 1000:.1f} ms",
            ratio=ratio,
            runs=rounds,
            spread=runs[ours].spread if runs else None,
            target=f"at most {limit}",
            met=ratio <= limit,
            load=load,
        )


def _compare(body: Body, *, rounds: int) -> dict[str, Runs]:
    schema = body.schema
    names = tuple(schema.fields)
    made = record_form(schema, names)
    specs = [schema.fields[name] for group in made.groups for name in group.names]
    values = {spec.name: _VALUES.get(spec.type, "Some text") for spec in specs}
    plain = {spec.name: _BY_HAND.get(spec.type, (None, "Some text"))[1] for spec in specs}

    def fresh() -> None:
        # Another object for the same describe: no class is known for it.
        _printed(record_form(replace(schema), names)(None, values=values))

    def hand_made() -> None:
        _printed_by_hand(_declare(schema, specs), plain)

    declared = _declare(schema, specs)
    works: dict[str, Callable[[], object]] = {
        "ours": fresh,
        "hand": hand_made,
        "ours again": lambda: _printed(record_form(schema, names)(None, values=values)),
        "hand again": lambda: _printed_by_hand(declared, plain),
    }
    return side_by_side(works, rounds=rounds, clock=process_time)


def _printed(form: RecordForm) -> str:
    return "".join(f"{made()}{made.shown_mark}" for _, made in form.controls())


def _printed_by_hand(declared: type[wtforms.Form], values: Mapping[str, Any]) -> str:
    form = declared(None, data=values)
    return "".join(str(made()) for made in form)


def _declare(schema: ObjectSchema, specs: list[FieldSpec]) -> type[wtforms.Form]:
    body: dict[str, Any] = {}
    for spec in specs:
        kind, _ = _BY_HAND.get(spec.type, (wtforms.StringField, ""))
        checks: list[Any] = [validators.Optional() if spec.nillable else validators.DataRequired()]
        if spec.length:
            checks.append(validators.Length(max=spec.length))
        more: dict[str, Any] = {}
        if spec.picklist and spec.type in ("picklist", "multipicklist"):
            more["choices"] = [
                _choice(value.value, value.label) for value in spec.picklist if value.active
            ]
        elif spec.type in ("picklist", "multipicklist"):
            more["choices"] = []
        body[spec.name] = kind(spec.label, checks, description=spec.help_text, **more)
    return type(f"{schema.name}ByHand", (wtforms.Form,), body)
