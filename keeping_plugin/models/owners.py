"""Whose the records become that the automations make."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from keeping_plugin.models.base import Base, ConnectionKey, HostId, Json, SalesforceId, UtcDateTime


class AgentUser(Base):
    """Which user of the org an agent of the inbox is. `found` is a code of services/people/agents;
    `set_by` is the admin whose choice it is, "" if the addresses tell."""

    __tablename__ = "keeping_agent_user"

    connection_id: Mapped[ConnectionKey]
    agent_id: Mapped[str] = mapped_column(HostId, primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(320))
    user_id: Mapped[str | None] = mapped_column(SalesforceId)
    user_name: Mapped[str] = mapped_column(String(255), default="")
    found: Mapped[str] = mapped_column(String(16), default="")
    candidates: Mapped[Any] = mapped_column(Json, nullable=True)  # [[user id, name, username]]
    set_by: Mapped[str] = mapped_column(HostId, default="")
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # with Salesforce
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)  # in the inbox


class RefusedOwner(Base):
    """A user or queue that Salesforce lately refused as the owner of an object's records; nothing
    is sent in their name for a day."""

    __tablename__ = "keeping_refused_owner"

    connection_id: Mapped[ConnectionKey]
    owner_id: Mapped[str] = mapped_column(SalesforceId, primary_key=True)
    object: Mapped[str] = mapped_column(String(80), primary_key=True)
    code: Mapped[str] = mapped_column(String(128))  # Salesforce's
    refused_at: Mapped[datetime] = mapped_column(UtcDateTime)
