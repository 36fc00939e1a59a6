"""What the pages list, always within one company."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, or_, select

from demo.inbox.database import db
from demo.inbox.models import AttachedFile, Conversation, Mailbox, Message

PAGE = 30


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of conversations, newest first; `total` counts all of them."""

    rows: Sequence[Conversation]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def mailboxes(company_id: str) -> Sequence[Mailbox]:
    return db.session.scalars(
        select(Mailbox).where(Mailbox.company_id == company_id).order_by(Mailbox.position)
    ).all()


def mailbox(company_id: str, mailbox_id: str) -> Mailbox | None:
    return db.session.scalar(
        select(Mailbox).where(Mailbox.company_id == company_id, Mailbox.id == mailbox_id)
    )


def awaiting_reply(company_id: str) -> Mapping[str, int]:
    """How many conversations of each mailbox wait for an answer."""
    rows = db.session.execute(
        select(Conversation.mailbox_id, func.count())
        .where(Conversation.company_id == company_id, Conversation.awaits_reply)
        .group_by(Conversation.mailbox_id)
    )
    return {row[0]: row[1] for row in rows}


def conversation(company_id: str, conversation_id: int) -> Conversation | None:
    return db.session.scalar(
        select(Conversation).where(
            Conversation.company_id == company_id, Conversation.id == conversation_id
        )
    )


def messages(conversation_id: int) -> Sequence[Message]:
    """The messages of a conversation, oldest first."""
    return db.session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation_id)
        .order_by(Message.sent_at, Message.id)
    ).all()


def attached(company_id: str, message_id: str, place: int) -> tuple[str, str, bytes] | None:
    """The name, the kind and the content of one attachment of a message of this company."""
    message = db.session.get(Message, message_id)
    found = db.session.get(AttachedFile, (message_id, place))
    if message is None or found is None or message.company_id != company_id:
        return None
    name, kind, _ = message.attachments[place]
    return name, kind, found.content


def conversations(company_id: str, *, mailbox_id: str | None, words: str, page: int) -> Listing:
    """Conversations that hold every one of the words in their subject, people or text."""
    query = select(Conversation).where(Conversation.company_id == company_id)
    if mailbox_id is not None:
        query = query.where(Conversation.mailbox_id == mailbox_id)
    for word in words.split()[:8]:
        query = _with_word(query, word)
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = min(max(page, 1), max(1, -(-total // PAGE)))
    rows = db.session.scalars(
        query.order_by(Conversation.last_at.desc(), Conversation.id.desc())
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    ).all()
    return Listing(rows, total, page)


def _with_word(query: Select[Conversation], word: str) -> Select[Conversation]:
    said = select(Message.conversation_id).where(
        Message.company_id == Conversation.company_id,
        or_(
            Message.subject.icontains(word, autoescape=True),
            Message.text.icontains(word, autoescape=True),
        ),
    )
    return query.where(
        or_(
            Conversation.subject.icontains(word, autoescape=True),
            Conversation.customer_name.icontains(word, autoescape=True),
            Conversation.customer_email.icontains(word, autoescape=True),
            Conversation.id.in_(said),
        )
    )
