"""The records that each user looked at or saved last, newest first."""

from __future__ import annotations

import threading

#: As many as the object RecentlyViewed holds.
MAX_RECENT = 200


class RecentlyViewed:
    """Up to 200 records a user, in memory; any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, dict[tuple[str, str], None]] = {}

    def note(self, user_id: str, object_name: str, record_id: str) -> None:
        """The user has looked at the record, or saved it."""
        with self._lock:
            seen = self._seen.setdefault(user_id, {})
            seen.pop((object_name, record_id), None)
            seen[object_name, record_id] = None
            if len(seen) > MAX_RECENT:
                del seen[next(iter(seen))]

    def clear(self) -> None:
        """Forget what anybody looked at."""
        with self._lock:
            self._seen.clear()

    def of(self, user_id: str) -> list[tuple[str, str]]:
        """(object, id) of the user's recent records, the latest first."""
        with self._lock:
            return list(reversed(self._seen.get(user_id, {})))
