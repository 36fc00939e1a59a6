"""Literals against field types: what a comparison compares with, or why it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from salesforce_simulator.errors import OrgError
from salesforce_simulator.ids import normalised
from salesforce_simulator.query.binding import BoundField, Scope
from salesforce_simulator.query.soql.complaints import complain
from salesforce_simulator.query.soql.dates import span
from salesforce_simulator.query.soql.tokens import unquoted
from salesforce_simulator.query.soql.tree import Literal
from salesforce_simulator.values import (
    folded,
    parse_date,
    parse_datetime,
    parse_time,
    show_datetime,
)

_TYPE_NAMES = {"datetime": "dateTime", "currency": "double", "percent": "double", "long": "int"}


_AS_THEY_ARE = frozenset({"id", "reference", "date", "datetime", "time"})


@dataclass(frozen=True, slots=True)
class DaySpan:
    """A date literal as stored values order: from ``start``, before ``end``."""

    start: str
    end: str


def wrong_type(scope: Scope, bound: BoundField, literal: Literal) -> OrgError:
    """INVALID_FIELD: quotes where none belong, or none where they do."""
    kind = bound.field.type
    quoted = kind in {"id", "reference"} or kind not in {
        "boolean", "int", "long", "double", "currency", "percent", "date", "datetime", "time",
    }  # fmt: skip
    name = "string" if quoted else _TYPE_NAMES.get(kind, kind)
    if kind in {"id", "reference"}:
        name = "ID"
    ending = "should be enclosed in quotes" if quoted else "should not be enclosed in quotes"
    message = (
        f"value of filter criterion for field '{bound.text}' must be of type {name} and {ending}"
    )
    return complain(scope.text, bound.offset, message, "INVALID_FIELD")


def invalid_operator(scope: Scope, bound: BoundField, what: str) -> OrgError:
    """INVALID_QUERY_FILTER_OPERATOR."""
    return complain(scope.text, bound.offset, what, "INVALID_QUERY_FILTER_OPERATOR")


def comparable(bound: BoundField, value: Any) -> Any:
    """A stored value as comparisons see it: text without regard to case where that is the rule."""
    if isinstance(value, str) and bound.field.type not in _AS_THEY_ARE:
        return value if bound.field.case_sensitive else folded(value)
    return value


def typed(scope: Scope, bound: BoundField, literal: Literal) -> Any:
    """A literal as the field's values compare: str, number, bool, DaySpan or None."""
    if literal.kind == "null":
        return None
    kind = bound.field.type
    if kind in {"id", "reference"}:
        return _id(scope, bound, literal)
    if kind == "boolean":
        if literal.kind != "boolean":
            raise wrong_type(scope, bound, literal)
        return literal.text == "TRUE"
    if bound.field.numeric:
        return _number(scope, bound, literal)
    if kind in {"date", "datetime"}:
        return _moment(scope, bound, literal)
    if kind == "time":
        shown = parse_time(literal.text) if literal.kind == "time" else None
        if shown is None:
            raise wrong_type(scope, bound, literal)
        return shown
    if literal.kind != "string":
        raise wrong_type(scope, bound, literal)
    return comparable(bound, unquoted(literal.text)) or None


def money(scope: Scope, bound: BoundField, literal: Literal) -> float:
    """``USD5000`` in the org's currency, to compare an amount with."""
    code, amount = literal.text[:3].upper(), float(literal.text[3:])
    if bound.field.type != "currency" or not scope.money.several:
        raise wrong_type(scope, bound, literal)
    if not scope.money.knows(code):
        raise complain(scope.text, literal.offset, f"Invalid currency code: {code}")
    return float(scope.money.corporate(amount, code))


def _id(scope: Scope, bound: BoundField, literal: Literal) -> str | None:
    if literal.kind != "string":
        raise wrong_type(scope, bound, literal)
    text = unquoted(literal.text)
    if not text:
        return None
    record_id = normalised(text)
    if record_id is None:
        raise invalid_operator(scope, bound, f"invalid ID field: {text}")
    return record_id


def _number(scope: Scope, bound: BoundField, literal: Literal) -> float:
    if literal.kind != "number":
        raise wrong_type(scope, bound, literal)
    text = literal.text.lstrip("+")
    value = float(text)
    if abs(value) <= 1e18 and text.lstrip("-").isdecimal():
        value = int(text)
    if abs(value) > 1e18:
        message = f"number outside valid range: {literal.text}"
        raise complain(scope.text, literal.offset, message, "NUMBER_OUTSIDE_VALID_RANGE")
    return value


def _moment(scope: Scope, bound: BoundField, literal: Literal) -> str | DaySpan:
    kind = bound.field.type
    if literal.kind == "range":
        try:
            start, end = span(literal.text, literal.count, scope.today)
        except OverflowError as error:
            message = f"Invalid date literal: {literal.text}:{literal.count}"
            raise complain(scope.text, literal.offset, message) from error
        return DaySpan(_day_start(scope, start, kind), _day_start(scope, end, kind))
    if literal.kind != kind:
        raise wrong_type(scope, bound, literal)
    if kind == "date":
        day = parse_date(literal.text)
        if day is not None:
            return day.isoformat()
    else:
        moment = parse_datetime(literal.text)
        if moment is not None:
            return show_datetime(moment)
    raise complain(scope.text, literal.offset, f"Invalid {kind}: {literal.text}")


def _day_start(scope: Scope, day: date, kind: str) -> str:
    if kind == "date":
        return day.isoformat()
    return show_datetime(datetime.combine(day, time(), tzinfo=scope.zone))
