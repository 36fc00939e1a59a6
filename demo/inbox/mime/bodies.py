"""What a message says: its text, its HTML, and the names of what is attached to it."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig
from lxml.etree import LxmlError
from lxml.html import fromstring

from demo.inbox.mime.headers import Fields, clean, decoded_words

_FAILURES = (AttributeError, LookupError, TypeError, ValueError, binascii.Error)
_STRICT = ParserConfig(css=CSS_PROFILES["strict"])
# Reading HTML takes time and stack in proportion to what a stranger sent.
_HTML_LIMIT = 512_000


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as it was sent."""

    name: str
    kind: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Body:
    """`text` and `html` are None when the message has no such part."""

    text: str | None
    html: str | None
    attachments: tuple[Attachment, ...]


def read_body(message: Message) -> Body:
    """The parts of a message, whatever is wrong with them. Alternatives are not joined: the first
    HTML part stands beside the plain text that says the same."""
    texts: list[str] = []
    pages: list[str] = []
    attachments: list[Attachment] = []
    for part in _leaves(message):
        kind = part.get_content_type()
        if part.get_content_maintype() == "multipart":
            # It says it has parts, and has none: whatever it holds is its text.
            texts += [text] if (text := _text(part)).strip() else []
            continue
        if kind not in ("text/plain", "text/html") or _is_attached(part):
            attachments.append(_attachment(part, kind))
            continue
        (texts if kind == "text/plain" else pages).append(_text(part))
    return Body(
        text="\n\n".join(texts) if texts else None,
        html="\n".join(pages) if pages else None,
        attachments=tuple(attachments),
    )


def shown_text(text: str | None, html: str | None) -> str:
    """What a page shows of a message: its plain text, else the words of its HTML. No markup of a
    stranger's ever reaches the page."""
    if text is not None and text.strip():
        return text.strip()
    if not html or not html.strip():
        return ""
    page = html[:_HTML_LIMIT]
    try:
        words = get_text(page, _STRICT)
    except (RecursionError, LxmlError, ValueError):
        words = ""
    return (words or _bare_text(page)).strip()


def _bare_text(page: str) -> str:
    try:
        return str(fromstring(page.encode(), parser=None).text_content())
    except (RecursionError, LxmlError, ValueError):
        return ""


def _leaves(message: Message) -> Iterator[Message]:
    """Parts that hold something; an attached message is one part, not its own parts."""
    stack = [message]
    while stack:
        part = stack.pop()
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            stack.extend(child for child in reversed(payload) if isinstance(child, Message))
        else:
            yield part


def _is_attached(part: Message) -> bool:
    try:
        return part.get_content_disposition() == "attachment"
    except _FAILURES:
        return False


def _text(part: Message) -> str:
    raw = _bytes(part)
    try:
        named = str(part.get_content_charset() or "utf-8")
    except _FAILURES:
        named = "utf-8"
    for charset in (named, "utf-8", "cp1252"):
        try:
            return clean(raw.decode(charset)).replace("\r\n", "\n")
        except (LookupError, ValueError):
            continue
    return clean(raw.decode("latin-1")).replace("\r\n", "\n")


def _bytes(part: Message) -> bytes:
    try:
        decoded = part.get_payload(decode=True)
    except _FAILURES:
        decoded = None
    if isinstance(decoded, bytes):
        return decoded
    payload = part.get_payload()
    if isinstance(payload, str):
        return payload.encode("utf-8", "surrogateescape")
    return b"".join(child.as_bytes() for child in payload if isinstance(child, Message))


def _attachment(part: Message, kind: str) -> Attachment:
    try:
        name = part.get_filename()
    except _FAILURES:
        name = None
    if not name and kind == "message/rfc822":
        payload = part.get_payload()
        inner = payload[0] if isinstance(payload, list) and payload else None
        name = Fields(inner).text("subject") if isinstance(inner, Message) else None
    try:
        content = _bytes(part)
    except _FAILURES:
        content = b""
    shown = " ".join(clean(decoded_words(str(name or kind))).split())
    return Attachment(shown[:200], clean(kind)[:100], content)
