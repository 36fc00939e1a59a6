"""The org's clock: UTC, can be moved or held still, and is shared by every part of the org."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _utc_now() -> datetime:
    return datetime.now(UTC)


class OrgClock:
    """Tells the org's time. ``source`` is the real clock; tests and the control prefix move it."""

    def __init__(self, source: Callable[[], datetime] = _utc_now) -> None:
        self._source = source
        self._offset = timedelta(0)
        self._held: datetime | None = None
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The org's present, an aware datetime in UTC."""
        with self._lock:
            return self._held if self._held is not None else self._source() + self._offset

    def advance(self, by: timedelta) -> None:
        """Move the clock by ``by`` (also backwards); a held clock stays held."""
        with self._lock:
            if self._held is not None:
                self._held += by
            else:
                self._offset += by

    def set(self, moment: datetime) -> None:
        """Move the clock to ``moment``; it goes on running from there unless it is held."""
        if moment.tzinfo is None:
            raise ValueError("the org's clock needs an aware datetime")
        with self._lock:
            if self._held is not None:
                self._held = moment.astimezone(UTC)
            else:
                self._offset = moment - self._source()

    def hold(self) -> None:
        """Stop the clock at its present."""
        with self._lock:
            if self._held is None:
                self._held = self._source() + self._offset

    def release(self) -> None:
        """Let a held clock run again from where it stands."""
        with self._lock:
            if self._held is not None:
                self._offset = self._held - self._source()
                self._held = None
