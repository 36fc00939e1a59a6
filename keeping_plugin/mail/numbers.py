"""The numbers in a subject by which mail may name a record: `Re: Case 00001026`, `#1026`."""

from __future__ import annotations

import re

_MAX = 5
_DIGITS = 8  # of a Case number, unless the org has changed its display format
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9])(?P<hash>#\s?)?(?P<prefix>[A-Za-z]{1,8}-)?(?P<digits>[0-9]{3,12})(?![0-9])"
)


def record_numbers(subject: str) -> tuple[str, ...]:
    """Each as it stands there, in capitals, and filled up to eight digits; at most five are read.
    A short one counts behind `#` or a prefix only, for most are years and amounts."""
    found: dict[str, None] = {}
    for match in _NUMBER.finditer(subject[:500]):
        digits, prefix = match["digits"], (match["prefix"] or "").upper()
        if len(digits) < 5 and not (match["hash"] or prefix):
            continue
        found |= dict.fromkeys((prefix + digits, digits.zfill(_DIGITS)))
        if len(found) >= 2 * _MAX:
            break
    return tuple(found)


def is_named(number: object, numbers: tuple[str, ...]) -> bool:
    """Whether a record's number is one of these."""
    return isinstance(number, str) and number.upper() in numbers
