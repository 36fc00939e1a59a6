"""Which numbers of a subject may name a record."""

from __future__ import annotations

import pytest

from keeping_plugin.mail.numbers import is_named, record_numbers


@pytest.mark.parametrize(
    ("subject", "number", "named"),
    [
        ("Re: Case 00001026: broken tile", "00001026", True),
        ("AW: [#1026] Fliese kaputt", "00001026", True),
        ("# 1026", "00001026", True),
        ("case 1026 again", "00001026", False),  # four digits may be a year
        ("Your order of 2026-05-06", "00002026", False),
        ("ticket c-000123", "C-000123", True),
        ("Re: 10026", "00010026", True),
        ("x00001026y", "00001026", False),
        ("000010261", "00001026", False),
        ("", "00001026", False),
        ("00001026", None, False),
    ],
)
def test_a_number_in_the_subject_names_a_record(subject: str, number: object, named: bool) -> None:
    assert is_named(number, record_numbers(subject)) is named


def test_a_subject_full_of_numbers_asks_for_ten_at_most() -> None:
    assert len(record_numbers(" ".join(str(number) for number in range(10_000, 10_100)))) == 10
