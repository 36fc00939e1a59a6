"""How mail is put before people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from demo.inbox.mime.bodies import shown_text
from demo.inbox.models import Message
from demo.inbox.shown import initials, message_text, size, tint, when


def test_html_is_shown_as_its_words() -> None:
    page = "<p>Hi <b>you</b></p><script>alert(1)</script><ul><li>one</li></ul>"
    assert shown_text(None, page) == "Hi you\n\n  * one"


def test_plain_text_goes_before_html() -> None:
    assert shown_text("plain", "<p>html</p>") == "plain"
    assert shown_text(" \n", "<p>html</p>") == "html"


@pytest.mark.parametrize(
    "markup", ["", "<", "<!-- -->", "<p></p>", "\ufffd", "<div>" * 5000 + "deep"]
)
def test_strange_html_breaks_nothing(markup: str) -> None:
    assert isinstance(shown_text(None, markup), str)


@pytest.mark.parametrize(
    ("text", "said", "quoted"),
    [
        (
            "Yes.\n\nOn Tuesday, Jo wrote:\n> Will it?\n> Jo",
            "Yes.",
            "On Tuesday, Jo wrote:\n> Will it?\n> Jo",
        ),
        ("Yes.\n> Will it?\n", "Yes.", "> Will it?"),
        ("> all of it\n> is quoted", "> all of it\n> is quoted", ""),
        ("> Will it?\nYes.", "> Will it?\nYes.", ""),
        ("No quote.", "No quote.", ""),
        ("", "", ""),
    ],
)
def test_the_tail_that_repeats_earlier_mail_is_folded(text: str, said: str, quoted: str) -> None:
    shown = message_text(Message(text=text, html=None))
    assert (shown.text, shown.quoted) == (said, quoted)


def test_a_very_long_mail_says_how_much_is_left_out() -> None:
    assert message_text(Message(text="x" * 70_000, html=None)).cut == 10_000


def test_times_get_shorter_the_nearer_they_are() -> None:
    now = datetime(2026, 5, 6, 12, 0, tzinfo=UTC)
    assert when(datetime(2026, 5, 6, 9, 5, tzinfo=UTC), now) == "09:05"
    assert when(datetime(2026, 1, 4, tzinfo=UTC), now) == "4 Jan"
    assert when(datetime(2005, 6, 6, tzinfo=UTC), now) == "6 Jun 2005"


@pytest.mark.parametrize(
    ("name", "email", "expected"),
    [
        ("Anna de Boer", "a@x", "AB"),
        ("Anna de Boer (events)", "a@x", "AE"),
        ("", "j.moreira@example.net", "JM"),
        ("", None, "?"),
    ],
)
def test_initials(name: str, email: str | None, expected: str) -> None:
    assert initials(name, email) == expected


def test_a_colour_belongs_to_an_address() -> None:
    assert tint("Jo@example.com") == tint("jo@EXAMPLE.com")
    assert {tint(f"{n}@example.com") for n in range(50)} == set(range(6))
    assert tint(None) in range(6)


def test_sizes_are_for_people() -> None:
    assert [size(n) for n in (12, 34_200, 1_250_000)] == ["12 B", "34 kB", "1.2 MB"]
