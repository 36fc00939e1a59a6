"""A connection's tokens in the database, renewed by one process while the others wait for it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sqlalchemy import or_, update
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from keeping_plugin import failpoints
from keeping_plugin.errors import (
    ConnectionBarred,
    ConnectionLost,
    KeepingError,
    LoginRefused,
    NotConnected,
    RateLimited,
    SalesforceError,
    SalesforceUnavailable,
)
from keeping_plugin.models import Connection, ConnectionStatus, now
from keeping_plugin.services.connection import barred, grants, idle
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import (
    ADDRESS_ASKED,
    BARRED_PROBE,
    CALL,
    REFRESH_LEASE,
)
from keeping_plugin.types import Tokens
from keeping_plugin.wording.barred import barred_sentence

log = logging.getLogger(__name__)

_LOOK_AGAIN = 0.1
# What the database says when it is busy, locked, restarted or out of connections. A statement that
# is wrong is not among them.
_NOT_NOW = (OperationalError, InterfaceError, InternalError, PoolTimeout)

T = TypeVar("T")


_NOT_ACCEPTED = "Salesforce did not accept the login it had just granted. Start again."


@dataclass(slots=True)
class HeldTokens:
    """The tokens of a login that is not stored yet; there is nothing to renew."""

    tokens: Tokens
    version: str | None = None

    def current(self) -> Tokens:
        return self.tokens

    def renew(self, stale_access_token: str) -> Tokens:
        raise LoginRefused(_NOT_ACCEPTED, reason="not_accepted")

    def refused(self, tokens: Tokens, error: ConnectionBarred) -> SalesforceError:
        reason, words = "not_accepted", _NOT_ACCEPTED
        if error.reason == "version":
            reason, words = error.reason, barred_sentence(error.reason, str(error))
        refusal = LoginRefused(words, reason=reason)
        refusal.complaints = error.complaints
        return refusal

    def relocate(self, tokens: Tokens) -> Tokens | None:
        return None  # the address has just been given

    def agreed(self, version: str) -> None:
        self.version = version

    def worked(self) -> None:
        """There is no connection yet that could have been barred."""


class ConnectionTokens:
    """The tokens of one connection. `patience`: seconds to wait for another process's refresh.

    While the connection is barred they are not given out, until the next try is due: then to one
    process, which tells by `worked` or `refused` how that went.
    """

    def __init__(self, runtime: Runtime, connection_id: int, *, patience: float = CALL) -> None:
        self._runtime = runtime
        self._id = connection_id
        self._patience = patience
        self._owner = uuid.uuid4().hex
        self._probing = False
        self._lease_ends = 0.0  # monotonic
        self.version: str | None = None  # of the API, as last read or agreed on

    def current(self) -> Tokens:
        """The tokens as they stand. Raises NotConnected, ConnectionLost, ConnectionBarred,
        NotReady."""
        with self._runtime.database.read() as session:
            row = session.get(Connection, self._id)
        tokens = self._open(row)
        self.version = row.api_version if row is not None else None
        if row is not None and row.is_barred and not self._probing:
            self._probe(row)
        return tokens

    def renew(self, stale_access_token: str) -> Tokens:
        """Tokens newer than those Salesforce has just refused; of all the processes that ask at
        once, one refreshes. Raises ConnectionLost, ConnectionBarred, NotConnected, NotReady,
        RateLimited, SalesforceUnavailable."""
        clock = self._runtime.clock
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

    def relocate(self, tokens: Tokens) -> Tokens | None:
        """The tokens with the org's new address, when the one at hand leads nowhere: from whoever
        has learned it meanwhile, or by a refresh, one in five minutes. None when nobody knows
        another. Raises ConnectionLost, ConnectionBarred, NotConnected, NotReady."""
        clock = self._runtime.clock
        give_up = clock.monotonic() + self._patience
        while True:
            found = self.current()
            if found.instance_url != tokens.instance_url:
                return found
            version = self._lease(found.access_token, for_address=True)
            if version is not None:
                break
            if not self._is_refreshing() or clock.monotonic() >= give_up:
                found = self.current()  # which may have come this very moment
                return None if found.instance_url == tokens.instance_url else found
            clock.sleep(_LOOK_AGAIN)
        try:
            renewed = self._refresh(found, version)
        except ConnectionBarred:
            raise
        except (SalesforceUnavailable, RateLimited) as error:
            log.info("org_address_unknown", extra={"connection_id": self._id, "code": error.code})
            return None
        if renewed.instance_url == tokens.instance_url:
            return None
        log.info("org_moved", extra={"connection_id": self._id})
        return renewed

    def agreed(self, version: str) -> None:
        """Keep the version of the API that was agreed on with the org."""
        self.version = version
        with self._runtime.database.write() as session:
            session.execute(
                update(Connection).where(Connection.id == self._id).values(api_version=version)
            )

    def _is_refreshing(self) -> bool:
        """Whether somebody renews the login now, and so may learn the address."""
        with self._runtime.database.read() as session:
            row = session.get(Connection, self._id)
            until = row.refresh_until if row is not None else None
            return until is not None and until > now(session)

    def keep_in_use(self) -> None:
        """Renew a login that works, when that is due: an org may end one that was not renewed for
        30 days. A refusal that does not say that it is dead leaves it as it is; the next try comes
        an hour later. Raises what `renew` raises."""
        with self._runtime.database.read() as session:
            row = session.get(Connection, self._id)
            due = row is not None and idle.is_due(row, now(session), self._runtime.times)
        if not due:
            return
        tokens = self.current()
        version = self._lease(tokens.access_token)
        if version is not None:
            self._refresh(tokens, version, early=True)

    def refused(self, tokens: Tokens, error: ConnectionBarred) -> SalesforceError:
        """Salesforce answered 401 to tokens that are as new as can be. Bars the connection, and
        returns the error for the call: a passing one when there are newer tokens by now."""
        probed, self._probing = self._probing, False

        def note(session: Session) -> bool:
            row = connection_first(session, self._id)
            if self._open(row).access_token != tokens.access_token or row is None:
                return False
            at = now(session)
            barred.bar(session, row, error, at=at, times=self._runtime.times, probed=probed)
            return True

        if self._write(note, until=self._runtime.clock.monotonic() + self._patience):
            return error
        return SalesforceUnavailable(complaints=error.complaints)

    def worked(self) -> None:
        """Salesforce took a call with these tokens. Free of charge unless the connection was
        barred."""
        if not self._probing:
            return
        self._probing = False
        with self._runtime.database.write() as session:
            row = connection_first(session, self._id)
            if row is not None:
                barred.lift(session, row, at=now(session), times=self._runtime.times)

    def _probe(self, row: Connection) -> None:
        """Be the one that tries a barred connection. Raises ConnectionBarred when it is not time,
        or another process does."""
        with self._runtime.database.read() as session:
            due = row.barred_until is None or row.barred_until <= now(session)
        if due:
            with self._runtime.database.write() as session:
                at = now(session)
                until = at + self._runtime.times.span(BARRED_PROBE)
                taken = session.scalar(
                    update(Connection)
                    .where(
                        Connection.id == self._id,
                        or_(Connection.barred_until.is_(None), Connection.barred_until <= at),
                    )
                    .values(barred_until=until, paused_until=until)
                    .returning(Connection.id)
                )
            self._probing = taken is not None
        if not self._probing:
            raise barred.refusal(row)

    def _lease(self, stale: str, *, for_address: bool = False) -> int | None:
        """Take the refresh lease if it is free and the token is still the stale one; the version
        of the tokens it was taken for. `for_address`: and if nobody has done so lately, to learn
        where the org is."""
        self._lease_ends = self._runtime.clock.monotonic() + self._runtime.times.seconds(
            REFRESH_LEASE
        )
        with self._runtime.database.write() as session:
            at = now(session)
            lease = (
                update(Connection)
                .where(
                    Connection.id == self._id,
                    Connection.status == ConnectionStatus.LIVE,
                    or_(Connection.refresh_until.is_(None), Connection.refresh_until <= at),
                )
                .values(
                    refresh_owner=self._owner,
                    refresh_until=at + self._runtime.times.span(REFRESH_LEASE),
                )
                .returning(Connection.token_version)
            )
            if for_address:
                asked = Connection.address_asked_at
                lately = at - self._runtime.times.span(ADDRESS_ASKED)
                # One that lies ahead was written by a clock that was set back.
                lease = lease.where(or_(asked.is_(None), asked <= lately, asked > at))
                lease = lease.values(address_asked_at=at)
            version: int | None = session.scalar(lease)
            if version is None:
                return None
            # Read again under the lease: whoever held it before may just have stored new tokens.
            row = session.get(Connection, self._id, populate_existing=True)
            if self._open(row).access_token != stale:
                self._release_rows(session)
                return None
            return version

    def _refresh(self, tokens: Tokens, version: int, *, early: bool = False) -> Tokens:
        try:
            renewed = self._runtime.oauth.refresh(tokens)
        except KeepingError as error:
            self._keep(partial(self._not_renewed, error=error, version=version, early=early))
            raise
        failpoints.reach("refresh.answered")
        return self._store(renewed, version)

    def _store(self, renewed: Tokens, version: int) -> Tokens:
        # What the org may have rotated exists nowhere else.
        stored, revocation_id = self._keep(lambda session: self._stored(session, renewed, version))
        if revocation_id:
            self._runtime.queue.enqueue("revoke", revocation_id)
        return renewed if stored else self.current()

    def _stored(self, session: Session, renewed: Tokens, version: int) -> tuple[bool, int]:
        """Whether they are the connection's tokens now, and the id of a revocation, or 0."""
        row = connection_first(session, self._id)
        if row is None:
            raise NotConnected("Salesforce is not connected.")
        at, times = now(session), self._runtime.times
        sealed = grants.seal(
            self._runtime.vault, renewed, company_id=row.company_id, org_id=row.org_id
        )
        if row.token_version == version and row.status == ConnectionStatus.LIVE:
            row.tokens = sealed
            row.token_version += 1
            row.instance_url = renewed.instance_url
            row.refresh_owner = row.refresh_until = None
            idle.renewed(row, at=at, times=times)
            return True, 0
        if row.status != ConnectionStatus.DISCONNECTED:
            return False, 0
        # Disconnected while the refresh was on its way: what it brought goes back, too.
        return False, grants.revocation(session, row.id, sealed, at=at, times=times)

    def _not_renewed(
        self, session: Session, *, error: KeepingError, version: int, early: bool
    ) -> None:
        """What a refresh that brought nothing does to the connection; nothing to one that was
        reconnected meanwhile."""
        self._release_rows(session)
        row = connection_first(session, self._id)
        if row is None or row.token_version != version or row.status != ConnectionStatus.LIVE:
            return
        at, times = now(session), self._runtime.times
        if isinstance(error, ConnectionLost):
            barred.lose(session, row, error, at=at)
        elif early:
            idle.put_off(row, at=at, times=times)
        elif isinstance(error, ConnectionBarred):
            barred.bar(session, row, error, at=at, times=times, probed=self._probing)
            self._probing = False

    def _keep(self, work: Callable[[Session], T]) -> T:
        """Write down the outcome of a refresh, whatever that takes, while the lease is ours."""
        return self._write(work, until=self._lease_ends)

    def _write(self, work: Callable[[Session], T], *, until: float) -> T:
        while True:
            try:
                with self._runtime.database.write() as session:
                    return work(session)
            except _NOT_NOW as error:
                if self._runtime.clock.monotonic() >= until:
                    raise
                log.warning(
                    "login_not_stored_yet",
                    extra={"connection_id": self._id, "error": type(error).__name__},
                )
                self._runtime.clock.sleep(_LOOK_AGAIN)

    def _release_rows(self, session: Session) -> None:
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
            self._runtime.vault, row.tokens, company_id=row.company_id, org_id=row.org_id
        )
