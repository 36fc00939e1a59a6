"""What admins take back: undo runs, what each of them chose, and whom automation adds no more."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from keeping_plugin.models.base import (
    Base,
    BigId,
    ConnectionKey,
    HostId,
    SalesforceId,
    UtcDateTime,
)


class UndoState(StrEnum):
    RUNNING = "running"
    STOPPING = "stopping"  # nothing more is deleted; what was sent is still looked up
    DONE = "done"
    STOPPED = "stopped"


class UndoRun(Base):
    """Records of ours being deleted again, because an admin asked for it."""

    __tablename__ = "keeping_undo_run"
    __table_args__ = (Index("ix_keeping_undo_run_company", "company_id", "started_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("keeping_connection.id"))
    epoch: Mapped[int] = mapped_column(Integer)
    company_id: Mapped[str] = mapped_column(HostId)
    chosen_by: Mapped[str] = mapped_column(String(16))  # entry, run, hour or domain
    value: Mapped[str] = mapped_column(String(255))
    started_by: Mapped[str] = mapped_column(HostId)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(16), default=UndoState.RUNNING)
    reason: Mapped[str] = mapped_column(String(32), default="")  # why it waits or has stopped
    claim: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)  # None: over
    failures: Mapped[int] = mapped_column(Integer, default=0)  # of calls, in a row
    # The largest step it takes: 10, then 1, after triggers that fail for many records at once, or a
    # look that took too long.
    batch_size: Mapped[int | None] = mapped_column(SmallInteger)
    # Up to which entry its items were added; None: all were.
    filled_to: Mapped[int | None] = mapped_column(BigId)


class ItemState(StrEnum):
    CHOSEN = "chosen"
    SENT = "sent"  # Salesforce may have deleted it: it is looked up before anything else
    DELETED = "deleted"
    LEFT = "left"


class UndoItem(Base):
    """One entry of a run. Committed as sent before the call that deletes its record leaves."""

    __tablename__ = "keeping_undo_item"
    __table_args__ = (
        # What comes next, and how many there are in which state.
        Index("ix_keeping_undo_item_state", "run_id", "state", "object", "entry_id"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("keeping_undo_run.id"), primary_key=True)
    entry_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    object: Mapped[str] = mapped_column(String(80))
    record_id: Mapped[str | None] = mapped_column(SalesforceId)
    address: Mapped[str] = mapped_column(String(320))
    state: Mapped[str] = mapped_column(String(16), default=ItemState.CHOSEN)
    reason: Mapped[str] = mapped_column(String(32), default="")  # wording.corrections.LEFT
    detail: Mapped[str] = mapped_column(String(255), default="")  # objects, or Salesforce's words
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UndoneAddress(Base):
    """An address whose Contact or Lead was deleted again: automations add nobody with it until an
    admin allows it, or another org is connected. Agents may."""

    __tablename__ = "keeping_undone_address"

    company_id: Mapped[str] = mapped_column(HostId, primary_key=True)
    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    undone_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RepairState(StrEnum):
    SENT = "sent"  # Salesforce may have set the Account: it is looked up first
    ATTACHED = "attached"
    REFUSED = "refused"
    REMOVING = "removing"  # Salesforce may have taken the Account off: likewise
    TAKEN_BACK = "taken_back"


class Repair(Base):
    """The Account that an admin had set on a Contact of ours without one."""

    __tablename__ = "keeping_repair"
    __table_args__ = (Index("ix_keeping_repair_state", "connection_id", "state", "at"),)

    connection_id: Mapped[ConnectionKey]
    contact_id: Mapped[str] = mapped_column(SalesforceId, primary_key=True)
    account_id: Mapped[str] = mapped_column(SalesforceId)
    agent_id: Mapped[str] = mapped_column(HostId)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str] = mapped_column(String(255), default="")  # Salesforce's words
