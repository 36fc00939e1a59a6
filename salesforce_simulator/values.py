"""Values as they travel and as they are stored: what a body may hold, what an answer shows.

Stored values are those of an answer: datetimes ``2026-05-06T09:49:20.000+0000`` in UTC, dates
``2026-05-06``, numbers as JSON numbers, text trimmed, ``None`` for empty. Their text orders as the
moments do.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

_DATETIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"(Z|[+-]\d\d:?\d\d)?\Z",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")
_TIME = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3}))?Z?\Z")

TEXT_TYPES = frozenset(
    {"string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "combobox",
     "encryptedstring", "anyType", "base64", "json", "complexvalue"}
)  # fmt: skip
NUMBER_TYPES = frozenset({"int", "long", "double", "currency", "percent"})
COMPOUND_TYPES = frozenset({"address", "location"})


def show_datetime(moment: datetime) -> str:
    """``2026-05-06T09:49:20.000+0000``: UTC, milliseconds, no colon in the offset."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def parse_datetime(text: str) -> datetime | None:
    """An aware datetime out of a body, a query or a stored value; None when it is none."""
    match = _DATETIME.match(text)
    if match is None:
        return None
    year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
    fraction = (match[7] or "0")[:6].ljust(6, "0")
    zone = match[8]
    tz: timezone = UTC
    try:
        if zone and zone.upper() != "Z":
            sign = -1 if zone[0] == "-" else 1
            tz = timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])))
        parsed = datetime(
            year, month, day, hour, minute, int(match[6] or 0), int(fraction), tzinfo=tz
        )
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_date(text: str) -> date | None:
    """A date; None when it is none."""
    if not _DATE.match(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_time(text: str) -> str | None:
    """A time of day as answers show it (``14:30:00.000Z``); None when it is none."""
    match = _TIME.match(text)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59 or int(match[3]) > 59:
        return None
    return f"{match[1]}:{match[2]}:{match[3]}.{(match[4] or '0').ljust(3, '0')}Z"


def folded(text: str) -> str:
    """Text as SOQL compares it: without regard to case."""
    return text.lower()


def whole_number(text: str) -> int | None:
    """A number of at most nine digits; None for anything else. Python refuses to read thousands."""
    return int(text) if text.isdecimal() and len(text) <= 9 else None
