"""A mailbox's messages since a time, page by page, without their texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from time import monotonic
from typing import cast

from keeping_plugin.errors import HelpDeskFailed
from keeping_plugin.ports import HelpDesk, MessageFacts
from keeping_plugin.types import MessageArrived

FEW = 5  # messages that could not be read, and none that could: is it the host?

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
    seconds: float | None = None,
    unread: list[str] | None = None,
) -> Iterator[Page]:
    """Each page is asked for when it is wanted; no two bodies are held at once, and none is fetched
    where the host tells of messages without them. A page ends early once reading it has taken these
    `seconds`: a host may take half a second for each body.

    Raises what the host raises. With `unread`, messages are asked for one by one, and those for
    which a guarded HelpDesk fails while it answers for others are put there and left out."""
    while True:
        ids = list(helpdesk.message_ids(company_id, mailbox_id, since, after, limit))
        if not ids:
            return
        if ids[-1] == after:
            raise ValueError("HelpDesk.message_ids gave the same page twice")
        began = monotonic()
        found: list[MessageArrived] = []
        failed: list[str] = []
        error: HelpDeskFailed | None = None
        whole = unread is None and (seconds is None or tells_facts(helpdesk))
        read, step = 0, limit if whole else 1
        while read < len(ids) and (seconds is None or monotonic() - began < seconds or not read):
            try:
                found += facts_of(helpdesk, company_id, ids[read : read + step])
            except HelpDeskFailed as raised:
                if unread is None:
                    raise
                error = raised
                failed += ids[read : read + step]
            read += step
            step *= 2 if unread is None else 1
            if len(failed) == read == FEW:
                break
        if error is not None and len(failed) >= read and not _answers(helpdesk, company_id, after):
            raise error
        if unread is not None:
            unread += failed
        ids = ids[:read]
        yield Page(ids[-1], tuple(found))
        after = ids[-1]


def _answers(helpdesk: HelpDesk, company_id: str, message_id: str | None) -> bool:
    """Whether the host answers for a message of before."""
    if message_id is None:
        return False
    try:
        facts_of(helpdesk, company_id, [message_id])
    except HelpDeskFailed:
        return False
    return True


def tells_facts(helpdesk: HelpDesk) -> bool:
    """Whether the host tells of messages without their bodies."""
    return callable(getattr(helpdesk, "message_facts", None))


def facts_of(helpdesk: HelpDesk, company_id: str, ids: Sequence[str]) -> list[MessageArrived]:
    """Those of these messages that are there, in this order, without their texts. Raises what the
    host raises."""
    ask = cast(MessageFacts, helpdesk).message_facts if tells_facts(helpdesk) else None
    told = (ask or helpdesk.messages)(company_id, ids)
    known = {message.message_id: without_text(message) for message in told}
    return [known[each] for each in ids if each in known]


def without_text(message: MessageArrived) -> MessageArrived:
    """What the rules judge of a message."""
    return MessageArrived(**{name: getattr(message, name) for name in _FIELDS})
