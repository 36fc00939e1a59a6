"""What a person types is read their way, asked about where it is unclear, and never shifted."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from keeping_plugin.forms.quantities import NumberControl
from keeping_plugin.forms.record import RecordForm, record_form
from keeping_plugin.locales import Reader
from keeping_plugin.types import FieldSpec, Value
from tests.forms.places import with_currencies
from tests.forms.printed import untouched
from tests.forms.samples import of_fields, schema, spec

GERMAN = Reader.named(["de-DE"], "Europe/Berlin")
AMERICAN = Reader.named(["en-US"], "America/New_York")
AMOUNT = spec("currency", precision=18, scale=2)
LENGTH = spec("double", precision=18, scale=3)
COUNT = spec("int", digits=9)
WHEN = spec("datetime")


def filled(
    field: FieldSpec, typed: str, reader: Reader, before: Value = None
) -> tuple[RecordForm, NumberControl]:
    made = record_form(of_fields(field), (field.name,))
    form = made(MultiDict({f"sf_{field.name}": typed}), values={field.name: before}, reader=reader)
    control = form.control(field.name)
    assert control is not None
    return form, control  # type: ignore[return-value]


@pytest.mark.parametrize("reader", [GERMAN, AMERICAN])
@pytest.mark.parametrize(
    ("field", "typed", "sent"),
    [
        (AMOUNT, "54.500", ["54500", "54.5000"]),
        (AMOUNT, "1,500", ["1500", "1.5000"]),
        (LENGTH, "1,125", ["1125", "1.1250"]),
        (COUNT, "1.500", ["1500"]),  # the other reading is no whole number
    ],
)
def test_an_unclear_number_is_asked_about_and_the_answer_is_clear(
    reader: Reader, field: FieldSpec, typed: str, sent: list[str]
) -> None:
    form, control = filled(field, typed, reader)
    assert not form.validate()
    assert form.problems()[field.name][0].startswith("Do you mean ")
    assert control._value() == typed
    assert sorted(value for _, value in control.readings) == sorted(sent)
    for _, answer in control.readings:
        again, _ = filled(field, answer, reader)
        assert again.validate(), again.problems()
        assert again.changes() == {field.name: float(answer)}


def test_a_number_is_printed_in_the_box_and_back_beside_it_their_way() -> None:
    form, control = filled(AMOUNT, "1234567,5", GERMAN)
    assert form.changes() == {AMOUNT.name: 1234567.5}
    assert control.echo == "1.234.567,5"
    made = record_form(of_fields(AMOUNT), (AMOUNT.name,))
    for value, printed in ((54500.5, ("54500,50", "54.500,5")), (54500.0, ("54500,00", "54.500"))):
        shown = made(None, values={AMOUNT.name: value}, reader=GERMAN).control(AMOUNT.name)
        assert isinstance(shown, NumberControl)
        assert (shown._value(), shown.echo) == printed


@pytest.mark.parametrize("reader", [GERMAN, AMERICAN])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        (LENGTH, 1.125),  # printed as 1,125, which nobody has to explain
        (LENGTH, 0.5),
        (AMOUNT, 1500),
        (COUNT, 1500),
        (WHEN, "2026-10-25T00:30:00.000+0000"),  # 2:30 in Berlin, the first and
        (WHEN, "2026-10-25T01:30:00.000+0000"),  # the second time that night
        (WHEN, "2026-05-06T14:30:00.000+0000"),
        (spec("date"), "2026-05-06"),
    ],
)
def test_what_nobody_touched_is_no_change_and_no_question(
    reader: Reader, field: FieldSpec, value: Value
) -> None:
    made = record_form(of_fields(field), (field.name,))
    printed = made(None, values={field.name: value}, reader=reader)
    sent = made(untouched(printed), values={field.name: value}, reader=reader)
    assert sent.validate(), sent.problems()
    assert sent.changes() == {}


def test_a_time_is_typed_in_the_persons_zone_and_one_that_is_skipped_is_refused() -> None:
    form, control = filled(WHEN, "2026-05-06T14:30", GERMAN)
    assert form.changes() == {WHEN.name: "2026-05-06T12:30:00.000+0000"}
    assert control.label.text.endswith("(Europe/Berlin)")
    form, _ = filled(WHEN, "2026-03-29T02:30", GERMAN)
    assert not form.validate()
    assert form.problems()[WHEN.name] == [
        "The clocks go forward that day, so this time does not exist."
    ]


def test_a_program_sends_plain_numbers_whoever_it_works_for() -> None:
    form = record_form(of_fields(LENGTH), (LENGTH.name,))(
        MultiDict({f"sf_{LENGTH.name}": "1.125"}), values={}
    )
    assert form.changes() == {LENGTH.name: 1.125}


def test_a_new_amount_is_in_the_currency_that_the_org_fills_in() -> None:
    object = with_currencies(schema("Opportunity"), "USD", "EUR")
    made = record_form(object, ("Amount",), creating=True)(None, values={}, reader=GERMAN)
    control = made.control("Amount")
    assert isinstance(control, NumberControl)
    assert control.currency == "USD"
