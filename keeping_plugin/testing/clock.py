"""A clock that stands until it is told to move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """`ports.Clock` under a test's control. Sleeping moves it instead of waiting."""

    def __init__(self, now: datetime = datetime(2026, 5, 6, 9, 0, tzinfo=UTC)) -> None:
        self._now = now
        self._monotonic = 1_000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back; the monotonic one goes on as if nothing happened."""
        self._now += timedelta(seconds=seconds)
