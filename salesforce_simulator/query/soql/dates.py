"""Date literals: TODAY, LAST_N_DAYS:30 and their kin, as half-open spans of days.

Which day it is follows from the user's time zone. Weeks start on
Sunday (the en_US locale). Fiscal literals need the org's fiscal year and are not modelled.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

Span = tuple[date, date]
"""From the first day up to, not including, the second."""


def _months(day: date, by: int) -> date:
    """The first day of the month ``by`` months from the month of ``day``."""
    index = day.year * 12 + day.month - 1 + by
    return date(index // 12, index % 12 + 1, 1)


def _day(day: date, by: int) -> Span:
    return day + timedelta(by), day + timedelta(by + 1)


def _week(day: date, by: int) -> Span:
    start = day - timedelta((day.weekday() + 1) % 7) + timedelta(7 * by)
    return start, start + timedelta(7)


def _month(day: date, by: int) -> Span:
    return _months(day, by), _months(day, by + 1)


def _quarter(day: date, by: int) -> Span:
    first = _months(day, -((day.month - 1) % 3) + 3 * by)
    return first, _months(first, 3)


def _year(day: date, by: int) -> Span:
    return date(day.year + by, 1, 1), date(day.year + by + 1, 1, 1)


_UNITS: dict[str, Callable[[date, int], Span]] = {
    "DAY": _day,
    "WEEK": _week,
    "MONTH": _month,
    "QUARTER": _quarter,
    "YEAR": _year,
}
_NAMED: dict[str, tuple[str, int]] = {
    "YESTERDAY": ("DAY", -1),
    "TODAY": ("DAY", 0),
    "TOMORROW": ("DAY", 1),
    **{
        f"{word}_{unit}": (unit, by)
        for unit in ("WEEK", "MONTH", "QUARTER", "YEAR")
        for word, by in (("LAST", -1), ("THIS", 0), ("NEXT", 1))
    },
}
_COUNTED = {
    f"{word}_{unit}S{ago}": (unit, word, bool(ago))
    for unit in _UNITS
    for word, ago in (("LAST_N", ""), ("NEXT_N", ""), ("N", "_AGO"))
}
RANGES = frozenset({*_NAMED, "LAST_90_DAYS", "NEXT_90_DAYS"})
COUNTED_RANGES = frozenset(_COUNTED)


def span(word: str, count: int | None, today: date) -> Span:
    """The days a literal stands for; OverflowError when they leave the calendar.

    LAST_N_DAYS:n runs from n days ago through today, as the service's does; the other LAST_N spans
    end before the current unit starts.
    """
    if word in _NAMED:
        unit, by = _NAMED[word]
        return _shift(unit, today, by)
    if word in {"LAST_90_DAYS", "NEXT_90_DAYS"}:
        word, count = word.replace("90", "N"), 90
    unit, direction, ago = _COUNTED[word]
    n = count or 0
    if ago:
        return _shift(unit, today, -n)
    if direction == "LAST_N":
        end = _shift(unit, today, 1 if unit == "DAY" else 0)[0]
        return _shift(unit, today, -n)[0], end
    return _shift(unit, today, 1)[0], _shift(unit, today, n)[1]


def _shift(unit: str, today: date, by: int) -> Span:
    try:
        return _UNITS[unit](today, by)
    except ValueError as error:
        raise OverflowError(f"{unit} {by} leaves the calendar") from error
