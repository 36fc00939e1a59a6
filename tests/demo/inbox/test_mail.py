"""Real mail is malformed in every way; it is read as well as can be, and never lost."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo.inbox.mime import message
from demo.inbox.mime.headers import Correspondent
from demo.inbox.mime.message import IncomingMail, UnreadableMail, read_mail

NOW = datetime(2026, 5, 6, 12, 0, tzinfo=UTC)


def read(*lines: str | bytes, body: bytes = b"Hello\n") -> IncomingMail:
    header = b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    return read_mail(header + b"\r\n\r\n" + body, now=NOW)


def sender(value: str | bytes) -> Correspondent | None:
    raw = value if isinstance(value, bytes) else value.encode()
    return read(b"From: " + raw, b"Date: Wed, 6 May 2026 10:00:00 +0000").sender


@pytest.mark.parametrize(
    ("written", "email", "name"),
    [
        ("Jo Doe <jo@example.com>", "jo@example.com", "Jo Doe"),
        ('"Doe, Jo" <jo@example.com>', "jo@example.com", "Doe, Jo"),
        ("jo@example.com (Jo Doe)", "jo@example.com", ""),
        ("=?iso-8859-1?Q?J=F8rn?= <jorn@example.com>", "jorn@example.com", "Jørn"),
        ("=?utf-8?B?4oCcSm/igJ0=?= <jo@example.com>", "jo@example.com", "“Jo”"),
        ("Jöhn <jöhn@mächine.example>", "jöhn@mächine.example", "Jöhn"),
        ("MAILER-DAEMON", "MAILER-DAEMON", ""),
        ("Jo <Jo.DOE+tag@Example.COM>", "Jo.DOE+tag@Example.COM", "Jo"),
    ],
)
def test_a_sender_is_read(written: str, email: str, name: str) -> None:
    assert sender(written) == Correspondent(email, name)


def test_an_address_is_never_made_up_from_a_malformed_one() -> None:
    """The parser would read this as `"Big Bug bb"@bug.com`: somebody else."""
    assert sender("Big Bug bb@bug.com") == Correspondent("Big Bug bb@bug.com")


def test_a_name_in_undeclared_latin_1_is_read() -> None:
    assert sender(b"J\xf8rn <jorn@example.com>") == Correspondent("jorn@example.com", "Jørn")


def test_nul_in_an_address_makes_it_no_address_rather_than_another() -> None:
    found = sender(b"ab\0cd@example.com")
    assert found is not None
    assert "\0" not in found.email
    assert "\ufffd" in found.email


def test_a_message_nobody_signed_has_no_sender() -> None:
    assert read("Subject: hello").sender is None


def test_sender_stands_in_for_a_missing_from() -> None:
    assert read("Sender: jo@example.com", "Subject: x").sender == Correspondent("jo@example.com")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["Date: Wed, 6 May 2026 10:00:00 +0200"], datetime(2026, 5, 6, 8, tzinfo=UTC)),
        (["Date: Wed, 6 May 2026 10:00:00 -0000"], datetime(2026, 5, 6, 10, tzinfo=UTC)),
        (["Date: 6 May 26 10:00:00 GMT"], datetime(2026, 5, 6, 10, tzinfo=UTC)),
        (
            ["Date: Mon, 30 Jun 3609 15:33:50 +0600", "Received: by mx; 5 May 2026 07:00:00 +0000"],
            datetime(2026, 5, 5, 7, tzinfo=UTC),
        ),
        (
            ["Date: sometime", "Received: by a; 5 May 2026 09:00:00 +0000"],
            datetime(2026, 5, 5, 9, tzinfo=UTC),
        ),
        (["Date: Wed, 99 May 2026 25:61:00 +9999"], NOW),
        (["Date: Fri, 1 Jan 1960 00:00:00 +0000"], NOW),
        (["Date: "], NOW),
        ([], NOW),
    ],
)
def test_a_bad_date_falls_back_to_received_then_to_now(
    headers: list[str], expected: datetime
) -> None:
    assert read("From: jo@example.com", *headers).sent_at == expected


@pytest.mark.field_case("C")
@pytest.mark.parametrize(
    ("written", "subject"),
    [
        ("=?utf-8?B?R3LDvMOf?=\r\n =?utf-8?B?ZSBhdXM=?=", "Grüße aus"),
        ("=?utf-8?B?R3LDvMOf?=\r\n\t=?UTF-8?q?e_aus?=", "Grüße aus"),
        ("=?utf-8?Q?Gr=C3=BC=C3?=\r\n =?utf-8?Q?=9Fe?= aus", "Grüße aus"),
        ("=?iso-8859-1?Q?Gr=FC?=\n  =?utf-8?B?w59l?=", "Grüße"),
        ("Re: =?utf-8?B?R3LDvMOf?=\r\n =?utf-8?B?ZQ==?=\r\n aus Oslo", "Re: Grüße aus Oslo"),
        ("=?utf-8?B?R3LDvMOfZQ==?= =?utf-8?B?YXVz?=", "Grüßeaus"),
        ("a plain one that\r\n was folded", "a plain one that was folded"),
    ],
)
def test_folded_encoded_words_of_a_subject_gain_no_blank(written: str, subject: str) -> None:
    assert read("From: jo@example.com", f"Subject: {written}").subject == subject


@pytest.mark.field_case("C")
def test_folded_encoded_words_of_a_name_gain_no_blank() -> None:
    written = "=?utf-8?B?SsO4?=\r\n =?utf-8?B?cm4=?= <jorn@example.com>"
    assert sender(written) == Correspondent("jorn@example.com", "Jørn")


def test_undisclosed_recipients_are_nobody() -> None:
    assert read("From: jo@example.com", "To: undisclosed-recipients:;").recipients == []


def test_references_come_nearest_first_and_once() -> None:
    mail = read(
        "From: jo@example.com",
        "Message-ID: <3@x>",
        "In-Reply-To: <2@x>",
        "References: <1@x> <invalid <2@x>",
    )
    assert (mail.reference, mail.answers) == ("3@x", ["2@x", "1@x"])


def test_a_line_that_is_no_field_does_not_hide_the_rest_of_the_header() -> None:
    mail = read("Received: by mx", "quite strange line: no", "From: jo@example.com", "Subject: Hi")
    assert (mail.sender, mail.subject) == (Correspondent("jo@example.com"), "Hi")
    assert mail.body.text == "Hello\n"


def test_blanks_before_the_colon_are_old_but_legal() -> None:
    mail = read("From  : Jo <jo@example.com>", "Subject     : Hi")
    assert (mail.sender, mail.subject) == (Correspondent("jo@example.com", "Jo"), "Hi")


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/plain; charset=iso-2022-jp", "すみません".encode("iso-2022-jp"), "すみません"),
        ("text/plain; charset=ks_c_5601-1987", "스티해".encode("euc-kr"), "스티해"),
        ("text/plain; charset=no-such-charset", "für".encode(), "für"),
        ("text/plain; charset=us-ascii", b"f\xfcr", "für"),
        ("text/plain; charset=utf-8", b"a\0b", "a\ufffdb"),
        ("text/plain; charset=\"'", b"plain", "plain"),
        ("multipart/mixed; boundary=never", b"just text", "just text"),
        ("multipart/mixed", b"no boundary at all", "no boundary at all"),
    ],
)
def test_text_is_read_in_whatever_charset_it_is(
    content_type: str, body: bytes, expected: str
) -> None:
    mail = read("From: jo@example.com", f"Content-Type: {content_type}", body=body)
    assert mail.body.text == expected


def test_an_attached_message_is_an_attachment_and_not_the_text() -> None:
    mail = read(
        "From: jo@example.com",
        "Content-Type: multipart/mixed; boundary=b",
        body=(
            b"--b\n\nOutside\n--b\nContent-Type: message/rfc822\n\n"
            b"From: x@example.com\nSubject: Inner\n\nInside\n--b--\n"
        ),
    )
    assert mail.body.text == "Outside"
    assert [(one.name, one.kind) for one in mail.body.attachments] == [("Inner", "message/rfc822")]


def test_a_very_deep_message_is_read() -> None:
    body = b"".join(
        b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (n, n + 1) for n in range(3000)
    )
    mail = read("From: jo@example.com", "Content-Type: multipart/mixed; boundary=b0", body=body)
    assert mail.sender == Correspondent("jo@example.com")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\r\n", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "no header"),
        (b"just some words\n", "no header"),
        (b"key: value\nother: thing\n", "no header"),
    ],
)
def test_what_is_no_message_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(UnreadableMail, match=reason):
        read_mail(raw, now=NOW)


def test_a_message_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message, "LARGEST", 100)
    with pytest.raises(UnreadableMail, match="at most 100"):
        read("From: jo@example.com", body=b"x" * 100)


def test_the_envelope_line_of_an_mbox_is_skipped() -> None:
    mail = read_mail(b"From jo Wed May  6\nFrom: jo@example.com\n\nHi", now=NOW)
    assert mail.sender == Correspondent("jo@example.com")


def test_every_real_message_is_read(shared: Path) -> None:
    files = sorted((shared / "mail" / "rubymail").rglob("*.eml"))
    assert len(files) == 103
    for file in files:
        mail = read_mail(file.read_bytes(), now=NOW)
        assert mail.sent_at <= NOW, file
        for text in (mail.subject, mail.body.text, mail.body.html, *mail.headers.values()):
            assert text is None or ("\0" not in text and text.encode()) or text == "", file
