"""Text that a stranger made to take long is read in linear time, or not to its end."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from benchmarks.hostile_text import READERS, SHAPES
from keeping_plugin.mail.body import HEAD
from keeping_plugin.mail.effort import SECONDS, Effort, TextTooSlow
from keeping_plugin.mail.html import html_to_text
from keeping_plugin.mail.reply import read_reply
from keeping_plugin.mail.tags import without_tags
from keeping_plugin.mail.task import describe
from keeping_plugin.services.panel.display import of_value
from keeping_plugin.types import Address, Direction, FieldSpec, Message

KIM = Address("kim@customer.example", "Kim Lee")
URL = "https://inbox.example/c/1"


def message(text: str | None, html: str | None = None) -> Message:
    return Message(
        company_id="acme",
        mailbox_id="sales",
        conversation_id="c1",
        message_id="m1",
        direction=Direction.INBOUND,
        opens_conversation=True,
        customer=KIM,
        sender=KIM,
        recipients=(),
        sent_at=datetime(2026, 5, 6, 9, 30, tzinfo=UTC),
        subject="Re: order",
        text=text,
        html=html,
    )


@pytest.mark.field_case("B1")
@pytest.mark.parametrize("reader", READERS)
def test_no_shape_takes_longer_than_the_budget(reader: str) -> None:
    """At 32 KB, in processor time; `make bench ONLY=hostile` measures sizes and growth."""
    slow = {}
    for name, shape in SHAPES.items():
        text = shape.text(32 * 1024)
        began = time.thread_time()
        READERS[reader](text)
        took = time.thread_time() - began
        if took > SECONDS:
            slow[name] = took
    assert len(SHAPES) >= 60
    assert not slow


@pytest.mark.field_case("B1")
def test_thirty_thousand_lines_of_an_em_space_are_read_within_the_budget() -> None:
    mail = message("\u2003\n" * 30_000)
    began = time.thread_time()
    made = describe(mail, url=URL)
    assert time.thread_time() - began < SECONDS
    assert made.text == "(This message has no text.)"
    assert made.whole_body
    letter = describe(message("Hello" + "\u2003\n" * 30_000 + "Kim"), url=URL)
    assert letter.text == "Hello\u2003\n\nKim"


@pytest.mark.field_case("B10")
def test_brackets_in_a_rich_text_field_are_shown_within_the_budget() -> None:
    rich = FieldSpec(name="Notes__c", label="Notes", type="textarea", html_formatted=True)
    began = time.thread_time()
    made = of_value(rich, "<" * 131_072)
    assert time.thread_time() - began < SECONDS
    assert made.text == "<" * 131_072


@pytest.mark.field_case("B1")
@pytest.mark.parametrize(
    ("text", "html"),
    [("word " * 20_000, None), (None, "<p>word</p>" * 20_000)],
    ids=["text", "html"],
)
def test_a_body_over_the_budget_is_logged_with_its_head_and_a_link(
    text: str | None, html: str | None
) -> None:
    made = describe(message(text, html), url=URL, effort=Effort.begun(0.0))
    assert not made.whole_body
    assert made.text.startswith("word")
    assert HEAD - 100 < made.text.index("[…]") < HEAD + 100
    assert made.text.endswith(
        "This text took too long to process, so only its beginning is shown here. The rest "
        f"of this message is in the conversation: {URL}"
    )


def test_every_step_asks_for_the_budget() -> None:
    over = Effort.begun(-1.0)
    with pytest.raises(TextTooSlow):
        html_to_text("<p>word</p>", effort=over)
    with pytest.raises(TextTooSlow):
        read_reply("word", effort=over)


@pytest.mark.parametrize("digits", ["9" * 5_000, "x" + "f" * 5_000])
def test_the_number_of_no_character_is_left_out(digits: str) -> None:
    assert without_tags(f"a&#{digits};b &#128512; &#x1F600;") == "ab 😀 😀"
    assert "b" in html_to_text("<div>" * 300 + f"a&#{digits};b")


def test_text_behind_a_bracket_that_opens_no_tag_is_read() -> None:
    text = "We want 5 < 6, " + "and more, " * 1_000 + "please."
    assert html_to_text(f"<p>{text}").split() == text.split()
