"""A line for each call: what it was, what it cost, and whose token it carried (never the token)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from salesforce_simulator.clock import OrgClock

KEPT = 20_000
#: People log in and approve here; these are no calls of the client's.
BROWSER = "/services/oauth2/authorize"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One HTTP round trip.

    ``time`` is the org's clock (ISO 8601), ``duration_ms`` real time until the answer was ready.
    ``status`` is 0 when the caller got no answer. ``api_requests`` is what counted against the
    daily allocation. ``parts`` are the subrequests as ``METHOD resource``. ``path`` has no query
    string. ``faults`` names the faults that struck.
    """

    number: int
    time: str
    method: str
    path: str
    call: str | None
    user: str | None
    token: str | None
    status: int
    duration_ms: float
    api_requests: int
    subrequests: int
    rows: int
    parts: tuple[str, ...]
    faults: tuple[str, ...]


class RequestLog:
    """The last 20,000 calls and counters since the last reset.

    ``http_round_trips`` is what the client's server sent: ``data_round_trips`` to the REST API and
    ``oauth_round_trips``; ``browser_round_trips`` are apart.
    """

    def __init__(self, clock: OrgClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._number = 0
        self._zero()

    def _zero(self) -> None:
        self._counters = {
            "http_round_trips": 0,
            "data_round_trips": 0,
            "oauth_round_trips": 0,
            "browser_round_trips": 0,
            "api_requests": 0,
            "composite_subrequests": 0,
            "rows": 0,
        }

    def add(self, **values: Any) -> Entry:
        """Write one line; ``number`` and ``time`` are added."""
        with self._lock:
            self._number += 1
            entry = Entry(number=self._number, time=self._clock.now().isoformat(), **values)
            self._entries.append(entry)
            if entry.path == BROWSER:
                self._counters["browser_round_trips"] += 1
                return entry
            oauth = entry.path.startswith(("/services/oauth2", "/id/"))
            self._counters["http_round_trips"] += 1
            self._counters["oauth_round_trips" if oauth else "data_round_trips"] += 1
            self._counters["api_requests"] += entry.api_requests
            self._counters["composite_subrequests"] += entry.subrequests
            self._counters["rows"] += entry.rows
            return entry

    def entries(self, keep: Callable[[Entry], bool] = lambda _: True) -> list[dict[str, Any]]:
        """The lines, oldest first, as plain dicts."""
        with self._lock:
            return [asdict(entry) for entry in self._entries if keep(entry)]

    def counters(self) -> dict[str, int]:
        """Counters since the last reset."""
        with self._lock:
            return dict(self._counters)

    def reset(self) -> None:
        """Forget the lines and set every counter to zero; numbers go on."""
        with self._lock:
            self._entries.clear()
            self._zero()
