"""How often an agent, and a whole company, may have Salesforce asked: panels, searches, saves."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from keeping_plugin.errors import Crowded
from keeping_plugin.wording.terminal import escaped

log = logging.getLogger("keeping_plugin.panel")

WINDOW = 60.0
_REMEMBERED = 10_000  # agents and companies

SharedCount = Callable[[str], int | None]
"""Counts one request under a name and says how many there were, of all processes, in the minute
that began with the first of them; None when nobody can tell just now."""


def alone(_: str) -> None:
    """The shared count of a process that has no others."""


class Pace:
    """Counts the last minute (KEEPING_PANEL_LIMIT): `limit` is an agent's and a company's. All
    processes count together in Redis; while that is away each holds the limit by itself."""

    def __init__(
        self,
        limit: tuple[int, int],
        monotonic: Callable[[], float],
        *,
        shared: SharedCount = alone,
    ) -> None:
        self._agent, self._company = limit
        self._monotonic = monotonic
        self._shared = shared
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def step(self, company_id: str, agent_id: str) -> None:
        """Count one request. Raises Crowded when the agent or the company asks too often; that
        leaves a warning for whoever watches the logs."""
        here = [(agent_id, self._agent, "agent"), ("", self._company, "company")]
        with self._lock:
            now = self._monotonic()
            counted = [
                (self._times((company_id, whose), now), limit, who) for whose, limit, who in here
            ]
            for times, limit, who in counted:
                if len(times) >= limit:
                    raise _crowded(company_id, who)
            for times, _, _ in counted:
                times.append(now)
        for whose, limit, who in here:
            if (self._shared(_name(company_id, whose)) or 0) > limit:
                raise _crowded(company_id, who)

    def _times(self, key: tuple[str, str], now: float) -> deque[float]:
        times = self._seen.setdefault(key, deque())
        self._seen.move_to_end(key)
        while times and now - times[0] >= WINDOW:
            times.popleft()
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return times


def _crowded(company_id: str, who: str) -> Crowded:
    log.warning("panel_limit_reached", extra={"company_id": escaped(company_id), "limit_of": who})
    return Crowded("Salesforce was asked very often just now. Wait a minute.")


def _name(company_id: str, agent_id: str) -> str:
    # A digest: an agent's id may be an address, which has no business in Redis.
    return hashlib.sha256(json.dumps([company_id, agent_id]).encode()).hexdigest()[:32]
