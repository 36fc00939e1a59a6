"""The plugin's ledger as an outsider reads it: SQL over its tables, never its code."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

_OWED = ("pending", "sending")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the ledger."""

    message_id: str
    action: str
    state: str
    reason: str
    address: str
    record_id: str | None
    contact_id: str | None


class Ledger:
    """Reads the database behind this URL, a moment at a time."""

    def __init__(self, database_url: str) -> None:
        self._engine = sa.create_engine(database_url, poolclass=sa.NullPool)

    def decisions(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """Message id to the reasons that refuse each action; no reasons: granted."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                sa.text("SELECT message_id, verdicts FROM keeping_decision WHERE occasion = 'live'")
            ).all()
        return {message_id: _reasons(verdicts) for message_id, verdicts in rows}

    def entries(self) -> Sequence[Entry]:
        """Every entry, oldest first."""
        columns = "message_id, action, state, reason, address, record_id, contact_id"
        with self._engine.connect() as connection:
            rows = connection.execute(
                sa.text(f"SELECT {columns} FROM keeping_sync_entry ORDER BY id")
            )
            return [Entry(**row) for row in rows.mappings()]

    def messages(self, mailbox_id: str) -> set[str]:
        """Ids of the messages that the inbox holds in a mailbox."""
        with self._engine.connect() as connection:
            found = connection.scalars(
                sa.text("SELECT id FROM message WHERE mailbox_id = :mailbox"),
                {"mailbox": mailbox_id},
            )
            return set(found)

    def states(self) -> Counter[str]:
        """How many entries stand in which state."""
        return Counter(entry.state for entry in self.entries())

    def await_drained(
        self, *, seconds: float = 120.0, say: Callable[[str], None] = lambda _: None
    ) -> bool:
        """Wait until nothing is pending or sending; False when something still is after so long."""
        end = time.monotonic() + seconds
        told = -1
        while True:
            states = self.states()
            owed = sum(states[state] for state in _OWED)
            if owed == 0:
                return True
            if time.monotonic() > end:
                return False
            if owed != told:
                say(f"{owed:,} to go")
                told = owed
            time.sleep(0.1)


def _reasons(verdicts: str) -> dict[str, list[str]]:
    """The verdicts column: a list of [action, reasons]."""
    return {action: list(reasons) for action, reasons in json.loads(verdicts)}
