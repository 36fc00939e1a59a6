"""What others wrote, printed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeping_plugin.wording.terminal import escaped


@pytest.mark.field_case("B12")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Müller & Söhne", "Müller & Söhne"),
        ("a\r\nb", "a\\r\\nb"),
        ("\x1b[2K", "\\x1b[2K"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egro.elpmaxe", "\\u202egro.elpmaxe"),
        ("Société\u00a0Générale\u3000", "Société Générale "),
        ("\ud800", "\\ud800"),
    ],
)
def test_control_characters_are_written_out(text: str, shown: str) -> None:
    assert escaped(text) == shown


@settings(derandomize=True)
@given(st.text(st.characters()))
def test_the_result_is_always_printable_and_one_line(text: str) -> None:
    assert escaped(text).isprintable()
    assert len(escaped(text).splitlines()) <= 1
