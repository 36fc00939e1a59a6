"""How many of a process's threads may wait on Salesforce for a panel."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from keeping_plugin.errors import Crowded


class Seats:
    """At most a quarter of the process's threads, and at least one, sit here at a time. Whoever
    comes then hears so at once, so that a slow Salesforce never holds up the whole inbox.

    The process's threads are counted when somebody comes: servers start them as they like.
    """

    def __init__(self, *, share: float = 0.25) -> None:
        self._share = share
        self._taken = 0
        self._lock = threading.Lock()

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Sit for the length of the block. Raises Crowded when every seat is taken."""
        with self._lock:
            if self._taken >= max(1, int(threading.active_count() * self._share)):
                raise Crowded("Too many people are waiting for Salesforce just now.")
            self._taken += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken -= 1
