"""Date literals."""

from __future__ import annotations

from datetime import date

import pytest

from salesforce_simulator.query.soql.dates import COUNTED_RANGES, RANGES, span

WEDNESDAY = date(2026, 5, 6)


@pytest.mark.parametrize(
    ("word", "count", "start", "end"),
    [
        ("YESTERDAY", None, "2026-05-05", "2026-05-06"),
        ("TODAY", None, "2026-05-06", "2026-05-07"),
        ("TOMORROW", None, "2026-05-07", "2026-05-08"),
        ("LAST_WEEK", None, "2026-04-26", "2026-05-03"),
        ("THIS_WEEK", None, "2026-05-03", "2026-05-10"),
        ("NEXT_WEEK", None, "2026-05-10", "2026-05-17"),
        ("LAST_MONTH", None, "2026-04-01", "2026-05-01"),
        ("THIS_MONTH", None, "2026-05-01", "2026-06-01"),
        ("NEXT_MONTH", None, "2026-06-01", "2026-07-01"),
        ("LAST_QUARTER", None, "2026-01-01", "2026-04-01"),
        ("THIS_QUARTER", None, "2026-04-01", "2026-07-01"),
        ("NEXT_QUARTER", None, "2026-07-01", "2026-10-01"),
        ("LAST_YEAR", None, "2025-01-01", "2026-01-01"),
        ("NEXT_YEAR", None, "2027-01-01", "2028-01-01"),
        ("LAST_90_DAYS", None, "2026-02-05", "2026-05-07"),
        ("NEXT_90_DAYS", None, "2026-05-07", "2026-08-05"),
        ("LAST_N_DAYS", 30, "2026-04-06", "2026-05-07"),
        ("NEXT_N_DAYS", 30, "2026-05-07", "2026-06-06"),
        ("N_DAYS_AGO", 3, "2026-05-03", "2026-05-04"),
        ("LAST_N_WEEKS", 2, "2026-04-19", "2026-05-03"),
        ("LAST_N_MONTHS", 5, "2025-12-01", "2026-05-01"),
        ("NEXT_N_MONTHS", 8, "2026-06-01", "2027-02-01"),
        ("N_MONTHS_AGO", 1, "2026-04-01", "2026-05-01"),
        ("LAST_N_QUARTERS", 2, "2025-10-01", "2026-04-01"),
        ("LAST_N_YEARS", 1, "2025-01-01", "2026-01-01"),
        ("N_YEARS_AGO", 2, "2024-01-01", "2025-01-01"),
    ],
)
def test_spans(word: str, count: int | None, start: str, end: str) -> None:
    assert span(word, count, WEDNESDAY) == (date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize("word", sorted(RANGES | COUNTED_RANGES))
def test_every_literal_is_a_span_of_whole_days(word: str) -> None:
    start, end = span(word, 1 if word in COUNTED_RANGES else None, WEDNESDAY)
    assert start < end


def test_spans_beyond_the_calendar_overflow() -> None:
    for word in ("LAST_N_YEARS", "NEXT_N_DAYS", "N_MONTHS_AGO"):
        with pytest.raises(OverflowError):
            span(word, 10**7, WEDNESDAY)
