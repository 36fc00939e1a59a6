"""Raw mail into the values that the inbox stores."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser

from demo.inbox.mime.bodies import Body, read_body
from demo.inbox.mime.headers import Correspondent, Fields

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_PARSER_FAILURES = (
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
LARGEST = 50_000_000  # bytes; what mail servers commonly accept
_HEADER_LENGTH = 2_000  # characters kept of one field
_KNOWN = frozenset(
    "from to cc bcc sender reply-to return-path subject date message-id in-reply-to references "
    "received mime-version content-type delivered-to".split()
)


class UnreadableMail(ValueError):
    """These bytes are no email message; the text says why, in words for the sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMail:
    """A message as its bytes tell it. `sender` is None when nobody signed it; addresses are as
    they stood, valid or not. `reference` is its Message-ID, `answers` those it refers to, nearest
    first."""

    sender: Correspondent | None
    recipients: Sequence[Correspondent]
    subject: str
    sent_at: datetime
    reference: str
    answers: Sequence[str]
    headers: Mapping[str, str]
    body: Body


def read_mail(raw: bytes, *, now: datetime) -> IncomingMail:
    """Read a message. Whatever is merely malformed in it is read as well as can be; UnreadableMail
    is for bytes that are no message."""
    if not raw.strip():
        raise UnreadableMail("it is empty")
    if len(raw) > LARGEST:
        raise UnreadableMail(f"it has {len(raw):,} bytes; at most {LARGEST:,} are taken")
    message = _parse(raw)
    if "from" not in message:
        mended = _parse(_mended(raw))
        message = mended if "from" in mended else message
    fields = Fields(message)
    plain = fields.plain()
    if not _KNOWN & plain.keys():
        raise UnreadableMail("it has no header of an email message")
    senders = fields.addresses("from") or fields.addresses("sender")
    return IncomingMail(
        sender=senders[0] if senders else None,
        recipients=[*fields.addresses("to"), *fields.addresses("cc")],
        subject=plain.get("subject", "")[:_HEADER_LENGTH],
        sent_at=fields.date(now=now),
        reference=next(iter(fields.ids("message-id")), ""),
        answers=list(
            dict.fromkeys([*fields.ids("in-reply-to"), *reversed(fields.ids("references"))])
        ),
        headers={name: value[:_HEADER_LENGTH] for name, value in plain.items()},
        body=read_body(message),
    )


def _mended(raw: bytes) -> bytes:
    """The same message with a header that the parser reads to its end: it gives up at the first
    line that is no field, and takes the rest for the body. Such a line continues the one before;
    blanks before a colon, which old software wrote (RFC 5322, section 4.5), go."""
    header, blank, body = re.sub(rb"\r\n?", b"\n", raw.lstrip()).partition(b"\n\n")
    lines = []
    for line in header.split(b"\n"):
        field = _FIELD.match(line)
        if field:
            lines.append(field[1] + b":" + line[field.end() :])
        else:
            lines.append(line if line[:1] in b" \t" else b" " + line)
    return b"\n".join(lines) + blank + body


def _parse(raw: bytes) -> Message:
    # Some mail stores put the mbox envelope in front of each file.
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    raw = raw.lstrip(b"\r\n")
    try:
        return BytesParser(policy=policy.compat32).parsebytes(raw)
    except _PARSER_FAILURES:
        # Parts within parts, a thousand deep: then the body is shown as it came.
        return BytesHeaderParser(policy=policy.compat32).parsebytes(raw)
