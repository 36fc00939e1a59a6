"""Numbers, days and times as people write them: read whatever their locale, never guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from keeping_plugin.locales import Reader, is_unclear, plain_number


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("1234", "1234"),
        ("54500,5", "54500.5"),
        ("54500.5", "54500.5"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1.234.567", "1234567"),
        ("1,234,567", "1234567"),
        ("12,34,567.5", "1234567.5"),  # India
        ("1 234 567,5", "1234567.5"),
        ("1\u202f234,5", "1234.5"),
        ("1’234.5", "1234.5"),
        ("\N{MINUS SIGN}5,25", "-5.25"),
        ("０１２３４．５", "01234.5"),
        ("１，２３４．５", "1234.5"),
        (",5", ".5"),
        ("0,125", "0.125"),
        ("1234,5678", "1234.5678"),
        # None of these is a number; the form says so.
        ("1,2,3", "1,2,3"),
        ("1.2.456,7", "1.2.456,7"),
        ("1,234.5.6", "1,234.5.6"),
        ("abc", "abc"),
        ("", ""),
    ],
)
def test_a_number_is_read_with_either_separator(typed: str, plain: str) -> None:
    assert not is_unclear(typed)
    assert plain_number(typed) == plain


@pytest.mark.parametrize("typed", ["54.500", "1,500", "-1,500", "12.345", "１．５００", " 1,500 "])
def test_one_separator_before_three_digits_is_unclear(typed: str) -> None:
    assert is_unclear(typed)


@pytest.mark.parametrize(
    ("locale", "number", "day", "moment"),
    [
        ("", "54,500.5", "6 May 2026", "6 May 2026, 14:30 UTC"),
        ("en-US", "54,500.5", "May 6, 2026", "May 6, 2026, 2:30\u202fPM UTC"),
        ("de-DE", "54.500,5", "6. Mai 2026", "6. Mai 2026, 14:30 UTC"),
        ("de-CH", "54’500.5", "6. Mai 2026", "6. Mai 2026, 14:30 UTC"),
        ("fr-FR", "54\u202f500,5", "6 mai 2026", "6 mai 2026, 14:30 UTC"),
        ("ja-JP", "54,500.5", "2026年5月6日", "2026年5月6日, 14:30 UTC"),
        ("de-XX", "54.500,5", "6. Mai 2026", "6. Mai 2026, 14:30 UTC"),
        ("xx", "54,500.5", "6 May 2026", "6 May 2026, 14:30 UTC"),
    ],
)
def test_everybody_reads_their_own_way(locale: str, number: str, day: str, moment: str) -> None:
    reader = Reader.named([locale], "nowhere")
    assert reader.number(Decimal("54500.5")) == number
    assert reader.day(date(2026, 5, 6)) == day
    assert reader.moment(datetime(2026, 5, 6, 14, 30, tzinfo=UTC)) == moment


def test_times_are_those_of_the_persons_zone() -> None:
    reader = Reader.named(["de"], "Europe/Berlin")
    assert reader.moment(datetime(2026, 5, 6, 22, 30, tzinfo=UTC)) == "7. Mai 2026, 00:30"


@pytest.mark.parametrize(
    ("locale", "typed"),
    [
        ("de", "6.5.2026"),
        ("en-US", "5/6/2026"),
        ("en-GB", "6/5/2026"),
        ("de", "2026-05-06"),
        ("ja", "2026年5月6日"),
        ("de", "６.５.２０２６"),
    ],
)
def test_a_day_is_read_in_the_order_of_the_locale(locale: str, typed: str) -> None:
    assert Reader.named([locale], "").read_day(typed) == date(2026, 5, 6)


@pytest.mark.parametrize("typed", ["", "6.5.", "tomorrow", "6.32.2026", "99/99/9999", "6.5.26"])
def test_what_is_no_day_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  Babel has sentences of its own
        Reader.named(["de"], "").read_day(typed)
