"""Subject, marker, description and date of a Task."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeping_plugin.mail.clean import length
from keeping_plugin.mail.task import marker, subject, task_text
from keeping_plugin.time_zones import zone
from keeping_plugin.types import Address, Conversation, Direction, Message

ANNA = Address("anna@customer.example", "Anna Smith")
MARK = marker("installation", "acme", "m1")
URL = "https://inbox.example/c/1"


def message(**changes: Any) -> Message:
    values: dict[str, Any] = {
        "company_id": "acme",
        "mailbox_id": "sales",
        "conversation_id": "c1",
        "message_id": "m1",
        "direction": Direction.INBOUND,
        "opens_conversation": True,
        "customer": ANNA,
        "sender": ANNA,
        "recipients": (),
        "sent_at": datetime(2026, 5, 6, 9, 30, tzinfo=UTC),
        "subject": "Re: order",
        "text": "Where is it?",
    }
    return Message(**{**values, **changes})


def conversation(about: str = "Where is my order?", url: str = URL) -> Conversation:
    return Conversation("c1", "sales", about, url, customer=ANNA)


def fields(**changes: Any) -> dict[str, Any]:
    return task_text(message(**changes), conversation=conversation(), marker=MARK).fields


def description(**changes: Any) -> str:
    return str(fields(**changes)["Description"])


def test_a_logged_mail() -> None:
    assert fields() == {
        "Subject": f"Email received: Where is my order? {MARK}",
        "Description": "Where is it?",
        "ActivityDate": "2026-05-06",
        "TaskSubtype": "Email",
        "Priority": "Normal",
    }
    assert fields(direction=Direction.OUTBOUND)["Subject"].startswith("Email sent: ")


class TestMarker:
    def test_is_made_as_documented(self) -> None:
        digest = hashlib.sha256(b'["installation","acme","m1"]').digest()
        encoded = base64.b32encode(digest).decode().lower()
        assert f"[k-{encoded[:16]}]" == MARK
        assert len(MARK) == 20

    def test_differs_for_ids_that_only_join_to_the_same_text(self) -> None:
        triples = [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("a", 'b","c', "")]
        triples += [
            ("a", "c", "b"),
            ("a", "b", "C"),
            ("a", "b", "c "),
            ("a", "b", "é"),
            ("a", "b", "e\u0301"),
        ]
        assert len({marker(*triple) for triple in triples}) == len(triples)

    def test_differs_for_the_kinds_of_one_message(self) -> None:
        kinds = [marker("a", "b", "c"), marker("a", "b", "c", "call"), marker("a", "b", "call")]
        assert len(set(kinds)) == len(kinds)

    def test_takes_any_id(self) -> None:
        assert len(marker("i", "//evil.example/x", "🌸\u2028" * 100)) == 20


class TestSubject:
    @settings(derandomize=True, deadline=None)
    @given(st.text() | st.text(st.characters(categories=["Cs", "Cc", "So", "Mn"]), min_size=100))
    def test_fits_and_ends_in_the_marker_whatever_the_conversation_is_called(
        self, about: str
    ) -> None:
        made = subject(about, direction=Direction.INBOUND, marker=MARK)
        assert length(made) <= 255
        assert made.endswith(" " + MARK)
        assert "\n" not in made
        made.encode("utf-8")

    def test_is_cut_before_the_marker(self) -> None:
        made = subject("x" * 300, direction=Direction.INBOUND, marker=MARK)
        assert len(made) == 255
        assert made.endswith("x " + MARK)

    def test_counts_an_emoji_as_two_and_never_halves_one(self) -> None:
        made = subject("👩‍👩‍👧" * 100, direction=Direction.INBOUND, marker=MARK)
        assert length(made) <= 255
        assert made.removesuffix(" " + MARK).endswith("👧")

    @pytest.mark.parametrize("about", ["", "  \n", "\0", "\ud800"[:0]])
    def test_says_when_the_conversation_has_none(self, about: str) -> None:
        made = subject(about, direction=Direction.INBOUND, marker=MARK)
        assert made == f"Email received: (no subject) {MARK}"

    def test_of_a_conversation_that_is_gone_is_the_messages_own(self) -> None:
        made = task_text(message(), conversation=None, marker=MARK).fields
        assert made["Subject"] == f"Email received: Re: order {MARK}"

    def test_a_marker_in_the_subject_itself_is_not_at_its_end(self) -> None:
        foreign = marker("installation", "acme", "other")
        made = subject(f"Re: {foreign}", direction=Direction.INBOUND, marker=MARK)
        assert made.endswith(MARK)


class TestDescription:
    def test_is_the_text_without_history_and_signature(self) -> None:
        old = "On Mon, May 4, 2026 Bob <b@x.example> wrote:\n> so?"
        assert description(text=f"Yes.\n\n{old}") == "Yes."
        text = description(text=f"Yes.\n\n-- \nAnna\n\n{old}")
        assert text == (
            "Yes.\n\n[…] A signature was left out; the full message is in the conversation: " + URL
        )

    def test_is_made_from_html_where_there_is_no_text(self) -> None:
        assert description(text=" \n", html="<p>Hello &amp; bye</p>") == "Hello & bye"
        assert description(text=None, html="<p>Hello</p>") == "Hello"

    def test_prefers_the_text_its_sender_wrote(self) -> None:
        assert description(text="plain", html="<p>rich</p>") == "plain"

    @pytest.mark.parametrize("text", [None, "", " \n\t", "\0"])
    def test_says_when_there_is_none(self, text: str | None) -> None:
        assert description(text=text) == "(This message has no text.)"

    def test_of_32_000_characters_is_whole(self) -> None:
        assert description(text="x" * 32_000) == "x" * 32_000

    @pytest.mark.parametrize(
        "text",
        ["x" * 32_001, "x" * 2_000_000, "word " * 12_000, "🌸" * 16_001, "y" * 10_000_000],
        ids=["32,001", "2 MB", "one 60 KB line", "emoji", "10 MB"],
    )
    def test_that_is_longer_is_cut_and_leads_to_the_conversation(self, text: str) -> None:
        made = description(text=text)
        assert 31_000 < length(made) <= 32_000
        assert made.endswith(URL)
        assert made.encode("utf-8")

    def test_is_whole_when_only_its_history_was_longer(self) -> None:
        text = "Yes.\n\nOn Mon, May 4, 2026 Bob <b@x.example> wrote:\n" + "> so?\n" * 100_000
        assert description(text=text) == "Yes."

    def test_without_a_usable_address_says_where_the_rest_is(self) -> None:
        made = task_text(
            message(text="x" * 40_000),
            conversation=conversation(url="https://inbox.example/" + "y" * 40_000),
            marker=MARK,
        ).fields
        assert str(made["Description"]).endswith("is in the conversation in the inbox.")
        assert length(str(made["Description"])) <= 32_000

    def test_is_clean(self) -> None:
        assert description(text="a\0b\x1b\r\nc\ud800d\u2028e\ud83d\ude00") == "ab\nc\ufffdd\ne😀"

    @pytest.mark.parametrize("html", ["<div>" * 5_000 + "deep", "<b>" * 100_000 + "deep"])
    def test_survives_nested_tags(self, html: str) -> None:
        assert "deep" in description(text=None, html=html)


class TestDate:
    def test_is_the_day_in_utc_where_no_zone_is_known(self) -> None:
        late = datetime(2026, 5, 6, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
        assert fields(sent_at=late)["ActivityDate"] == "2026-05-07"

    @pytest.mark.field_case("A13")
    @pytest.mark.parametrize(
        ("sent_at", "name", "day"),
        [
            ("2026-11-29T17:30-08:00", "America/Los_Angeles", "2026-11-29"),
            ("2026-11-29T17:30-08:00", "Asia/Tokyo", "2026-11-30"),
            ("2026-11-29T17:30-08:00", "GMT", "2026-11-30"),
            # An hour that only summer time has, and the one that comes twice.
            ("2026-07-31T22:30+00:00", "Europe/Amsterdam", "2026-08-01"),
            ("2026-01-31T22:30+00:00", "Europe/Amsterdam", "2026-01-31"),
            ("2026-10-24T22:30+00:00", "Europe/Amsterdam", "2026-10-25"),
            ("2026-10-25T22:30+00:00", "Europe/Amsterdam", "2026-10-25"),
            ("2026-03-08T07:59+00:00", "America/Los_Angeles", "2026-03-07"),
            ("2026-03-09T06:59+00:00", "America/Los_Angeles", "2026-03-08"),
            # Names as Salesforce still spells them, and offsets of parts of an hour.
            ("2026-05-06T18:29+00:00", "Asia/Calcutta", "2026-05-06"),
            ("2026-05-06T18:31+00:00", "Asia/Kolkata", "2026-05-07"),
            ("2026-05-06T09:59+00:00", "Pacific/Kiritimati", "2026-05-06"),
            ("2026-05-06T10:00+00:00", "Pacific/Kiritimati", "2026-05-07"),
        ],
    )
    def test_is_the_day_of_the_user_who_logs_it(self, sent_at: str, name: str, day: str) -> None:
        sent = message(sent_at=datetime.fromisoformat(sent_at))
        made = task_text(sent, conversation=None, marker=MARK, zone=zone(name)).fields
        assert made["ActivityDate"] == day

    @pytest.mark.parametrize("year", [1, 1699, 4001, 9999])
    def test_that_salesforce_does_not_know_is_left_out(self, year: int) -> None:
        zones = [UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))]
        for each in zones:
            sent = message(sent_at=datetime(year, 6, 1, tzinfo=each))
            for name in ("GMT", "Pacific/Kiritimati", "America/Los_Angeles"):
                made = task_text(sent, conversation=None, marker=MARK, zone=zone(name)).fields
                assert "ActivityDate" not in made
