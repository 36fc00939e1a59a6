"""What we hold about addresses: who is creating one, who is known, which record an agent picked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from keeping_plugin.models.base import Base, ConnectionKey, HostId, Json, SalesforceId, UtcDateTime


class AddressClaim(Base):
    """Held by whoever may create a person with this address, from before the look until the
    outcome is recorded. `sent_at` stays after an unclear create: the next holder looks first."""

    __tablename__ = "keeping_address_claim"

    org_id: Mapped[str] = mapped_column(SalesforceId, primary_key=True)
    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64))
    until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class KnownAddress(Base):
    """When we last learned that a Contact has this address; see Delivery, waiting."""

    __tablename__ = "keeping_known_address"

    connection_id: Mapped[ConnectionKey]
    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    known_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Pick(Base):
    """Which record an agent chose for an address: of several that have it, or found by a search."""

    __tablename__ = "keeping_pick"

    connection_id: Mapped[ConnectionKey]
    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    object: Mapped[str] = mapped_column(String(80))
    record_id: Mapped[str] = mapped_column(SalesforceId)
    picked_by: Mapped[str] = mapped_column(HostId)
    # Theirs, at that time; "" in rows of 0.1.0.
    picked_name: Mapped[str] = mapped_column(String(255), default="", server_default=text("''"))
    picked_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DomainAccount(Base):
    """What Salesforce told of the Account of a mail domain (`addresses.domain_key`), kept for a
    day. The row of domain "" names a chosen Account that Salesforce does not take any more."""

    __tablename__ = "keeping_domain_account"
    __table_args__ = (Index("ix_keeping_domain_account_told_at", "told_at"),)

    connection_id: Mapped[ConnectionKey]
    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    told: Mapped[Any] = mapped_column(Json)
    told_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PanelCard(Base):
    """The last card shown for an address, for the minutes when Salesforce does not answer."""

    __tablename__ = "keeping_panel_card"
    __table_args__ = (Index("ix_keeping_panel_card_seen_at", "seen_at"),)

    connection_id: Mapped[ConnectionKey]
    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    card: Mapped[Any] = mapped_column(Json)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
