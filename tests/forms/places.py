"""Objects of an org with state and country picklists, and of one with several currencies."""

from __future__ import annotations

from dataclasses import replace

from keeping_plugin.types import ObjectSchema, PicklistValue
from tests.forms.samples import spec

COUNTRIES = {"US": "United States", "DE": "Germany", "AU": "Australia"}
STATES = {"CA": ("California", 0), "NY": ("New York", 0), "NSW": ("New South Wales", 2)}


def with_places(schema: ObjectSchema) -> ObjectSchema:
    """The object with a code beside each state and country of its addresses; the describe has them
    behind everything else, the state first."""
    countries = tuple(PicklistValue(code, label) for code, label in COUNTRIES.items())
    states = tuple(PicklistValue(c, label, valid_for=(at,)) for c, (label, at) in STATES.items())
    codes = []
    for text in schema.fields.values():
        if text.compound and text.name.endswith(("State", "Country")):
            country = text.name.endswith("Country")
            codes.append(
                spec(
                    "picklist",
                    name=f"{text.name}Code",
                    label=f"{text.label} Code",
                    compound=text.compound,
                    length=10,
                    restricted=True,
                    picklist=countries if country else states,
                    controller="" if country else text.name.removesuffix("State") + "CountryCode",
                )
            )
    codes.sort(key=lambda code: code.name.endswith("CountryCode"))
    return replace(schema, fields={**schema.fields, **{code.name: code for code in codes}})


def with_currencies(schema: ObjectSchema, *codes: str) -> ObjectSchema:
    """The object in an org with these currencies."""
    values = tuple(PicklistValue(code, code, default=not at) for at, code in enumerate(codes))
    field = spec(
        "picklist",
        name="CurrencyIsoCode",
        label=f"{schema.label} Currency",
        picklist=values,
        restricted=True,
        defaulted_on_create=True,
    )
    return replace(schema, fields={**schema.fields, field.name: field})
