"""Amounts say their currency where an org has several."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keeping_plugin.forms.record import record_form
from keeping_plugin.services.panel.cards import asked
from keeping_plugin.services.panel.display import shown
from keeping_plugin.types import Record, Value
from tests.forms.places import with_currencies
from tests.forms.samples import of_fields, schema, spec

OPPORTUNITY = with_currencies(schema("Opportunity"), "USD", "EUR", "JPY")


def amount(value: Value, **fields: Value) -> str:
    record = Record("Opportunity", "006", {"Amount": value, **fields})
    return shown(OPPORTUNITY, record, "Amount").text


@pytest.mark.field_case("A11")
@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("JPY", 1_200_000, "JPY 1,200,000"),
        ("USD", 1_200_000, "USD 1,200,000.00"),
        ("EUR", 1_200_000.0, "EUR 1,200,000.00"),
        ("EUR", 0.5, "EUR 0.50"),
        ("JPY", 1_200_000.75, "JPY 1,200,000.75"),
        ("JPY", 0, "JPY 0"),
        ("KRW", -5, "KRW -5"),
        ("XXX", 3.5, "XXX 3.50"),
    ],
)
def test_each_amount_stands_with_its_currency_and_its_decimals(
    code: str, value: float, text: str
) -> None:
    assert amount(value, CurrencyIsoCode=code) == text


@pytest.mark.field_case("A11")
def test_a_currency_of_three_decimals_shows_them_where_the_field_has_them() -> None:
    field = spec("currency", precision=18, scale=3)
    object = with_currencies(of_fields(field), "BHD")
    record = Record("Thing__c", "a00", {field.name: 1.5, "CurrencyIsoCode": "BHD"})
    assert shown(object, record, field.name).text == "BHD 1.500"
    object = with_currencies(of_fields(replace(field, scale=0)), "USD")
    record = Record("Thing__c", "a00", {field.name: 1500, "CurrencyIsoCode": "USD"})
    assert shown(object, record, field.name).text == "USD 1,500"


def test_an_org_with_one_currency_shows_amounts_as_ever() -> None:
    record = Record("Opportunity", "006", {"Amount": 1_200_000})
    assert shown(schema("Opportunity"), record, "Amount").text == "1,200,000.00"
    assert "CurrencyIsoCode" not in asked(schema("Opportunity"), ("Amount",))


@pytest.mark.field_case("A11")
def test_an_empty_amount_says_nothing_and_a_card_of_before_shows_its_number() -> None:
    assert amount(None, CurrencyIsoCode="JPY") == ""
    assert amount(1_200_000) == "1,200,000.00"


@pytest.mark.field_case("A11")
def test_the_currency_is_asked_for_beside_every_amount_and_only_there() -> None:
    assert "CurrencyIsoCode" in asked(OPPORTUNITY, ("Name", "Amount"))
    assert "CurrencyIsoCode" not in asked(OPPORTUNITY, ("Name",))
    contact = with_currencies(schema("Contact"), "USD", "EUR")
    assert "CurrencyIsoCode" not in asked(contact, ("Phone",))
    account = with_currencies(schema("Account"), "USD", "EUR")
    assert "CurrencyIsoCode" in asked(account, ("AnnualRevenue",))


@pytest.mark.field_case("A11")
def test_the_edit_form_has_the_code_beside_the_box_and_the_currencys_decimals_in_it() -> None:
    form = record_form(OPPORTUNITY, ("Amount", "Probability"))
    made = form(None, values={"Amount": 1_200_000.0, "CurrencyIsoCode": "JPY"})
    control = made.control("Amount")
    assert control is not None
    assert getattr(control, "currency", "") == "JPY"
    assert control._value() == "1200000"
    other = made.control("Probability")
    assert getattr(other, "currency", "") == ""
