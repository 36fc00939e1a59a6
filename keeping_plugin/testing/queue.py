"""An in-memory job queue that records what was queued."""

from __future__ import annotations

from collections.abc import Iterable


class FakeQueue:
    """`ports.JobQueue` in memory. `rings` and `jobs` record what was queued, in order; a connection
    whose ring has not been cleared is not rung for again."""

    def __init__(self) -> None:
        self.rings: list[int] = []
        self.jobs: list[tuple[str, int]] = []
        self.reachable = True
        self._ringing: set[int] = set()

    def ring(self, connection_ids: Iterable[int]) -> None:
        for connection_id in connection_ids:
            if self.reachable and connection_id not in self._ringing:
                self._ringing.add(connection_id)
                self.rings.append(connection_id)

    def clear_ring(self, connection_id: int) -> None:
        self._ringing.discard(connection_id)

    def enqueue(self, job: str, row_id: int) -> None:
        if self.reachable:
            self.jobs.append((job, row_id))

    def length(self) -> int | None:
        return len(self._ringing) + len(self.jobs) if self.reachable else None

    def take(self) -> tuple[list[int], list[tuple[str, int]]]:
        """Return what a worker would find now, and empty the queue."""
        rung = [one for one in dict.fromkeys(self.rings) if one in self._ringing]
        taken = (rung, self.jobs)
        self.rings, self.jobs, self._ringing = [], [], set()
        return taken
