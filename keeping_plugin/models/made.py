"""Records that agents create from a conversation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from keeping_plugin.models.base import Base, BigId, HostId, SalesforceId, UtcDateTime


class MadeRecord(Base):
    """One create of an agent, committed before its call leaves. `attempt` is its form's, so that a
    second Save of the same form finds this row. Without `record_id` its outcome is not known; one
    that was refused has no row. With it, the conversation is about that record."""

    __tablename__ = "keeping_made_record"
    __table_args__ = (
        Index("uq_keeping_made_record_attempt", "connection_id", "attempt", unique=True),
        Index("ix_keeping_made_record_conversation", "connection_id", "conversation_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("keeping_connection.id"))
    attempt: Mapped[str] = mapped_column(String(32))
    conversation_id: Mapped[str] = mapped_column(HostId)
    object: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[str] = mapped_column(SalesforceId)  # whose it is
    made_by: Mapped[str] = mapped_column(HostId)
    sent_as: Mapped[str] = mapped_column(SalesforceId)  # the connection's user
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    record_id: Mapped[str | None] = mapped_column(SalesforceId)
