"""A day as an admin types it, or as a browser's date field sends it."""

from __future__ import annotations

from datetime import date

UNREADABLE = "Enter a date such as 2026-05-31."


def read_day(text: str) -> date | None:
    """The day; None for what is none, or lies where no mail does."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    # The years on either side leave room for the arithmetic of a period.
    return day if 1970 <= day.year <= 9000 else None
