"""The Task that an EmailMessage makes by itself, and makes anew with each change of its people."""

from __future__ import annotations

from typing import Any

from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.records.removal import Removal
from salesforce_simulator.records.saves import Saves
from salesforce_simulator.results import User
from salesforce_simulator.store import Record, Store

_DONE = frozenset({"2", "3", "4"})
"""Replied, sent and forwarded: past activity. New, read and draft ones stand under Upcoming."""


class OwnTask:
    """Makes, renews and mends the Tasks of messages."""

    def __init__(self, store: Store, catalog: Catalog, saves: Saves, removal: Removal) -> None:
        self._store = store
        self._catalog = catalog
        self._saves = saves
        self._removal = removal

    def wanted(self, message: Record) -> bool:
        """Incoming mail on a Case makes none, unless a mail client manages it."""
        on_case = message.get("Incoming") and message.get("ParentId")
        return not on_case or bool(message.get("IsClientManaged"))

    def make(self, user: User, message: Record, people: list[Record]) -> Record:
        """Create the Task of a message; the message as stored with its ``ActivityId``.

        The Task's own rules (required fields, validation) may refuse, and the message with it.
        """
        tasks = self._catalog.get("Task")
        values = self._values(message) | {"WhoId": _who(message, people)}
        known = {name: value for name, value in values.items() if tasks.field(name) is not None}
        task_id = self._saves.create_row(user, "Task", known)
        return self._point(message, task_id)

    def renew(self, user: User, message: Record, people: list[Record]) -> None:
        """Put another Task, with another id, into the place of the one there is."""
        old = self._of(message)
        if old is None:
            return
        self.make(user, message, people)
        self._removal.bin(user, self._catalog.get("Task"), old, str(old["Id"]))

    def mend(self, message: Record) -> None:
        """Show a changed message on its Task, which stays the same."""
        task = self._of(message)
        if task is not None:
            values = self._values(message)
            changed = {name: values[name] for name in ("Subject", "Status", "WhatId")}
            self._saves.put_row(self._catalog.get("Task"), task | changed, task)

    def _of(self, message: Record) -> Record | None:
        found = self._store.get(message["ActivityId"]) if message.get("ActivityId") else None
        return None if found is None or found[1].get("IsDeleted") else found[1]

    def _point(self, message: Record, task_id: str) -> Record:
        pointing = message | {"ActivityId": task_id}
        self._store.put(self._catalog.get("EmailMessage"), pointing, message)
        return pointing

    def _values(self, message: Record) -> dict[str, Any]:
        return {
            "Subject": f"Email: {message.get('Subject') or ''}"[:255],
            "Description": str(message.get("TextBody") or "")[:32_000] or None,
            "Status": self._status(closed=message.get("Status") in _DONE),
            "TaskSubtype": "Email",
            "ActivityDate": str(message.get("MessageDate"))[:10],
            "WhatId": message.get("RelatedToId"),
        }

    def _status(self, *, closed: bool) -> str:
        """The first TaskStatus of that kind, in their order."""
        rows = self._store.scan("TaskStatus", deleted=False)
        for row in sorted(rows, key=lambda row: int(row.get("SortOrder") or 0)):
            if bool(row.get("IsClosed")) is closed:
                return str(row["ApiName"])
        return "Completed" if closed else "Not Started"


def _who(message: Record, people: list[Record]) -> str | None:
    """One person: a Contact first; a Lead only when nothing else is related (a Task takes no Lead
    beside a WhatId)."""
    ids = [str(row["RelationId"]) for row in people if row.get("RelationId")]
    contact = next((i for i in ids if i.startswith("003")), None)
    if contact is not None or message.get("RelatedToId"):
        return contact
    return next((i for i in ids if i.startswith("00Q")), None)
