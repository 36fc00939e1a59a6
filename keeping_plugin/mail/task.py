"""What a Task says of a message: subject with its marker, text, date.

Limits: Object Reference, Task: Subject 255, Description 32,000.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final

from keeping_plugin.mail.body import head_of, read_body
from keeping_plugin.mail.clean import cut, length, one_line
from keeping_plugin.mail.effort import Effort, TextTooSlow
from keeping_plugin.types import Conversation, Direction, Message, Value

SUBJECT: Final = 255
DESCRIPTION: Final = 32_000
TOO_SLOW: Final = "text_too_slow"
_MAX_URL: Final = 2_000
_MARKED: Final = re.compile(r"\[k-[a-z2-7]{16}\]$")
# Salesforce keeps dates from 1700 to 4000; what lies outside is no date of a mail.
_YEARS: Final = range(1700, 4001)


def marker(installation_id: str, company_id: str, message_id: str, kind: str = "") -> str:
    """The 20 characters by which a message's Task is found again: `[k-` + 16 of base32 + `]`.

    `kind` tells several Tasks of one message apart; that of Log as Task has none. The ids go in as
    a JSON list, so that no two lists make one text.
    """
    named = [installation_id, company_id, message_id, *([kind] if kind else [])]
    ids = json.dumps(named, separators=(",", ":"))
    digest = base64.b32encode(hashlib.sha256(ids.encode()).digest()).decode("ascii").lower()
    return f"[k-{digest[:16]}]"


def has_marker(subject: str) -> bool:
    """Whether it ends as the Subject of a Task that an automation logged."""
    return _MARKED.search(subject) is not None


@dataclass(frozen=True, slots=True)
class TaskText:
    """A Task's own fields, and what the entry is to say of them: a code of wording.entries.NOTES,
    or None."""

    fields: dict[str, Value]
    note: str | None = None


def task_text(
    message: Message,
    *,
    conversation: Conversation | None,
    marker: str,
    zone: tzinfo = UTC,
    effort: Effort | None = None,
) -> TaskText:
    """The Task's own fields. Who it is about (WhoId) and its Status are the caller's. The body is
    read within `effort`, half a second unless told otherwise.

    ActivityDate is a day without a zone, which Salesforce shows as it stands: the day on which the
    message was sent in `zone`, that of the Salesforce user who logs it.
    `conversation` is None when the host has none any more: then the message's own subject is used
    and there is no link.
    """
    url = conversation.url if conversation else ""
    described = describe(message, url=url, effort=effort)
    about = (conversation.subject if conversation is not None else message.subject) or ""
    fields: dict[str, Value] = {
        "Subject": subject(about, direction=message.direction, marker=marker),
        "Description": described.text,
        # Set at creation, never changed afterwards (Object Reference, Task: TaskSubtype).
        "TaskSubtype": "Email",
        "Priority": "Normal",
    }
    sent_on = message.sent_at.astimezone(zone).date() if message.sent_at.year in _YEARS else None
    if sent_on is not None and sent_on.year in _YEARS:
        fields["ActivityDate"] = sent_on.isoformat()
    return TaskText(fields, None if described.whole_body else TOO_SLOW)


def subject(about: str, *, direction: Direction, marker: str) -> str:
    """At most 255 characters, naming the conversation and ending in the marker, which is never
    cut."""
    start = "Email received" if direction == Direction.INBOUND else "Email sent"
    name = one_line(about, SUBJECT) or "(no subject)"
    return cut(f"{start}: {name}", SUBJECT - len(marker) - 1) + " " + marker


@dataclass(frozen=True, slots=True)
class Description:
    """A Task's Description. `whole_body` is false when the body took too long to read."""

    text: str
    whole_body: bool = True


def describe(message: Message, *, url: str, effort: Effort | None = None) -> Description:
    """The message as a person would read it, at most 32,000 characters. When anything but quoted
    history was left out, it ends in a line that says so, with the conversation's address."""
    try:
        body = read_body(message, effort or Effort.begun())
    except TextTooSlow:
        return Description(_with(head_of(message), _TOO_SLOW, url), whole_body=False)
    text = body.reply.text
    if not text:
        return Description("(This message has no text.)")
    if body.cut or length(text) > DESCRIPTION:
        return Description(_with(text, _REST, url))
    return Description(_with(text, _SIGNATURE, url) if body.reply.left_out else text)


_REST: Final = "The rest of this message is in the conversation"
_SIGNATURE: Final = "A signature was left out; the full message is in the conversation"
_TOO_SLOW: Final = (
    "This text took too long to process, so only its beginning is shown here. The rest of "
    "this message is in the conversation"
)


def _with(text: str, sentence: str, url: str) -> str:
    url = one_line(url, _MAX_URL + 1)
    where = f": {url}" if url and len(url) <= _MAX_URL else " in the inbox."
    more = f"\n\n[…] {sentence}{where}"
    if length(text) > DESCRIPTION - length(more) and sentence is _SIGNATURE:
        return _with(text, _REST, url)
    return cut(text, DESCRIPTION - length(more)) + more
