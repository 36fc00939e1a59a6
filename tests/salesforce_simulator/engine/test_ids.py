"""Record ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_simulator.ids import from_sequence, normalised, to18

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def test_the_checksum_of_a_recorded_id() -> None:
    assert to18("003dM00001wBXYD") == "003dM00001wBXYDQA4"


@pytest.mark.parametrize("text", ["", "003", "003dM00001wBXY!", "003dM00001wBXYDQA", "x" * 19])
def test_what_has_another_shape_is_no_id(text: str) -> None:
    assert normalised(text) is None


@given(st.text(ALPHANUMERIC, min_size=15, max_size=15))
def test_both_forms_of_an_id_mean_the_same(short: str) -> None:
    assert normalised(short) == normalised(to18(short)) == to18(short)


def test_wrong_case_shows_in_the_checksum() -> None:
    assert normalised("003dM00001wBXYDQA4".lower()) is None


@given(st.lists(st.integers(0, 62**8 - 1), min_size=2, max_size=20, unique=True))
def test_ids_of_a_sequence_differ(numbers: list[int]) -> None:
    """Also where case is lost, which is what the checksum is for."""
    ids = [from_sequence("00T", "Sim1", number) for number in numbers]
    assert len({record_id.lower() for record_id in ids}) == len(ids)


def test_ids_of_a_sequence_order_as_their_numbers() -> None:
    ids = [from_sequence("00T", "Sim1", number) for number in range(1, 500)]
    assert ids == sorted(ids)
