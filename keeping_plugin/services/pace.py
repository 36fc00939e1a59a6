"""How often an agent, and a whole company, may have Salesforce asked: panels, searches, saves."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from keeping_plugin.errors import Crowded

log = logging.getLogger("keeping_plugin.panel")

WINDOW = 60.0
_REMEMBERED = 10_000  # agents and companies


class Pace:
    """Counts the last minute of one process (KEEPING_PANEL_LIMIT): `limit` is an agent's and a
    company's."""

    def __init__(self, limit: tuple[int, int], monotonic: Callable[[], float]) -> None:
        self._agent, self._company = limit
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def step(self, company_id: str, agent_id: str) -> None:
        """Count one request. Raises Crowded when the agent or the company asks too often; that
        leaves a warning for whoever watches the logs."""
        with self._lock:
            now = self._monotonic()
            counted = [
                (self._times((company_id, agent_id), now), self._agent, "agent"),
                (self._times((company_id, ""), now), self._company, "company"),
            ]
            for times, limit, who in counted:
                if len(times) >= limit:
                    log.warning(
                        "panel_limit_reached", extra={"company_id": company_id, "limit_of": who}
                    )
                    raise Crowded("Salesforce was asked very often just now. Wait a minute.")
            for times, _, _ in counted:
                times.append(now)

    def _times(self, key: tuple[str, str], now: float) -> deque[float]:
        times = self._seen.setdefault(key, deque())
        self._seen.move_to_end(key)
        while times and now - times[0] >= WINDOW:
            times.popleft()
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return times
