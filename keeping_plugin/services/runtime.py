"""Everything that one app's plugin runs on, as one frozen value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Any

from sqlalchemy import Engine

from keeping_plugin.config import Config
from keeping_plugin.crypto import TokenVault
from keeping_plugin.models import Database, now
from keeping_plugin.ports import (
    Clock,
    Gateways,
    HelpDesk,
    JobQueue,
    OAuth,
    SalesforceGateway,
)
from keeping_plugin.services.limits import ConcurrencyLimit, RateLimiter
from keeping_plugin.services.metering import Feature, Meter, write_down
from keeping_plugin.times import CALL, CLOCK_JUMP, CLOCK_QUARANTINE, YOUNG, Times
from keeping_plugin.types import Agent, OrgFacts, Tokens


@dataclass(slots=True)
class ClockWatch:
    """Compares the database's clock with this process's monotonic one.

    Leases and settle times hold only while the clock that writes them runs evenly. After a jump of
    more than 2 s this process takes over nobody's lease and looks at no marked row for 60 s; a
    process less than 5 s old has seen no clock run and takes over none either.
    """

    clock: Clock
    times: Times
    _born: float = field(init=False)
    _seen: tuple[datetime, float] | None = field(init=False, default=None)
    _trusted_from: float = field(init=False, default=float("-inf"))

    def __post_init__(self) -> None:
        self._born = self.clock.monotonic()

    def observe(self, database_time: datetime) -> None:
        """Compare this reading of the database's clock with the one before."""
        here = self.clock.monotonic()
        if self._seen is not None:
            then, there = self._seen
            moved = (database_time - then).total_seconds() - (here - there)
            if abs(moved) > CLOCK_JUMP:
                self._trusted_from = here + self.times.seconds(CLOCK_QUARANTINE)
        self._seen = (database_time, here)

    @property
    def steady(self) -> bool:
        """No jump was seen lately: marked rows may be looked at."""
        return self.clock.monotonic() >= self._trusted_from

    @property
    def may_take_over(self) -> bool:
        """A lease that ran out may be taken from whoever held it."""
        grown = self.clock.monotonic() - self._born >= self.times.seconds(YOUNG)
        return grown and self.steady


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One app's plugin, wired by `extension.KeepingSalesforce.init_app` and kept in
    `app.extensions["keeping"]`. Services take it as their first argument."""

    name: str  # of the blueprint
    config: Config
    times: Times
    clock: Clock
    watch: ClockWatch
    database: Database
    vault: TokenVault
    queue: JobQueue
    helpdesk: HelpDesk
    gateways: Gateways
    oauth: OAuth
    # Asks the org itself, with a grant that is not stored yet.
    org_facts: Callable[[Tokens], OrgFacts]
    # Renews the login of a connection that has idled long enough. Raises SalesforceError and
    # NotReady when Salesforce did not renew it.
    keep_login: Callable[[int], None]
    concurrency: ConcurrencyLimit
    rate: RateLimiter
    # The host's `db.session` registry and all of its engines; both need an app context.
    host_session: Callable[[], Any]
    host_engines: Callable[[], Iterable[Engine]]
    # Gives back the host's database connection: HelpDesk reads through the host's own session, and
    # no transaction may be open during a call to Salesforce.
    end_host_transaction: Callable[[], None]
    # Whether the address of the inbox stands in its configuration.
    host_known: Callable[[], bool]
    # Each raises NotReady, with one sentence for the operator, when what it checks is missing.
    checks: tuple[Callable[[], None], ...] = ()
    # What ends a whole job, whatever it is doing: no error of the code that it interrupts.
    interrupts: tuple[type[Exception], ...] = ()
    # Set when this process has been asked to end: no further call begins.
    stopping: Event = field(default_factory=Event)

    @contextmanager
    def gateway(
        self,
        connection_id: int,
        feature: Feature,
        *,
        within: float = CALL,
    ) -> Iterator[SalesforceGateway]:
        """A connection's gateway for the length of the block. However the block ends, its requests
        are counted for this feature, in a transaction of their own; none when nothing was asked.
        `within`: seconds for each call."""
        with self.metered(feature) as gateways:
            yield gateways(connection_id, deadline=self.times.seconds(within))

    @contextmanager
    def asked_by(
        self, agent: Agent, connection_id: int, feature: Feature, *, within: float = CALL
    ) -> Iterator[SalesforceGateway]:
        """As `gateway`, in a turn of this person's."""
        with self.turn(agent), self.gateway(connection_id, feature, within=within) as gateway:
            yield gateway

    @contextmanager
    def metered(self, feature: Feature) -> Iterator[Gateways]:
        """As `gateway`, for a block that opens gateways with deadlines of their own."""
        meter = Meter(self.gateways)
        try:
            yield meter
        finally:
            write_down(self.database, meter, feature)

    @contextmanager
    def turn(self, agent: Agent) -> Iterator[None]:
        """Every request of a person that asks Salesforce runs in one: it holds a slot, and counts
        towards the agent's rate. Raises TooBusy at once."""
        with self.concurrency.slot():
            self.rate.hit(agent.company_id, agent.id)
            yield

    def observe_clock(self) -> datetime:
        """The database's time, also shown to the watch."""
        with self.database.read() as session:
            time = now(session)
        self.watch.observe(time)
        return time

    def check_ready(self) -> None:
        """Raises NotReady, with one sentence for the operator, when something outside is missing:
        Redis, or a key that opens the stored tokens."""
        for check in self.checks:
            check()
