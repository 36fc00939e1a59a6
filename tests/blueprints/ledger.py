"""Entries and refusals as the intake and the drain leave them, for pages that show them."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import insert

from keeping_plugin.models import Database, Decision, Lane, SyncEntry, now
from keeping_plugin.types import Action

_numbers = count(1)


class Ledger:
    """Writes rows of one connection."""

    def __init__(self, database: Database, connection_id: int, company_id: str = "acme") -> None:
        self._database = database
        self._common = {"connection_id": connection_id, "company_id": company_id}

    def entry(self, action: Action = Action.LOG_TASK, state: str = "done", **values: Any) -> int:
        """One entry; its id."""
        number = next(_numbers)
        with self._database.write() as session:
            row = {
                **self._common,
                "mailbox_id": "support",
                "conversation_id": "c-1",
                "message_id": f"m-{number}",
                "action": action,
                "lane": Lane.LIVE,
                "epoch": 1,
                "address": "jane@acme.example",
                "created_at": now(session),
                "state": state,
                **values,
            }
            if state in {"done", "failed", "cancelled"}:
                row.setdefault("settled_at", row["created_at"])
            return int(session.execute(insert(SyncEntry).values(row)).inserted_primary_key[0])

    def refusal(
        self,
        add: tuple[str, ...] = ("auto_add_off",),
        log: tuple[str, ...] = ("logging_off",),
        at: datetime | None = None,
        **values: Any,
    ) -> None:
        """A message of which the rules granted nothing."""
        with self._database.write() as session:
            row = {
                **self._common,
                "mailbox_id": "support",
                "conversation_id": "c-1",
                "message_id": f"m-{next(_numbers)}",
                "decided_at": at or now(session),
                "rules_version": "x",
                "verdicts": [["add_contact", list(add)], ["log_task", list(log)]],
                "refused": True,
                "facts": {"customer": "jane@acme.example", "inbound": True},
                **values,
            }
            session.execute(insert(Decision).values(row))
