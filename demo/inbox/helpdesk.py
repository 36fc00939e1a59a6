"""The inbox as the Salesforce plugin sees it: `keeping_plugin.HelpDesk` over our own tables."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import and_, or_, select

from demo.inbox import models
from demo.inbox.accounts import current_person
from demo.inbox.database import db
from keeping_plugin import (
    Address,
    Agent,
    Conversation,
    Direction,
    HelpDesk,
    Mailbox,
    Message,
    MessageArrived,
)


class InboxHelpDesk(HelpDesk):
    """Every question names the company, and every query carries it."""

    def current_agent(self) -> Agent | None:
        person = current_person()
        if person is None:
            return None
        return _agent(person)

    def agents(self, company_id: str) -> Sequence[Agent]:
        people = select(models.Person).where(models.Person.company_id == company_id)
        return [
            _agent(person) for person in db.session.scalars(people.order_by(models.Person.name))
        ]

    def mailboxes(self, company_id: str) -> Sequence[Mailbox]:
        return [Mailbox(row.id, row.name, row.address) for row in _mailboxes(company_id)]

    def conversation(self, company_id: str, conversation_id: str) -> Conversation | None:
        if not conversation_id.isascii() or not conversation_id.isdecimal():
            return None
        if len(conversation_id) > 18:  # beyond what the column holds
            return None
        row = db.session.scalar(
            select(models.Conversation).where(
                models.Conversation.company_id == company_id,
                models.Conversation.id == int(conversation_id),
            )
        )
        if row is None:
            return None
        return Conversation(
            id=str(row.id),
            mailbox_id=row.mailbox_id,
            subject=row.subject,
            url=f"{current_app.config['INBOX_URL']}/conversations/{row.id}",
            customer=Address(row.customer_email, row.customer_name) if row.customer_email else None,
        )

    def messages(self, company_id: str, message_ids: Sequence[str]) -> Iterator[Message]:
        rows = db.session.scalars(
            select(models.Message).where(
                models.Message.company_id == company_id, models.Message.id.in_(message_ids)
            )
        ).all()
        for row in rows:
            # The bodies are deferred columns: each is read when its turn has come, then let go.
            yield Message(**_facts(row), subject=row.subject, text=row.text, html=row.html)
            db.session.expire(row, ["text", "html"])

    def message_facts(
        self, company_id: str, message_ids: Sequence[str]
    ) -> Iterator[MessageArrived]:
        rows = db.session.scalars(
            select(models.Message).where(
                models.Message.company_id == company_id, models.Message.id.in_(message_ids)
            )
        )
        for row in rows:
            yield MessageArrived(**_facts(row))

    def participants(self, company_id: str, conversation_id: str) -> Sequence[Address]:
        if self.conversation(company_id, conversation_id) is None:
            return []
        message = models.Message
        rows = db.session.execute(
            select(message.sender, message.recipients)
            .where(
                message.company_id == company_id, message.conversation_id == int(conversation_id)
            )
            .order_by(message.sent_at.desc(), message.id.desc())
            .limit(100)
        )
        return [Address(*pair) for row in rows for pair in (row.sender, *row.recipients) if pair]

    def latest_message(self, company_id: str, conversation_id: str) -> Message | None:
        if self.conversation(company_id, conversation_id) is None:
            return None
        message = models.Message
        latest = db.session.scalar(
            select(message.id)
            .where(
                message.company_id == company_id,
                message.conversation_id == int(conversation_id),
                message.direction == Direction.INBOUND,
            )
            .order_by(message.sent_at.desc(), message.id.desc())
            .limit(1)
        )
        return next(self.messages(company_id, [latest]), None) if latest is not None else None

    def message_ids(
        self,
        company_id: str,
        mailbox_id: str,
        since: datetime,
        after: str | None = None,
        limit: int = 500,
    ) -> Sequence[str]:
        message = models.Message
        query = select(message.id).where(
            message.company_id == company_id,
            message.mailbox_id == mailbox_id,
            message.sent_at >= since,
        )
        if after is not None:
            last = db.session.scalar(
                select(message.sent_at).where(message.company_id == company_id, message.id == after)
            )
            if last is None:
                return []
            later = and_(message.sent_at == last, message.id > after)
            query = query.where(or_(message.sent_at > last, later))
        return db.session.scalars(query.order_by(message.sent_at, message.id).limit(limit)).all()

    def internal_addresses(self, company_id: str) -> Collection[str]:
        company = db.session.get(models.Company, company_id)
        if company is None:
            return []
        boxes = _mailboxes(company_id)
        return {company.domain, *(one for box in boxes for one in (box.address, *box.aliases))}

    def skipped_domains(self, company_id: str) -> Collection[str]:
        company = db.session.get(models.Company, company_id)
        return [] if company is None else list(company.skipped_domains)

    def may_view(self, agent: Agent, conversation: Conversation) -> bool:
        return self.conversation(agent.company_id, conversation.id) is not None


def _mailboxes(company_id: str) -> Sequence[models.Mailbox]:
    return db.session.scalars(
        select(models.Mailbox)
        .where(models.Mailbox.company_id == company_id)
        .order_by(models.Mailbox.position)
    ).all()


def _facts(row: models.Message) -> dict[str, Any]:
    """A stored message as `message_arrived` is told of it."""
    return {
        "company_id": row.company_id,
        "mailbox_id": row.mailbox_id,
        "conversation_id": str(row.conversation_id),
        "message_id": row.id,
        "direction": Direction(row.direction),
        "opens_conversation": row.opens_conversation,
        "customer": _address(row.customer),
        "sender": _address(row.sender),
        "recipients": [Address(*one) for one in row.recipients],
        "sent_at": row.sent_at,
        "headers": row.headers,
        "rfc_message_id": row.reference,
    }


def _address(pair: list[str] | None) -> Address | None:
    return None if pair is None else Address(*pair)


def _agent(person: models.Person) -> Agent:
    return Agent(
        person.id, person.company_id, person.name, is_admin=person.is_admin, email=person.email
    )
