"""The installation, the audit trail and backfill runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from keeping_plugin.models.base import Base, BigId, HostId, Json, UtcDateTime, partial_index


class Installation(Base):
    """One row, made by the first migration: the random id that keeps two installations' Task
    markers apart."""

    __tablename__ = "keeping_installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    installation_id: Mapped[str] = mapped_column(String(32))
    # 1: no process of 0.1.0 runs beside us any more (`flask keeping db contract`).
    contract: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class AuditRecord(Base):
    """Who did what to which record, which fields, never their values. Append-only, until retention
    deletes the oldest; pages refused to an agent are counted, a row for each route and minute."""

    __tablename__ = "keeping_audit"
    __table_args__ = (
        Index("ix_keeping_audit_company", "company_id", "at"),
        partial_index(
            "uq_keeping_audit_counted",
            "company_id",
            "agent_id",
            "detail",
            "counted_in",
            unique=True,
            where="counted_in IS NOT NULL",
        ),
        *(
            partial_index(
                f"ix_keeping_audit_{name}",
                "company_id",
                column,
                "at",
                where=f"{column} <> ''",
            )
            for name, column in (("agent", "agent_id"), ("record", "record_id"))
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    company_id: Mapped[str] = mapped_column(HostId)
    agent_id: Mapped[str] = mapped_column(HostId, default="")  # "" when the machine acted
    # As the host called them then; "" in rows of 0.1.0.
    agent_name: Mapped[str] = mapped_column(HostId, default="", server_default=text("''"))
    action: Mapped[str] = mapped_column(String(32))  # a fixed code, docs/errors.md
    connection_id: Mapped[int | None] = mapped_column(Integer)
    object: Mapped[str] = mapped_column(String(80), default="")
    record_id: Mapped[str] = mapped_column(String(255), default="")
    fields: Mapped[Any] = mapped_column(Json, nullable=True)
    detail: Mapped[str] = mapped_column(String(255), default="")
    times: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    counted_in: Mapped[str | None] = mapped_column(String(16))  # the minute of a refusal, in UTC


class Search(Base):
    """One search for a record to link to: who asked, and which records Salesforce named. It is kept
    for two days: for the limits, for the alarm, and because a lookup takes only what it returned.
    What was typed is not kept."""

    __tablename__ = "keeping_search"
    __table_args__ = (Index("ix_keeping_search_agent", "connection_id", "agent_id", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("keeping_connection.id"))
    agent_id: Mapped[str] = mapped_column(HostId)
    object: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    refused: Mapped[bool] = mapped_column(default=False)  # beyond a limit: Salesforce was not asked
    found: Mapped[Any] = mapped_column(Json, nullable=True)  # record ids


class BackfillRun(Base):
    """A mailbox's history going through the rules, from a date."""

    __tablename__ = "keeping_backfill_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("keeping_connection.id"), index=True)
    epoch: Mapped[int] = mapped_column(Integer)
    company_id: Mapped[str] = mapped_column(HostId)
    mailbox_id: Mapped[str] = mapped_column(HostId)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    started_by: Mapped[str] = mapped_column(HostId)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(16), default="running")  # paused, done, cancelled
    after_id: Mapped[str | None] = mapped_column(HostId)  # the keyset page reached
    seen: Mapped[int] = mapped_column(Integer, default=0)
    granted: Mapped[int] = mapped_column(Integer, default=0)
    reached_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # its last message's time
    claim: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    failures: Mapped[int | None] = mapped_column(Integer)  # of the host at this page, in a row
    unread: Mapped[int | None] = mapped_column(Integer)  # left out: the host raised for them alone
