"""Limits on what people ask of Salesforce: how many requests wait at a time, and how often each
agent and company asks."""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from keeping_plugin.errors import TooBusy
from keeping_plugin.wording.terminal import escaped

log = logging.getLogger("keeping_plugin.panel")

# A quarter of the connections that gunicorn lets a gevent worker have. A waiting greenlet costs
# little, and the others run on; the limit keeps a silent org from filling the whole process.
MAX_GREENLETS = 250
WINDOW = 60.0  # seconds
_MAX_REMEMBERED = 10_000  # agents and companies

_held: ContextVar[frozenset[int]] = ContextVar("keeping_slots", default=frozenset())


class ConcurrencyLimit:
    """At most `limit` requests of this process wait for Salesforce at a time; without one, at most
    a quarter of the process's threads, and at least one. The next request is refused at once, so
    that a slow Salesforce never holds up the whole inbox.

    Threads are counted at each request, because servers start them as they like. Under gevent or
    eventlet requests are greenlets, which cannot be counted: there the limit is 250.
    """

    def __init__(self, *, share: float = 0.25, limit: int | None = None) -> None:
        self._share = share
        self._limit = limit
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def held(self) -> bool:
        """Whether the running request has a slot already."""
        return id(self) in _held.get()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot for the length of the block; a request that has one keeps it. Raises TooBusy
        at once when every slot is taken."""
        if self.held:
            yield
            return
        # A thread that the server made without Python's help is counted from here on.
        threading.current_thread()
        with self._lock:
            if self._taken >= self.limit():
                raise TooBusy(
                    "Too many people are waiting for Salesforce right now. Try again.", soon=True
                )
            self._taken += 1
        token = _held.set(_held.get() | {id(self)})
        try:
            yield
        finally:
            _held.reset(token)
            with self._lock:
                self._taken -= 1

    def limit(self) -> int:
        """How many slots there are now."""
        if self._limit is not None:
            return self._limit
        if in_greenlets():
            return MAX_GREENLETS
        return max(1, int(threading.active_count() * self._share))


def in_greenlets() -> bool:
    """Whether this process's threads are greenlets of gevent or eventlet."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None and gevent.is_module_patched("threading"):
        return True
    eventlet = sys.modules.get("eventlet.patcher")
    return eventlet is not None and bool(eventlet.is_monkey_patched("thread"))


SharedCount = Callable[[str], int | None]
"""Counts one request under a name and returns how many there were, of all processes, in the minute
that began with the first of them; None when nobody can tell just now."""


def not_shared(_: str) -> None:
    """The shared count of a process that is the only one."""


class RateLimiter:
    """Counts the last minute's requests (KEEPING_PANEL_LIMIT): `limit` is an agent's and a
    company's. All processes count together in Redis; while Redis is away, each keeps the limit by
    itself."""

    def __init__(
        self,
        limit: tuple[int, int],
        monotonic: Callable[[], float],
        *,
        shared: SharedCount = not_shared,
    ) -> None:
        self._agent, self._company = limit
        self._monotonic = monotonic
        self._shared = shared
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def hit(self, company_id: str, agent_id: str) -> None:
        """Count one request. Raises TooBusy when the agent or the company asks too often, and logs
        a warning then."""
        limits = [(agent_id, self._agent, "agent"), ("", self._company, "company")]
        with self._lock:
            now = self._monotonic()
            counted = [
                (self._times((company_id, whose), now), limit, who) for whose, limit, who in limits
            ]
            for times, limit, who in counted:
                if len(times) >= limit:
                    raise _too_often(company_id, who)
            for times, _, _ in counted:
                times.append(now)
        for whose, limit, who in limits:
            if (self._shared(_name(company_id, whose)) or 0) > limit:
                raise _too_often(company_id, who)

    def _times(self, key: tuple[str, str], now: float) -> deque[float]:
        times = self._seen.setdefault(key, deque())
        self._seen.move_to_end(key)
        while times and now - times[0] >= WINDOW:
            times.popleft()
        while len(self._seen) > _MAX_REMEMBERED:
            self._seen.popitem(last=False)
        return times


def _too_often(company_id: str, who: str) -> TooBusy:
    log.warning("panel_limit_reached", extra={"company_id": escaped(company_id), "limit_of": who})
    return TooBusy("Too many Salesforce requests. Try again in a minute.")


def _name(company_id: str, agent_id: str) -> str:
    # A digest: an agent's id may be an address, which has no business in Redis.
    return hashlib.sha256(json.dumps([company_id, agent_id]).encode()).hexdigest()[:32]
