"""The one way into the inbox: every message, live, imported or written here, is stored by `store`,
and the Salesforce plugin hears of it in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from demo.inbox.database import db, writing
from demo.inbox.mime.bodies import Attachment, Body, shown_text
from demo.inbox.mime.headers import Correspondent
from demo.inbox.mime.message import IncomingMail, read_mail
from demo.inbox.models import AttachedFile, Conversation, Mailbox, Message
from demo.inbox.salesforce import salesforce
from keeping_plugin import Address, Direction, MessageArrived

_SNIPPET = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message about to be stored. `answers` are Message-IDs it refers to, nearest first."""

    id: str
    direction: Direction
    sender: Correspondent | None
    customer: Correspondent | None
    recipients: Sequence[Correspondent]
    sent_at: datetime
    subject: str
    text: str | None
    html: str | None = None
    reference: str = ""
    answers: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: Sequence[Attachment] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    message_id: str
    conversation_id: int
    is_new: bool


def receive(mailbox: Mailbox, raw: bytes, *, delivery_id: str) -> Stored:
    """Take in a raw message that arrived at a mailbox; one with the same delivery id was taken in
    before. Raises UnreadableMail."""
    mail = read_mail(raw, now=datetime.now(UTC))
    return store(mailbox, _draft(mailbox, mail, message_id=f"{mailbox.id}.{delivery_id}"))


def write(
    mailbox: Mailbox,
    *,
    to: Correspondent,
    subject: str,
    text: str,
    conversation: Conversation | None = None,
) -> Stored:
    """Store what an agent wrote, as a reply or as the first message of a conversation."""
    draft = Draft(
        id=uuid.uuid4().hex,
        direction=Direction.OUTBOUND,
        sender=Correspondent(mailbox.address, mailbox.name),
        customer=to,
        recipients=[to],
        sent_at=datetime.now(UTC),
        subject=subject,
        text=text,
        reference=f"{uuid.uuid4().hex}@{mailbox.address.rpartition('@')[2]}",
    )
    return store(mailbox, draft, conversation_id=conversation.id if conversation else None)


def store(mailbox: Mailbox, draft: Draft, *, conversation_id: int | None = None) -> Stored:
    """Store a message and tell the plugin, both or neither."""
    mailbox_id = mailbox.id
    try:
        with writing():
            return _store(mailbox_id, draft, conversation_id)
    except IntegrityError:
        # The same delivery, by another process, a moment ago.
        known = db.session.get(Message, draft.id)
        if known is None:
            raise
        return Stored(known.id, known.conversation_id, is_new=False)


def _store(mailbox_id: str, draft: Draft, conversation_id: int | None) -> Stored:
    # One message at a time and mailbox, so that two answers find the same conversation.
    mailbox = db.session.get_one(Mailbox, mailbox_id, with_for_update={"key_share": True})
    known = db.session.get(Message, draft.id)
    if known is not None:
        return Stored(known.id, known.conversation_id, is_new=False)
    conversation = _conversation_of(mailbox, draft, conversation_id)
    opens = conversation is None
    if conversation is None:
        conversation = _open_conversation(mailbox, draft)
    if opens or draft.sent_at >= conversation.last_at:
        conversation.last_at = draft.sent_at
        conversation.awaits_reply = draft.direction is Direction.INBOUND
        conversation.snippet = " ".join(shown_text(draft.text, draft.html).split())[:_SNIPPET]
    db.session.flush()
    db.session.add(
        Message(
            id=draft.id,
            company_id=mailbox.company_id,
            mailbox_id=mailbox.id,
            conversation_id=conversation.id,
            direction=draft.direction.value,
            opens_conversation=opens,
            sender=_pair(draft.sender),
            customer=_pair(draft.customer),
            recipients=[_pair(one) for one in draft.recipients],
            sent_at=draft.sent_at,
            reference=draft.reference[:998],
            headers=dict(draft.headers),
            subject=draft.subject,
            text=draft.text,
            html=draft.html,
            attachments=[[one.name, one.kind, len(one.content)] for one in draft.attachments],
        )
    )
    db.session.flush()
    db.session.add_all(
        AttachedFile(message_id=draft.id, place=place, content=one.content)
        for place, one in enumerate(draft.attachments)
    )
    salesforce.message_arrived(
        MessageArrived(
            company_id=mailbox.company_id,
            mailbox_id=mailbox.id,
            conversation_id=str(conversation.id),
            message_id=draft.id,
            direction=draft.direction,
            opens_conversation=opens,
            customer=_address(draft.customer),
            sender=_address(draft.sender),
            recipients=[Address(one.email, one.name) for one in draft.recipients],
            sent_at=draft.sent_at,
            headers=draft.headers,
            rfc_message_id=draft.reference,
        )
    )
    return Stored(draft.id, conversation.id, is_new=True)


def _conversation_of(
    mailbox: Mailbox, draft: Draft, conversation_id: int | None
) -> Conversation | None:
    if conversation_id is not None:
        return db.session.get_one(Conversation, conversation_id)
    for reference in draft.answers:
        found = db.session.scalar(
            select(Conversation)
            .join(Message, Message.conversation_id == Conversation.id)
            .where(Message.mailbox_id == mailbox.id, Message.reference == reference[:998])
            .limit(1)
        )
        if found is not None:
            return found
    return None


def _open_conversation(mailbox: Mailbox, draft: Draft) -> Conversation:
    conversation = Conversation(
        company_id=mailbox.company_id,
        mailbox_id=mailbox.id,
        subject=draft.subject,
        opened_by="customer" if draft.direction is Direction.INBOUND else "agent",
        customer_email=draft.customer.email if draft.customer else None,
        customer_name=draft.customer.name if draft.customer else "",
        last_at=draft.sent_at,
    )
    db.session.add(conversation)
    return conversation


def _draft(mailbox: Mailbox, mail: IncomingMail, *, message_id: str) -> Draft:
    own = {address.lower() for address in (mailbox.address, *mailbox.aliases)}
    outbound = mail.sender is not None and mail.sender.email.lower() in own
    others = [one for one in mail.recipients if one.email.lower() not in own]
    customer = next(iter(others), None) if outbound else mail.sender
    body: Body = mail.body
    return Draft(
        id=message_id,
        direction=Direction.OUTBOUND if outbound else Direction.INBOUND,
        sender=mail.sender,
        customer=customer,
        recipients=mail.recipients,
        sent_at=mail.sent_at,
        subject=mail.subject,
        text=body.text,
        html=body.html,
        reference=mail.reference,
        answers=mail.answers,
        headers=mail.headers,
        attachments=body.attachments,
    )


def _pair(one: Correspondent | None) -> list[str] | None:
    return None if one is None else [one.email, one.name]


def _address(one: Correspondent | None) -> Address | None:
    return None if one is None else Address(one.email, one.name)
