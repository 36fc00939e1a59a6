"""Record ids: 15 case-sensitive characters, 18 with the checksum that survives lost case."""

from __future__ import annotations

import re

_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(r"[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?\Z")

MASTER_RECORD_TYPE = "012000000000000AAA"

PREFIXES = {
    "Account": "001",
    "Note": "002",
    "Contact": "003",
    "User": "005",
    "Opportunity": "006",
    "Campaign": "701",
    "Lead": "00Q",
    "Task": "00T",
    "Event": "00U",
    "Case": "500",
    "OpportunityContactRole": "00K",
    "Organization": "00D",
    "EmailMessage": "02s",
    "Group": "00G",
    "RecordType": "012",
    "TaskStatus": "01J",
}
"""Key prefixes of the standard objects, for describe results that were recorded without one."""


def to18(record_id: str) -> str:
    """The 18-character form of a 15-character id."""
    checks = (
        sum(1 << place for place, char in enumerate(record_id[start : start + 5]) if char.isupper())
        for start in (0, 5, 10)
    )
    return record_id[:15] + "".join(_CHECK[check] for check in checks)


def normalised(text: str) -> str | None:
    """The 18-character form of an id given in either form; None when it is not an id.

    Wrong case in an 18-character id shows in its checksum, and makes it none.
    """
    if not _SHAPE.match(text):
        return None
    full = to18(text)
    return full if len(text) == 15 or text == full else None


def from_sequence(prefix: str, org_code: str, number: int) -> str:
    """The id of the ``number``-th record: prefix, four characters of the org, a base-62 count."""
    digits = []
    while number:
        number, rest = divmod(number, 62)
        digits.append(_DIGITS[rest])
    body = "".join(reversed(digits)).rjust(8, "0")
    return to18(f"{prefix}{org_code}{body}")
