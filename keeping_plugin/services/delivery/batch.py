"""The rows that one drain works on at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from keeping_plugin.models import Connection, SyncEntry


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that are ours to work on until they are settled. `connection` is as it stood when they
    were claimed, `began_at` the database's time of the claim."""

    token: str
    connection: Connection
    began_at: datetime
    rows: Sequence[SyncEntry]

    @property
    def row_ids(self) -> list[int]:
        return [row.id for row in self.rows]

    @property
    def alone(self) -> bool:
        """Only one message: what goes wrong is this message's doing."""
        return len({row.message_id for row in self.rows}) == 1
