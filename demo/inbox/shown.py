"""How mail is put before people: times, initials, sizes, and text with its quotes folded."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from demo.inbox.mime.bodies import shown_text
from demo.inbox.models import Message

_MAX_LENGTH = 60_000  # characters of one message on a page
_INTRODUCTION = re.compile(
    r"^(on .{4,200} wrote|-{2,}\s*original message\s*-{2,}).{0,40}$", re.IGNORECASE
)


class ShownText(NamedTuple):
    """`quoted` is the tail that repeats earlier mail; `cut` counts characters left out."""

    text: str
    quoted: str
    cut: int


def message_text(message: Message) -> ShownText:
    whole = shown_text(message.text, message.html)
    text = whole[:_MAX_LENGTH]
    lines = text.split("\n")
    start = _quote_start(lines)
    return ShownText(
        "\n".join(lines[:start]).rstrip(), "\n".join(lines[start:]).strip(), len(whole) - len(text)
    )


def _quote_start(lines: list[str]) -> int:
    """The line at which the mail begins to repeat what it answers; all lines when it never does."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    start = end
    while start and (lines[start - 1].startswith(">") or not lines[start - 1].strip()):
        start -= 1
    if not any(line.startswith(">") for line in lines[start:end]):
        start = end
    elif start and _INTRODUCTION.match(lines[start - 1].strip()):
        start -= 1
    # A mail that is nothing but a quote is shown as it is.
    return start if any(line.strip() for line in lines[:start]) else len(lines)


def when(moment: datetime, now: datetime | None = None) -> str:
    """A list's short time: 09:12 today, 4 Nov this year, else 4 Nov 2005 (UTC)."""
    now = now or datetime.now(UTC)
    if moment.date() == now.date():
        return f"{moment:%H:%M}"
    day = f"{moment.day} {moment:%b}"
    return day if moment.year == now.year else f"{day} {moment.year}"


def full_time(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def initials(name: str, email: str | None) -> str:
    words = re.findall(r"[^\s._\"'()-]+", name or (email or "").partition("@")[0])
    letters = [word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)]
    return "".join(letters).upper() or "?"


def tint(text: str | None) -> int:
    """One of six colours, always the same for the same person."""
    return zlib.crc32((text or "").lower().encode("utf-8", "replace")) % 6


def size(count: int) -> str:
    """Bytes for people."""
    if count < 1_000:
        return f"{count} B"
    return f"{count / 1_000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


FILTERS: dict[str, Callable[..., object]] = {
    "message_text": message_text,
    "when": when,
    "full_time": full_time,
    "tint": tint,
    "size": size,
}
