"""Amounts in an org with several currencies, where a number alone says nothing.

Such an org has CurrencyIsoCode on every object with amounts: an amount is in the currency that its
own record names.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from keeping_plugin.fieldtypes import ShownAs, field_type
from keeping_plugin.types import FieldSpec, ObjectSchema, Value

CURRENCY = "CurrencyIsoCode"

# Decimal places by ISO 4217, where they are not two. (The org's own CurrencyType rows say the same,
# and would cost a request.)
_PLACES = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}


def is_amount(spec: FieldSpec) -> bool:
    """Whether a field holds amounts of money."""
    return field_type(spec.type).shown is ShownAs.AMOUNT


def has_currencies(schema: ObjectSchema) -> bool:
    """Whether the records of this object say in which currency they are."""
    return CURRENCY in schema.fields


def currency_of(schema: ObjectSchema, spec: FieldSpec, values: Mapping[str, Value]) -> str:
    """The ISO code of an amount's currency; "" for what is no amount, where nobody tells, and in an
    org with one currency, which no answer of the REST API names."""
    if not is_amount(spec) or not has_currencies(schema):
        return ""
    code = values.get(CURRENCY)
    return code if isinstance(code, str) else ""


def default_currency(schema: ObjectSchema) -> dict[str, Value]:
    """What the org fills in as the currency of a new record."""
    if not has_currencies(schema):
        return {}
    entries = schema.fields[CURRENCY].picklist
    return {CURRENCY: next((entry.value for entry in entries if entry.default), None)}


def places(spec: FieldSpec, number: Decimal, currency: str) -> int:
    """How many decimals to write: the currency's, as far as the field has them, and never fewer
    than the amount needs."""
    usual = min(spec.scale, _PLACES.get(currency, 2)) if currency else spec.scale
    exponent = number.as_tuple().exponent
    if usual >= spec.scale or not isinstance(exponent, int):
        return usual
    needed = len(f"{number:.{spec.scale}f}".rstrip("0").partition(".")[2])
    return max(usual, needed)
