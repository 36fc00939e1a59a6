"""What the inbox keeps: companies with their people and mailboxes, conversations, messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from demo.inbox.database import Base, UtcDateTime


class Company(Base):
    __tablename__ = "company"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    domain: Mapped[str] = mapped_column(String(253))  # its own people write from here
    skipped_domains: Mapped[Any] = mapped_column(JSON, default=list)


class Person(Base):
    """Somebody who logs in."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("company.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password: Mapped[str] = mapped_column(String(255))  # hashed
    is_admin: Mapped[bool] = mapped_column(Boolean, default=False)

    company: Mapped[Company] = relationship()

    @property
    def initials(self) -> str:
        return "".join(word[0] for word in self.name.split()[:2]).upper()


class Mailbox(Base):
    __tablename__ = "mailbox"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("company.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    address: Mapped[str] = mapped_column(String(254), unique=True)
    aliases: Mapped[Any] = mapped_column(JSON, default=list)  # further addresses of its own
    position: Mapped[int] = mapped_column(default=0)


class Conversation(Base):
    """Messages that answer each other. `customer_email` is None when nobody signed the mail."""

    __tablename__ = "conversation"
    __table_args__ = (Index("ix_conversation_listed", "company_id", "mailbox_id", "last_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("company.id"))
    mailbox_id: Mapped[str] = mapped_column(ForeignKey("mailbox.id"))
    subject: Mapped[str] = mapped_column(Text, default="")
    opened_by: Mapped[str] = mapped_column(String(16))  # customer, agent
    customer_email: Mapped[str | None] = mapped_column(Text)
    customer_name: Mapped[str] = mapped_column(Text, default="")
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    awaits_reply: Mapped[bool] = mapped_column(Boolean, default=True)
    snippet: Mapped[str] = mapped_column(Text, default="")

    mailbox: Mapped[Mailbox] = relationship()


class Message(Base):
    """One message, in or out. Its id is given by whoever delivers it, so that the same message
    delivered again is known."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_listed", "mailbox_id", "sent_at", "id"),
        Index("ix_message_reference", "mailbox_id", "reference"),
    )

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("company.id"))
    mailbox_id: Mapped[str] = mapped_column(ForeignKey("mailbox.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    direction: Mapped[str] = mapped_column(String(16))  # inbound, outbound
    opens_conversation: Mapped[bool] = mapped_column(Boolean)
    sender: Mapped[Any] = mapped_column(JSON)  # [address, name], or null
    customer: Mapped[Any] = mapped_column(JSON)  # the same
    recipients: Mapped[Any] = mapped_column(JSON, default=list)  # of the same
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reference: Mapped[str] = mapped_column(String(998), default="")  # the Message-ID
    headers: Mapped[Any] = mapped_column(JSON, default=dict)
    subject: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str | None] = mapped_column(Text, deferred=True)
    html: Mapped[str | None] = mapped_column(Text, deferred=True)
    attachments: Mapped[Any] = mapped_column(JSON, default=list)  # [name, kind, bytes]


class AttachedFile(Base):
    """What one of a message's attachments holds; `place` counts them from 0."""

    __tablename__ = "attached_file"

    message_id: Mapped[str] = mapped_column(ForeignKey("message.id"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
