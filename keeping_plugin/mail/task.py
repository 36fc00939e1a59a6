"""What a Task says of a message: subject with its marker, text, date.

Limits: Object Reference, Task: Subject 255, Description 32,000.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC
from typing import Final

from keeping_plugin.mail.body import text_of
from keeping_plugin.mail.clean import cut, length, one_line
from keeping_plugin.mail.reply import new_part
from keeping_plugin.types import Conversation, Direction, Message, Value

SUBJECT: Final = 255
DESCRIPTION: Final = 32_000
_LONGEST_URL: Final = 2_000
# Salesforce keeps dates from 1700 to 4000; what lies outside is no date of a mail.
_YEARS: Final = range(1700, 4001)


def marker(installation_id: str, company_id: str, message_id: str) -> str:
    """The 20 characters by which a message's Task is found again: `[k-` + 16 of base32 + `]`.

    The three ids go in as a JSON list, so that no two triples make one text.
    """
    ids = json.dumps([installation_id, company_id, message_id], separators=(",", ":"))
    digest = base64.b32encode(hashlib.sha256(ids.encode()).digest()).decode("ascii").lower()
    return f"[k-{digest[:16]}]"


def task_fields(
    message: Message, *, conversation: Conversation | None, marker: str
) -> dict[str, Value]:
    """The Task's own fields. Who it is about (WhoId) and its Status are the caller's.

    `conversation` is None when the host has none any more: then the message's own subject is used
    and there is no link.
    """
    about = (conversation.subject if conversation is not None else message.subject) or ""
    fields: dict[str, Value] = {
        "Subject": subject(about, direction=message.direction, marker=marker),
        "Description": description(message, url=conversation.url if conversation else ""),
        # Set at creation, never changed afterwards (Object Reference, Task: TaskSubtype).
        "TaskSubtype": "Email",
        "Priority": "Normal",
    }
    sent_on = message.sent_at.astimezone(UTC).date() if message.sent_at.year in _YEARS else None
    if sent_on is not None and sent_on.year in _YEARS:
        fields["ActivityDate"] = sent_on.isoformat()
    return fields


def subject(about: str, *, direction: Direction, marker: str) -> str:
    """At most 255 characters, naming the conversation and ending in the marker, which is never
    cut."""
    start = "Email received" if direction == Direction.INBOUND else "Email sent"
    name = one_line(about, SUBJECT) or "(no subject)"
    return cut(f"{start}: {name}", SUBJECT - len(marker) - 1) + " " + marker


def description(message: Message, *, url: str) -> str:
    """The message as a person would read it, at most 32,000 characters; when it was longer it ends
    in a line that says so, with the conversation's address."""
    text, whole = _new_text(message)
    if not text:
        return "(This message has no text.)"
    if whole and length(text) <= DESCRIPTION:
        return text
    url = one_line(url, _LONGEST_URL + 1)
    where = f": {url}" if url and len(url) <= _LONGEST_URL else " in the inbox."
    more = f"\n\n[…] The rest of this message is in its conversation{where}"
    return cut(text, DESCRIPTION - length(more)) + more


def _new_text(message: Message) -> tuple[str, bool]:
    """The text worth reading, and whether all of it was read."""
    read, whole = text_of(message)
    new = new_part(read)
    # Text that goes on beyond what was read goes on below its history, unless there was none.
    return new, whole or not read.rstrip().endswith(new[-200:])
