"""API requests against the daily allocation: a rolling window of 24 hours of the org's clock."""

from __future__ import annotations

import threading
from collections import deque
from datetime import timedelta

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import refuse

WINDOW = timedelta(hours=24)
GRAIN = 60.0


class ApiUsage:
    """Counts requests by the minute; ``offset`` is consumption by the org's other integrations."""

    def __init__(self, clock: OrgClock, *, limit: int) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._minutes: deque[list[float]] = deque()
        self._offset = 0
        self.limit = limit

    def _total(self) -> int:
        now = self._clock.now().timestamp()
        oldest = now - WINDOW.total_seconds()
        while self._minutes and self._minutes[0][0] < oldest:
            self._minutes.popleft()
        return self._offset + int(sum(count for _, count in self._minutes))

    def count(self, requests: int) -> None:
        """Add ``requests`` to the window; a call over the limit is refused and adds nothing."""
        with self._lock:
            if requests and self._total() >= self.limit:
                raise refuse(
                    "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", None, status=403
                )
            now = self._clock.now().timestamp()
            if not self._minutes or now - self._minutes[-1][0] >= GRAIN:
                self._minutes.append([now, 0])
            self._minutes[-1][1] += requests

    def add(self, requests: int) -> None:
        """Add to a call that is already under way (the further subrequests of a batch)."""
        with self._lock:
            if self._minutes:
                self._minutes[-1][1] += requests

    def used(self) -> int:
        """Requests of the last 24 hours."""
        with self._lock:
            return self._total()

    def set(self, *, used: int | None = None, limit: int | None = None) -> None:
        """Pretend that other integrations have used so many, or that the allocation is another."""
        with self._lock:
            if limit is not None:
                self.limit = limit
            if used is not None:
                self._minutes.clear()
                self._offset = used

    def header(self) -> str:
        """The value of ``Sforce-Limit-Info``."""
        return f"api-usage={self.used()}/{self.limit}"
