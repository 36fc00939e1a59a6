"""How many of a process's threads may wait on Salesforce for agents."""

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
        self._changed = threading.Condition()

    @contextmanager
    def seat(self, *, patience: float = 0.0) -> Iterator[None]:
        """Sit for the length of the block. Raises Crowded when every seat is taken, and stays so
        for `patience` seconds."""
        with self._changed:
            if not self._changed.wait_for(self._free, patience):
                raise Crowded("Too many people are waiting for Salesforce just now. Try again.")
            self._taken += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken -= 1
                self._changed.notify()

    def _free(self) -> bool:
        return self._taken < max(1, int(threading.active_count() * self._share))
