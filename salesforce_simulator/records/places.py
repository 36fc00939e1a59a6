"""State and country picklists: each kept as a code from a list and as the text beside it.

An org has them when its address fields have codes (MailingStateCode beside MailingState).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from salesforce_simulator.errors import ErrorEntry, refuse
from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema, controlling_indexes
from salesforce_simulator.store import Record

_COUNTRY, _STATE = "Country", "State"


def place_fields(
    schema: ObjectSchema, places: Mapping[str, Sequence[str]], names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The code fields that an org of these countries and states has for each address of an object,
    as ``complete_field`` takes them. ``places`` maps a country's code to those of its states,
    ``names`` a code to its label."""
    made = []
    for text in [field for field in schema.fields.values() if field.name.endswith(_COUNTRY)]:
        state = schema.field(text.name.removesuffix(_COUNTRY) + _STATE)
        if text.compound is None or state is None:
            continue
        codes = [_code(text, [_entry(code, names) for code in places])]
        states = [
            _entry(code, names) | {"validFor": _valid_for(number)}
            for number, country in enumerate(places)
            for code in places[country]
        ]
        codes.append(_code(state, states) | {"controllerName": codes[0]["name"]})
        made += codes
    return made


def _code(text: FieldSchema, entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": f"{text.name}Code",
        "label": f"{text.label} Code",
        "type": "picklist",
        "length": 10,
        "custom": False,
        "restrictedPicklist": True,
        "compoundFieldName": text.compound,
        "picklistValues": entries,
    }


def _entry(code: str, names: Mapping[str, str]) -> dict[str, Any]:
    return {"value": code, "label": names.get(code, code)}


def _valid_for(index: int) -> str:
    bitmap = bytearray(index // 8 + 1)
    bitmap[index >> 3] = 0x80 >> (index & 7)
    return base64.b64encode(bytes(bitmap)).decode("ascii")


def unknown_place(field: FieldSchema, value: str) -> ErrorEntry | None:
    """The complaint about a code that the org's list does not have, of a field that holds one."""
    if field.compound is None or field.type != "picklist":
        return None
    for ending, what in ((f"{_STATE}Code", "state"), (f"{_COUNTRY}Code", "country")):
        if field.name.endswith(ending):
            message = (
                f"The {field.name} field contains {value}, which isn't an available {what}. Your "
                "administrator can add it for you."
            )
            return ErrorEntry("FIELD_INTEGRITY_EXCEPTION", message, (field.name,))
    return None


def sync_places(schema: ObjectSchema, record: Record, before: Record | None) -> None:
    """Let code and text fill each other, a country that goes take its state along, and refuse a
    state of another country."""
    for field in schema.fields.values():
        if field.name.endswith(f"{_COUNTRY}Code") and field.type == "picklist":
            state = schema.field(field.name.removesuffix(f"{_COUNTRY}Code") + f"{_STATE}Code")
            if state is not None:
                _pair(record, before or {}, field, creating=before is None)
                if not record.get(field.name) and (before or {}).get(field.name):
                    record[state.name] = record[state.name.removesuffix("Code")] = None
                _pair(record, before or {}, state, creating=before is None)
                _check(schema, record, field, state)


def _pair(record: Record, before: Record, code: FieldSchema, *, creating: bool) -> None:
    text = code.name.removesuffix("Code")
    # The integration value of an entry, which an admin may change, is its label here.
    texts = {str(entry["value"]): str(entry["label"]) for entry in code.picklist}
    codes = {label.lower(): value for value, label in texts.items()}
    code_given = record.get(code.name) != before.get(code.name)
    text_given = record.get(text) != before.get(text)
    wanted = codes.get(str(record.get(text) or "").lower())
    if text_given and record.get(text) and wanted is None and not (creating and code_given):
        raise _problem(code.name, text)
    if code_given and text_given and not creating and wanted != record.get(code.name):
        raise _problem(code.name, text)
    if text_given and not code_given:
        record[code.name] = wanted
    value = record.get(code.name)
    if value or code_given:
        record[text] = texts.get(str(value)) if value else None


def _check(schema: ObjectSchema, record: Record, country: FieldSchema, state: FieldSchema) -> None:
    value = record.get(state.name)
    if not value:
        return
    if not record.get(country.name):
        text = state.name.removesuffix("Code")
        field = schema.field(text)
        message = (
            "A country/territory must be specified before specifying a state value for field: "
            f"{field.label if field is not None else text}"
        )
        raise refuse("FIELD_INTEGRITY_EXCEPTION", message, [text])
    index = next(
        (n for n, one in enumerate(country.picklist) if one["value"] == record.get(country.name)),
        None,
    )
    entry = next((one for one in state.picklist if one["value"] == value), {})
    if index is None or index not in controlling_indexes(entry.get("validFor") or ""):
        raise _problem(state.name, state.name.removesuffix("Code"))


def _problem(code: str, text: str) -> Exception:
    what = "country" if code.endswith("CountryCode") else "state"
    many = "countries" if what == "country" else "states"
    message = (
        f"There's a problem with this {what}, even though it may appear correct. Please select a "
        f"{what} from the list of valid {many}."
    )
    return refuse("FIELD_INTEGRITY_EXCEPTION", f"{message}: {text}", [text])
