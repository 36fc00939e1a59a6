"""Time zones by the names that Salesforce gives them, which are those of the IANA database."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

NAME_LENGTH = 64


def zone(name: str | None) -> tzinfo:
    """The zone of this name (`America/Los_Angeles`); UTC for none, and for one nobody knows."""
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):  # unknown, no name at all, a folder of the database
        return UTC
