"""Decisions and sync entries: the truth of which the queue is only the doorbell."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from keeping_plugin.models.base import (
    Base,
    BigId,
    HostId,
    Json,
    SalesforceId,
    UtcDateTime,
    partial_index,
)

LIVE_OCCASION = "live"


class Decision(Base):
    """What the rules said of one message on one occasion ("live", "backfill:<run>", "agent:<n>"
    when an agent logs it by hand, or "corrected:<batch>" when the host has changed its customer),
    refusals too. `facts` is emptied by retention; the row stays, because it is what makes a message
    delivered again do nothing."""

    __tablename__ = "keeping_decision"
    __table_args__ = (
        UniqueConstraint("company_id", "message_id", "occasion"),
        Index("ix_keeping_decision_conversation", "company_id", "conversation_id"),
        # Only those that retention has not emptied yet.
        partial_index("ix_keeping_decision_kept", "decided_at", where="facts IS NOT NULL"),
        # The Activity page's list of what the rules refused.
        partial_index("ix_keeping_decision_refused", "company_id", "decided_at", where="refused"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("keeping_connection.id"))
    company_id: Mapped[str] = mapped_column(HostId)
    mailbox_id: Mapped[str] = mapped_column(HostId)
    conversation_id: Mapped[str] = mapped_column(HostId)
    message_id: Mapped[str] = mapped_column(HostId)
    occasion: Mapped[str] = mapped_column(String(64), default=LIVE_OCCASION)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    rules_version: Mapped[str] = mapped_column(String(32))
    verdicts: Mapped[Any] = mapped_column(Json)
    refused: Mapped[bool] = mapped_column(Boolean, default=False)  # no verdict granted anything
    facts: Mapped[Any] = mapped_column(Json, nullable=True)


class EntryState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    WAITING = "waiting"  # a LOG_TASK whose customer has no Contact yet
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Lane(StrEnum):
    LIVE = "a-live"  # sorts before backfill
    BACKFILL = "b-backfill"


class SyncEntry(Base):
    """One owed effect: unique on (connection, message, action), in one state.

    The mark (`sent_at`, `sent_user_id`, `sent_after`, `sent_epoch`, `sent_key_field`) is committed
    before the call leaves and stays until the outcome is known, whatever the state.
    """

    __tablename__ = "keeping_sync_entry"
    __table_args__ = (
        UniqueConstraint("connection_id", "message_id", "action"),
        # Only rows still owed stand in the indexes that the drain and the sweep read, so that a
        # million finished or held ones cost nothing.
        partial_index(
            "ix_keeping_sync_entry_due",
            "connection_id",
            "lane",
            "due_at",
            where="state IN ('pending', 'sending', 'waiting') AND due_at IS NOT NULL",
        ),
        # Held for review, which has no due time: neither the drain nor the sweep reads over them.
        partial_index(
            "ix_keeping_sync_entry_held",
            "connection_id",
            "epoch",
            where="state = 'pending' AND due_at IS NULL",
        ),
        # People added lately, whom the brake counts.
        partial_index(
            "ix_keeping_sync_entry_added",
            "connection_id",
            "settled_at",
            where="state = 'done' AND reason = 'created'",
        ),
        partial_index(
            "ix_keeping_sync_entry_fingerprint",
            "connection_id",
            "fingerprint",
            where="fingerprint IS NOT NULL",
        ),
        partial_index(
            "ix_keeping_sync_entry_address",
            "connection_id",
            "address",
            where="state IN ('pending', 'sending', 'waiting')",
        ),
        partial_index(
            "ix_keeping_sync_entry_marked", "connection_id", "sent_at", where="sent_at IS NOT NULL"
        ),
        Index("ix_keeping_sync_entry_conversation", "company_id", "conversation_id"),
        Index("ix_keeping_sync_entry_activity", "company_id", "created_at"),
        # What waits for a person, however long ago it came.
        partial_index(
            "ix_keeping_sync_entry_failed", "company_id", "created_at", where="state = 'failed'"
        ),
        Index("ix_keeping_sync_entry_settled_at", "settled_at"),
        # All that an undo selects by, so that it reads no row it does not take.
        partial_index(
            "ix_keeping_sync_entry_made",
            "connection_id",
            "id",
            "address",
            "run_id",
            "settled_at",
            "state",
            "reason",
            where="state = 'done' AND reason IN ('created', 'logged')",
        ),
        # Whether a record of the org is ours.
        partial_index(
            "ix_keeping_sync_entry_record",
            "connection_id",
            "record_id",
            where="record_id IS NOT NULL",
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("keeping_connection.id"))
    company_id: Mapped[str] = mapped_column(HostId)
    mailbox_id: Mapped[str] = mapped_column(HostId)
    conversation_id: Mapped[str] = mapped_column(HostId)
    message_id: Mapped[str] = mapped_column(HostId)
    action: Mapped[str] = mapped_column(String(16))
    lane: Mapped[str] = mapped_column(String(16), default=Lane.LIVE)
    run_id: Mapped[int | None] = mapped_column(Integer)  # the backfill run that granted it
    epoch: Mapped[int] = mapped_column(Integer)  # the connection's when it was granted
    address: Mapped[str] = mapped_column(String(320))  # addresses.address_key of the customer
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    state: Mapped[str] = mapped_column(String(16), default=EntryState.PENDING)
    reason: Mapped[str] = mapped_column(String(32), default="")  # a fixed code, docs/errors.md
    # Of an entry in any state, what its reason does not tell: a code of wording.entries.NOTES.
    note: Mapped[str | None] = mapped_column(String(32))
    # Salesforce's complaints: [[code, message, fields]]
    words: Mapped[Any] = mapped_column(Json, nullable=True)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # of a pending one None: held
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)  # counted only when alone
    retries: Mapped[int] = mapped_column(SmallInteger, default=0)  # clear, passing refusals
    # Since when Salesforce has refused it for something that passes; a day of it is a person's.
    refused_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    waiting_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    looks: Mapped[int] = mapped_column(SmallInteger, default=0)  # of a waiting row
    # The largest batch it may travel in: 10, then 1, after batches that ended without outcomes.
    batch_size: Mapped[int | None] = mapped_column(SmallInteger)

    # When a person let it pass the brake, which holds it no more.
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Of a LOG_TASK, where one mail is logged once: equal for its copies in several mailboxes.
    fingerprint: Mapped[str | None] = mapped_column(String(64))  # SHA-256

    # Who had it logged by hand, so that its switch is not checked again; or who chose not to log
    # it. Their name, or their id if they have none.
    by_agent: Mapped[str | None] = mapped_column(String(255))

    claim: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_user_id: Mapped[str | None] = mapped_column(SalesforceId)
    sent_after: Mapped[datetime | None] = mapped_column(UtcDateTime)  # Salesforce's last Date
    sent_epoch: Mapped[int | None] = mapped_column(Integer)
    # The org's unique field in which the send carried the row's marker, "" when in none. It belongs
    # to the mark of `sent_key_at`: workers of 0.1.0 write marks without either.
    sent_key_field: Mapped[str | None] = mapped_column(String(80))
    sent_key_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    record_id: Mapped[str | None] = mapped_column(SalesforceId)  # what was made or found
    contact_id: Mapped[str | None] = mapped_column(SalesforceId)  # on which a Task was logged
    candidates: Mapped[int] = mapped_column(SmallInteger, default=0)  # Contacts to choose from

    @property
    def key_field_sent(self) -> str | None:
        """The unique field that carried the marker when this row was last sent, "" when none did;
        None when that is not known."""
        return self.sent_key_field if self.sent_key_at == self.sent_at else None
