"""The text of a message as far as it is read: its plain text, or what its HTML says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from keeping_plugin.mail.clean import clean
from keeping_plugin.mail.effort import Effort
from keeping_plugin.mail.html import HTML_LIMIT, bare_text, html_to_text
from keeping_plugin.mail.reply import Reply, answers_below, is_forward, read_reply
from keeping_plugin.types import Message

# Twice what a Task's Description holds, so that history below a long answer is seen for what it is.
TEXT_READ: Final = 64 * 1024
HEAD: Final = 8_000  # characters of a body that takes too long
_LOOKED_THROUGH: Final = 4 * 1024 * 1024  # for lines beyond TEXT_READ that are not quoted
_UNQUOTED: Final = re.compile(r"^[ \t]{0,20}[^>\s]", re.MULTILINE)
_CITATION: Final = re.compile(r"^>$", re.MULTILINE)  # what html_to_text writes for one


@dataclass(frozen=True, slots=True)
class Body:
    """What a message adds to its conversation, and whether that is all: `cut` when text of its
    sender's goes on beyond it."""

    reply: Reply
    cut: bool = False


def read_body(message: Message, effort: Effort) -> Body:
    """At most 65,536 characters, cleaned, without history and signature. Raises TextTooSlow."""
    subject = (message.subject or "")[:1_000]
    text = clean((message.text or "")[:TEXT_READ])
    if text.strip() or not message.html:
        effort.check()
        reply = read_reply(text, subject=subject, effort=effort)
        unread = (message.text or "")[TEXT_READ : TEXT_READ + _LOOKED_THROUGH]
        return Body(reply, bool(unread) and _goes_on(text, reply, unread))
    reply, whole = _from_html(
        message.html, subject, effort, citations=is_forward(subject, message.html)
    )
    if answers_below(reply.text) or _CITATION.search(reply.text):
        reply, whole = _from_html(message.html, subject, effort, citations=True)
    return Body(reply, not whole)


def head_of(message: Message) -> str:
    """The beginning of a body, as it stands there: for one that takes too long to read."""
    text = clean((message.text or "")[:HEAD])
    if text.strip() or not message.html:
        return text
    return bare_text(clean(message.html[: 4 * HEAD])).strip()[:HEAD]


def _from_html(html: str, subject: str, effort: Effort, *, citations: bool) -> tuple[Reply, bool]:
    """Its new part, and whether nothing but history was left unread."""
    text = html_to_text(html, citations=citations, effort=effort)
    read = text[:TEXT_READ]
    reply = read_reply(read, subject=subject, effort=effort)
    whole = len(text) <= TEXT_READ and len(html) <= HTML_LIMIT
    return reply, whole or not _is_end(read, reply)


def _goes_on(text: str, reply: Reply, unread: str) -> bool:
    """Text that goes on beyond what was read goes on below its history, unless there was none, or
    lines without marks follow quoted ones."""
    if _is_end(text, reply):
        return True
    last = text.rpartition("\n")[2] or text.rstrip("\n").rpartition("\n")[2]
    return last.lstrip().startswith(">") and bool(_UNQUOTED.search(unread, unread.find("\n") + 1))


def _is_end(text: str, reply: Reply) -> bool:
    return text.rstrip().endswith(reply.text[-200:])
