"""How many requests of a process may wait on Salesforce for people."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from keeping_plugin.errors import Crowded

# A quarter of the connections that gunicorn lets a gevent worker have. A waiting greenlet costs
# little, and the others run on; the limit keeps a silent org from filling the whole process.
IN_GREENLETS = 250

_held: ContextVar[frozenset[int]] = ContextVar("keeping_seats", default=frozenset())


class Seats:
    """At most `limit` requests sit here at a time; without one, at most a quarter of the process's
    threads, and at least one. Whoever comes then hears so at once, so that a slow Salesforce never
    holds up the whole inbox.

    The threads are counted when somebody comes: servers start them as they like. Under gevent or
    eventlet requests are greenlets, of which there is no count: there the limit is 250.
    """

    def __init__(self, *, share: float = 0.25, limit: int | None = None) -> None:
        self._share = share
        self._limit = limit
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def held(self) -> bool:
        """Whether the running request sits already."""
        return id(self) in _held.get()

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Sit for the length of the block; whoever sits already keeps that seat. Raises Crowded, at
        once, when every seat is taken."""
        if self.held:
            yield
            return
        # A thread that the server made without Python's help is counted from here on.
        threading.current_thread()
        with self._lock:
            if self._taken >= self.limit():
                raise Crowded(
                    "Too many people are waiting for Salesforce just now. Try again.", soon=True
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
        """How many may sit now."""
        if self._limit is not None:
            return self._limit
        if in_greenlets():
            return IN_GREENLETS
        return max(1, int(threading.active_count() * self._share))


def in_greenlets() -> bool:
    """Whether this process's threads are greenlets of gevent or eventlet."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None and gevent.is_module_patched("threading"):
        return True
    eventlet = sys.modules.get("eventlet.patcher")
    return eventlet is not None and bool(eventlet.is_monkey_patched("thread"))
