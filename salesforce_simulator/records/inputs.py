"""The first step of a save: from a JSON body to typed values, with every format refusal at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from typing import Any

from salesforce_simulator.errors import ErrorEntry, OrgError, refuse
from salesforce_simulator.metadata.schema import FieldSchema
from salesforce_simulator.records.rich_text import sanitised
from salesforce_simulator.values import parse_date, parse_datetime, parse_time, show_datetime

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = rf"@(?:{_LABEL}\.)+{_LABEL}\Z"
_ATOM = r"[\w!#$%&'*+/=?^_`{|}~-]"
_QUOTED = r"\"(?:[^\"\\]|\\.)+\""
_JAVA_BLANKS = "".join(map(chr, range(33)))
_SURROGATE = re.compile("[\ud800-\udfff]")
_DIGITS_OF_A_DOUBLE = 18

Typed = tuple[Any, ErrorEntry | None]


@dataclass(frozen=True, slots=True)
class AddressRules:
    """The org's settings for email fields (Help 000384328): addresses as Japanese carriers have
    them, with several dots in a row or one at the end of the local part (never at its beginning),
    and Email Address Internationalization, for letters beyond ASCII.

    Quotes: assumed, from "the full range of characters as documented in the RFCs".
    """

    japan: bool = True
    international: bool = True

    def accept(self, address: str) -> bool:
        """Whether an email field takes this address."""
        return _address(self.japan, self.international).match(address) is not None


@cache
def _address(japan: bool, international: bool) -> re.Pattern[str]:
    local = f"{_ATOM}(?:{_ATOM}|\\.)*" if japan else rf"{_ATOM}+(?:\.{_ATOM}+)*"
    flags = re.NOFLAG if international else re.ASCII
    return re.compile(f"(?:{local}|{_QUOTED}){_DOMAIN}", flags)


_LENIENT = AddressRules()


def parser_error(kind: str, value: Any) -> OrgError:
    """JSON_PARSER_ERROR for a value of the wrong JSON type or an impossible date."""
    if value is None:
        seen = "VALUE_NULL"
    elif isinstance(value, bool):
        seen = "VALUE_TRUE" if value else "VALUE_FALSE"
    elif isinstance(value, int):
        seen = "VALUE_NUMBER_INT"
    elif isinstance(value, float):
        seen = "VALUE_NUMBER_FLOAT"
    elif isinstance(value, str):
        seen = "VALUE_STRING"
    else:
        seen = "START_ARRAY" if isinstance(value, list) else "START_OBJECT"
    shown = value if isinstance(value, str | int | float) else ""
    if isinstance(value, bool):
        shown = str(value).lower()
    message = (
        f"Cannot deserialize instance of {kind} from {seen} value {shown} or request may be "
        "missing a required field at [line:1, column:1]"
    )
    return refuse("JSON_PARSER_ERROR", message, None)


def trimmed(text: str) -> str | None:
    """Text as it is stored: blanks at both ends go, nothing left is empty."""
    return text.strip(_JAVA_BLANKS) or None


def typed_value(field: FieldSchema, value: Any, addresses: AddressRules = _LENIENT) -> Typed:
    """The value to store, or the complaint about it; OrgError for what is no such value at all.

    References are only told apart from other JSON here, their ids are looked at later.
    """
    kind = field.type
    if kind == "boolean":
        return _boolean(value), None
    if value is None:
        return None, None
    if field.numeric:
        return _number(field, value)
    if not isinstance(value, str):
        raise parser_error("string", value)
    if _SURROGATE.search(value):
        message = f"{field.label}: half of a surrogate pair is no character"
        raise refuse("JSON_PARSER_ERROR", message, None)
    text = trimmed(value)
    if text is None:
        return None, None
    if kind in {"date", "datetime", "time"}:
        return _moment(kind, text), None
    return _text(field, text, addresses)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise parser_error("boolean", value)


def _number(field: FieldSchema, value: Any) -> Typed:
    name = "int" if field.type in {"int", "long"} else "double"
    if isinstance(value, str) and not value.strip():
        return None, None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise parser_error(name, value)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise parser_error(name, value) from None
    if not number.is_finite():
        raise parser_error(name, value)
    scale = int(field.raw.get("scale") or 0)
    precision = int(field.raw.get("precision") or 0)
    if name == "int":
        if number != number.to_integral_value():
            raise parser_error(name, value)
        whole = int(field.raw.get("digits") or precision or 9)
    else:
        whole = (precision or _DIGITS_OF_A_DOUBLE) - scale
    if abs(number) >= Decimal(10) ** whole:
        message = f"{field.label}: value outside of valid range on numeric field: {value}"
        return None, ErrorEntry("NUMBER_OUTSIDE_VALID_RANGE", message, (field.name,))
    if name == "int":
        return int(number), None
    if "scale" in field.raw and precision:
        number = number.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
    return float(number), None


def _moment(kind: str, text: str) -> str:
    if kind == "date":
        day = parse_date(text)
        if day is not None:
            return day.isoformat()
    elif kind == "datetime":
        moment = parse_datetime(text)
        if moment is not None and re.search(r"(Z|[+-]\d\d:?\d\d)\Z", text, re.IGNORECASE):
            return show_datetime(moment)
    else:
        shown = parse_time(text)
        if shown is not None:
            return shown
    raise parser_error(kind, text)


def _text(field: FieldSchema, text: str, addresses: AddressRules) -> Typed:
    if field.raw.get("extraTypeInfo") == "richtextarea":
        text = sanitised(text)
        if not text:
            return None, None
    if field.length and len(text) > field.length and field.type != "reference":
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        return None, ErrorEntry("STRING_TOO_LONG", message, (field.name,))
    if field.type == "email" and not addresses.accept(text):
        message = f"{field.label}: invalid email address: {text}"
        return None, ErrorEntry("INVALID_EMAIL_ADDRESS", message, (field.name,))
    # Addresses are stored in lower case (Help 000384328).
    return text.lower() if field.type == "email" else text, None


def picklist_complaint(
    field: FieldSchema, value: str | None, entries: Sequence[Mapping[str, Any]]
) -> ErrorEntry | None:
    """What a restricted picklist says of a value that is none of the entries it offers."""
    if value is None or not field.restricted or field.type not in {"picklist", "multipicklist"}:
        return None
    offered = {entry["value"] for entry in entries}
    parts = value.split(";") if field.type == "multipicklist" else [value]
    for part in parts:
        if part not in offered:
            message = f"{field.label}: bad value for restricted picklist field: {part}"
            code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
            return ErrorEntry(code, message, (field.name,))
    return None


def check_attributes(body: Mapping[str, Any], object_name: str) -> None:
    """``attributes.type`` must agree with the object that is written."""
    attributes = body.get("attributes")
    if attributes is None:
        return
    kind = attributes.get("type") if isinstance(attributes, Mapping) else None
    if not isinstance(kind, str) or kind.lower() != object_name.lower():
        message = f"Invalid sObject type in attributes: {kind}"
        raise refuse("INVALID_TYPE", message, None)
