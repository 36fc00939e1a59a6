"""What a drain works with, and the watch it keeps on the clocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event

from keeping_plugin.models import Database, now
from keeping_plugin.ports import Clock, Gateways, HelpDesk, JobQueue
from keeping_plugin.times import CLOCK_JUMP, CLOCK_QUARANTINE, YOUNG, Times


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
class Delivery:
    """The parts of the delivery of one app."""

    database: Database
    helpdesk: HelpDesk
    gateways: Gateways
    queue: JobQueue
    clock: Clock
    times: Times
    watch: ClockWatch
    budget_share: float
    # Renews the login of a connection when it has idled long enough. Raises SalesforceError and
    # NotReady when Salesforce did not renew it.
    keep_login: Callable[[int], None]
    # What ends a whole job, whatever it is doing: no error of the code that it interrupts.
    interrupts: tuple[type[Exception], ...] = ()
    # Set when this process has been asked to end: no further call begins.
    stopping: Event = field(default_factory=Event)
    # Gives back the host's database connection: HelpDesk reads through the host's own session, and
    # no transaction may be open during a call to Salesforce.
    end_host_transaction: Callable[[], None]

    def observe_clock(self) -> datetime:
        """The database's time, also shown to the watch."""
        with self.database.read() as session:
            time = now(session)
        self.watch.observe(time)
        return time
