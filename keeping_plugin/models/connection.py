"""One company with one Salesforce org, and what keeps its access safe."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from keeping_plugin.models.base import (
    Base,
    ConnectionKey,
    HostId,
    Json,
    SalesforceId,
    UtcDateTime,
    partial_index,
)


class ConnectionStatus(StrEnum):
    LIVE = "live"
    LOST = "lost"  # Salesforce refused the refresh: entries wait until an admin reconnects
    DISCONNECTED = "disconnected"


class Connection(Base):
    """A company's connection to one org. No row moves to another org; at most one a company is
    `current` (live or lost)."""

    __tablename__ = "keeping_connection"
    __table_args__ = (
        UniqueConstraint("company_id", "org_id"),
        partial_index("uq_keeping_connection_current", "company_id", unique=True, where="current"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(HostId)
    org_id: Mapped[str] = mapped_column(SalesforceId)
    current: Mapped[bool] = mapped_column(Boolean, default=True)
    status: Mapped[str] = mapped_column(String(16), default=ConnectionStatus.LIVE)
    epoch: Mapped[int] = mapped_column(Integer, default=1)  # rises on disconnect, nowhere else

    org_name: Mapped[str] = mapped_column(String(255), default="")
    is_sandbox: Mapped[bool] = mapped_column(Boolean, default=False)
    instance_url: Mapped[str] = mapped_column(String(255))
    login_url: Mapped[str] = mapped_column(String(255))  # the host that issued the grant
    identity_url: Mapped[str] = mapped_column(String(255), default="")
    user_id: Mapped[str] = mapped_column(SalesforceId)
    username: Mapped[str] = mapped_column(String(255), default="")
    scope: Mapped[str] = mapped_column(String(255), default="")
    tokens: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed by crypto.TokenVault
    token_version: Mapped[int] = mapped_column(Integer, default=0)
    refresh_owner: Mapped[str | None] = mapped_column(String(64))
    refresh_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    connected_at: Mapped[datetime] = mapped_column(UtcDateTime)
    connected_by: Mapped[str] = mapped_column(HostId)
    confirmed: Mapped[bool] = mapped_column(Boolean, default=True)  # an admin saw the org's name
    lost_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lost_reason: Mapped[str] = mapped_column(String(255), default="")
    # Salesforce refuses the login for now. The status stays live: 0.1.0 knows no other.
    barred_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    barred_reason: Mapped[str | None] = mapped_column(String(32))  # a code of wording.barred
    barred_words: Mapped[str | None] = mapped_column(String(255))  # Salesforce's own
    barred_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # then it is tried again
    barred_probes: Mapped[int | None] = mapped_column(Integer)  # in vain, in a row
    # Bars that have ended: [[since, until]], ISO, the oldest first, as far back as one needs to
    # know for how long Salesforce could be asked (services/connection/barred.asked_since).
    barred_before: Mapped[Any] = mapped_column(Json, nullable=True)
    refreshed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the login, by us
    renew_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # before it has idled too long
    disconnected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disconnected_by: Mapped[str | None] = mapped_column(HostId)

    # What Salesforce last told us, and what the drain heeds.
    api_used: Mapped[int | None] = mapped_column(Integer)
    api_limit: Mapped[int | None] = mapped_column(Integer)
    api_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    server_date: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    pause_reason: Mapped[str] = mapped_column(String(32), default="")
    # Salesforce's words for it: [[code, message, fields]]
    pause_words: Mapped[Any] = mapped_column(Json, nullable=True)
    braked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # since when people are held
    timeouts: Mapped[int] = mapped_column(Integer, default=0)  # in a row
    outages: Mapped[int] = mapped_column(Integer, default=0)  # in a row, for the back-off

    # Facts of the org, found by the preflight and the describe job.
    task_status: Mapped[str | None] = mapped_column(String(255))
    activity_key_field: Mapped[str | None] = mapped_column(String(80))
    preflight: Mapped[Any] = mapped_column(Json, nullable=True)
    timezone: Mapped[str | None] = mapped_column(String(64))  # of the connecting user
    api_version: Mapped[str | None] = mapped_column(String(8))  # agreed on with the org
    address_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # by a refresh

    @hybrid_property
    def is_live(self) -> bool:
        """The company's own, and neither lost nor disconnected."""
        return self.current and self.status == ConnectionStatus.LIVE

    @is_live.inplace.expression
    @classmethod
    def _is_live(cls) -> ColumnElement[bool]:
        return cls.current & (cls.status == ConnectionStatus.LIVE)

    def end_pause(self) -> None:
        """Forget why it paused."""
        self.paused_until, self.pause_reason, self.pause_words = None, "", None

    @property
    def is_barred(self) -> bool:
        """Live, but Salesforce refuses the login for now. What a login that ended before the
        current one left behind (0.1.0 clears none of it) does not count."""
        return (
            self.status == ConnectionStatus.LIVE
            and self.barred_since is not None
            and self.barred_since >= self.connected_at
        )


class OrgLease(Base):
    """One writer per org: whoever holds it drains; connections it keeps waiting are noted."""

    __tablename__ = "keeping_org_lease"

    org_id: Mapped[str] = mapped_column(SalesforceId, primary_key=True)
    owner: Mapped[str | None] = mapped_column(String(64))
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    noted: Mapped[Any] = mapped_column(Json, default=list)  # ids of connections that came in vain


class Revocation(Base):
    """A grant on its way out: the encrypted copy is read by the revoke job alone, and erased on
    success or after 24 h."""

    __tablename__ = "keeping_revocation"

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("keeping_connection.id"), index=True)
    tokens: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    try_until: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)  # None: settled
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    state: Mapped[str] = mapped_column(String(16), default="pending")  # done, given_up
    reason: Mapped[str] = mapped_column(String(64), default="")


class OAuthAttempt(Base):
    """One login on its way: what Authlib keeps until the callback, sealed and one-use."""

    __tablename__ = "keeping_oauth_attempt"

    key: Mapped[str] = mapped_column(String(128), primary_key=True)  # SHA-256 of the state
    company_id: Mapped[str] = mapped_column(HostId)
    agent_id: Mapped[str] = mapped_column(HostId)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class SchemaDocument(Base):
    """The cached describe of one object of one connection."""

    __tablename__ = "keeping_schema"

    connection_id: Mapped[ConnectionKey]
    object: Mapped[str] = mapped_column(String(80), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of the document: its key in memory
    last_modified: Mapped[str] = mapped_column(String(64), default="")
    fetched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changes: Mapped[Any] = mapped_column(Json, nullable=True)  # what the last refresh found
    # None: the user cannot see the object. The last column: SQLite reads through a long text to get
    # at what stands behind it.
    document: Mapped[str | None] = mapped_column(Text)


class SchemaLoad(Base):
    """Progress of a connection's describe job, for the bar an admin watches."""

    __tablename__ = "keeping_schema_load"

    connection_id: Mapped[ConnectionKey]
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int] = mapped_column(Integer, default=0)
    current_object: Mapped[str] = mapped_column(String(80), default="")
    failed: Mapped[str] = mapped_column(String(64), default="")  # an error code


class ApiUse(Base):
    """API requests we made, by day, mailbox and feature, for the settings' budget table."""

    __tablename__ = "keeping_api_use"

    connection_id: Mapped[ConnectionKey]
    day: Mapped[str] = mapped_column(String(10), primary_key=True)  # 2026-05-06, UTC
    mailbox_id: Mapped[str] = mapped_column(HostId, primary_key=True)  # "" when of none
    feature: Mapped[str] = mapped_column(String(32), primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger, default=0)
