"""A mailbox's messages since a time, page by page, without their texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime

from keeping_plugin.ports import HelpDesk
from keeping_plugin.types import Message, MessageArrived

_FIELDS = tuple(each.name for each in fields(MessageArrived))


@dataclass(frozen=True, slots=True)
class Page:
    """Messages of one page, oldest first as far as the host keeps to it; those deleted meanwhile
    are left out. `last_id` is where the next page begins."""

    last_id: str
    messages: tuple[MessageArrived, ...]


def pages(
    helpdesk: HelpDesk,
    company_id: str,
    mailbox_id: str,
    since: datetime,
    *,
    after: str | None = None,
    limit: int = 500,
) -> Iterator[Page]:
    """Each page is asked for when it is wanted; no two bodies are held at once."""
    while True:
        ids = list(helpdesk.message_ids(company_id, mailbox_id, since, after, limit))
        if not ids:
            return
        places = {message_id: place for place, message_id in enumerate(ids)}
        found = [without_text(message) for message in helpdesk.messages(company_id, ids)]
        known = [message for message in found if message.message_id in places]
        known.sort(key=lambda message: places[message.message_id])
        yield Page(ids[-1], tuple(known))
        if ids[-1] == after:
            raise ValueError("HelpDesk.message_ids gave the same page twice")
        after = ids[-1]


def without_text(message: Message) -> MessageArrived:
    """What the rules judge of a message."""
    return MessageArrived(**{name: getattr(message, name) for name in _FIELDS})
