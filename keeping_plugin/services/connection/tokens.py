"""A connection's tokens in the database, renewed by one process while the others wait for it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from keeping_plugin import failpoints
from keeping_plugin.crypto import TokenVault
from keeping_plugin.errors import (
    ConnectionLost,
    KeepingError,
    NotConnected,
    SalesforceUnavailable,
)
from keeping_plugin.models import Connection, ConnectionStatus, Database, Revocation, now
from keeping_plugin.ports import Clock, JobQueue
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.connection import grants
from keeping_plugin.times import CALL, REFRESH_LEASE, REVOKE_LIMIT, Times
from keeping_plugin.types import Tokens

_LOOK_AGAIN = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKeeping:
    """What every connection's tokens need. `refresh` asks Salesforce and nothing else."""

    database: Database
    vault: TokenVault
    times: Times
    clock: Clock
    queue: JobQueue
    refresh: Callable[[Tokens], Tokens]


@dataclass(frozen=True, slots=True)
class HeldTokens:
    """The tokens of a login that is not stored yet; there is nothing to renew."""

    tokens: Tokens

    def current(self) -> Tokens:
        return self.tokens

    def renew(self, stale_access_token: str) -> Tokens:
        raise ConnectionLost("Salesforce did not accept the login it has just granted.")


class ConnectionTokens:
    """The tokens of one connection. `patience`: seconds to wait for another process's refresh."""

    def __init__(self, parts: TokenKeeping, connection_id: int, *, patience: float = CALL) -> None:
        self._parts = parts
        self._id = connection_id
        self._patience = patience
        self._owner = uuid.uuid4().hex

    def current(self) -> Tokens:
        """The tokens as they stand. Raises NotConnected, ConnectionLost, NotReady."""
        with self._parts.database.read() as session:
            row = session.get(Connection, self._id)
        return self._open(row)

    def renew(self, stale_access_token: str) -> Tokens:
        """Tokens newer than those Salesforce has just refused; of all the processes that ask at
        once, one refreshes. Raises ConnectionLost, NotConnected, NotReady, RateLimited,
        SalesforceUnavailable."""
        clock = self._parts.clock
        give_up = clock.monotonic() + self._patience
        while True:
            tokens = self.current()
            if tokens.access_token != stale_access_token:
                return tokens
            version = self._lease(stale_access_token)
            if version is not None:
                return self._refresh(tokens, version)
            if clock.monotonic() >= give_up:
                raise SalesforceUnavailable(
                    "Another process is renewing the login; try again.", timed_out=True
                )
            clock.sleep(_LOOK_AGAIN)

    def _lease(self, stale: str) -> int | None:
        """Take the refresh lease if it is free and the token is still the stale one; the version
        of the tokens it was taken for."""
        with self._parts.database.write() as session:
            at = now(session)
            version: int | None = session.scalar(
                update(Connection)
                .where(
                    Connection.id == self._id,
                    Connection.status == ConnectionStatus.LIVE,
                    or_(Connection.refresh_until.is_(None), Connection.refresh_until <= at),
                )
                .values(
                    refresh_owner=self._owner,
                    refresh_until=at + self._parts.times.span(REFRESH_LEASE),
                )
                .returning(Connection.token_version)
            )
            if version is None:
                return None
            # Read again under the lease: whoever held it before may just have stored new tokens.
            row = session.get(Connection, self._id, populate_existing=True)
            if self._open(row).access_token != stale:
                self._let_go(session)
                return None
            return version

    def _refresh(self, tokens: Tokens, version: int) -> Tokens:
        try:
            renewed = self._parts.refresh(tokens)
        except ConnectionLost as error:
            self._lose(error, version)
            raise
        except KeepingError:
            with self._parts.database.write() as session:
                self._let_go(session)
            raise
        failpoints.reach("refresh.answered")
        return self._store(renewed, version)

    def _store(self, renewed: Tokens, version: int) -> Tokens:
        revocation_id = 0
        with self._parts.database.write() as session:
            row = session.get(Connection, self._id, with_for_update=True)
            if row is None:
                raise NotConnected("Salesforce is not connected.")
            sealed = grants.seal(
                self._parts.vault, renewed, company_id=row.company_id, org_id=row.org_id
            )
            if row.token_version == version and row.status == ConnectionStatus.LIVE:
                row.tokens = sealed
                row.token_version += 1
                row.instance_url = renewed.instance_url
                row.refresh_owner = row.refresh_until = None
                return renewed
            if row.status == ConnectionStatus.DISCONNECTED:
                # Disconnected while the refresh was on its way: what it brought goes back, too.
                at = now(session)
                revocation = Revocation(
                    connection_id=row.id,
                    tokens=sealed,
                    created_at=at,
                    try_until=at + self._parts.times.span(REVOKE_LIMIT),
                    due_at=at,
                )
                session.add(revocation)
                session.flush()
                revocation_id = revocation.id
        if revocation_id:
            self._parts.queue.enqueue("revoke", revocation_id)
        return self.current()

    def _lose(self, error: ConnectionLost, version: int) -> None:
        """Flip the connection to lost, once; not one that was reconnected meanwhile. The dead grant
        is erased: only a new login helps."""
        with self._parts.database.write() as session:
            at = now(session)
            company_id = session.scalar(
                update(Connection)
                .where(
                    Connection.id == self._id,
                    Connection.status == ConnectionStatus.LIVE,
                    Connection.token_version == version,
                )
                .values(
                    status=ConnectionStatus.LOST,
                    tokens=None,
                    lost_at=at,
                    lost_reason=str(error)[:255],
                    refresh_owner=None,
                    refresh_until=None,
                )
                .returning(Connection.company_id)
            )
            if company_id is not None:
                audit.record(
                    session,
                    Audited.CONNECTION_LOST,
                    company_id=company_id,
                    at=at,
                    connection_id=self._id,
                )

    def _let_go(self, session: Session) -> None:
        session.execute(
            update(Connection)
            .where(Connection.id == self._id, Connection.refresh_owner == self._owner)
            .values(refresh_owner=None, refresh_until=None)
        )

    def _open(self, row: Connection | None) -> Tokens:
        if row is not None and row.status == ConnectionStatus.LOST:
            raise ConnectionLost(row.lost_reason)
        if row is None or row.status == ConnectionStatus.DISCONNECTED or row.tokens is None:
            raise NotConnected("Salesforce is not connected.")
        return grants.unseal(
            self._parts.vault, row.tokens, company_id=row.company_id, org_id=row.org_id
        )
