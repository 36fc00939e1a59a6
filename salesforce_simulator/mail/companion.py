"""Emails beside the saves: their people, their Task, and what goes together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.mail import messages
from salesforce_simulator.mail.described import JUNCTION_FIELDS
from salesforce_simulator.mail.own_task import OwnTask
from salesforce_simulator.mail.relations import OBJECT as RELATION
from salesforce_simulator.mail.relations import Relations
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.records.companions import Companion
from salesforce_simulator.records.removal import WITH, Removal
from salesforce_simulator.records.saves import Saves
from salesforce_simulator.results import User
from salesforce_simulator.store import Record, Store
from salesforce_simulator.values import show_datetime

MESSAGE = "EmailMessage"


class Mail(Companion):
    """Without effect until the org has the feature ``mail``."""

    def __init__(
        self, store: Store, catalog: Catalog, saves: Saves, removal: Removal, clock: OrgClock
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._removal = removal
        self._clock = clock
        self._relations = Relations(store, catalog, saves)
        self._task = OwnTask(store, catalog, saves, removal)
        self._settling = False

    @property
    def _on(self) -> bool:
        return "mail" in self._catalog.features

    @contextmanager
    def _settled(self) -> Iterator[None]:
        """While it lasts, rows of people are the message's own doing and renew no Task."""
        self._settling = True
        try:
            yield
        finally:
            self._settling = False

    # -- saves -------------------------------------------------------------------------------------
    def check(
        self, user: User, schema: ObjectSchema, changes: Record, before: Record | None
    ) -> None:
        if not self._on:
            return
        if schema.name == MESSAGE and before is None:
            enhanced = bool(self._catalog.features["mail"].get("enhanced", True))
            now = show_datetime(self._clock.now().replace(microsecond=0))
            messages.check_new(changes, enhanced=enhanced, now=now)
        elif schema.name == MESSAGE and before is not None:
            messages.check_change(user, before, changes)
        elif schema.name == RELATION:
            message = self._message((before or changes).get("EmailMessageId"))
            if message is None:
                return  # a required field, which is looked at later
            messages.require_open(user, message, "RelationId")
            if before is None:
                self._relations.check_new(message, changes)
            else:
                self._relations.check_change(changes)

    def saved(
        self, user: User, schema: ObjectSchema, record: Record, before: Record | None
    ) -> None:
        if not self._on or self._settling:
            return
        if schema.name == MESSAGE and before is None:
            with self._settled():
                self._relations.make(user, record)
            message = self._relations.show(record)
            if self._task.wanted(message) and not message.get("ActivityId"):
                self._task.make(user, message, self._relations.of(message["Id"]))
        elif schema.name == MESSAGE and before is not None:
            self._changed(user, record, before)
        elif schema.name == RELATION:
            self._people_changed(user, record["EmailMessageId"])

    def _changed(self, user: User, record: Record, before: Record) -> None:
        lists = [name for name in JUNCTION_FIELDS if record.get(name) != before.get(name)]
        if lists:
            with self._settled():
                self._relations.replace(user, record, lists)
            self._people_changed(user, record["Id"])
        elif any(record.get(n) != before.get(n) for n in ("Subject", "Status", "RelatedToId")):
            self._task.mend(record)

    def _people_changed(self, user: User, message_id: str) -> None:
        message = self._message(message_id)
        if message is not None:
            shown = self._relations.show(message)
            self._task.renew(user, shown, self._relations.of(message_id))

    def _message(self, message_id: str | None) -> Record | None:
        found = self._store.get(message_id) if message_id else None
        return None if found is None or found[1].get("IsDeleted") else found[1]

    # -- deletions ---------------------------------------------------------------------------------
    def leaving(self, user: User, schema: ObjectSchema, record: Record, root: str) -> None:
        if not self._on:
            return
        if schema.name == MESSAGE:
            for row in self._relations.of(record["Id"]):
                self._relations.put_away(row, root)
        elif schema.name == "Task":
            for message in self._of_task(record["Id"]):
                self._removal.bin(user, self._catalog.get(MESSAGE), message, root)
        elif schema.name in {"Contact", "Lead"}:
            # The person leaves the emails first, so that these do not go with the person's Tasks.
            relations = self._catalog.get(RELATION)
            for row in self._relations.of_person(record["Id"]):
                self._removal.bin(user, relations, row, root)

    def left(self, user: User, schema: ObjectSchema, record: Record) -> None:
        if not self._on:
            return
        root = str(record[WITH])
        if schema.name == MESSAGE:
            found = self._store.get(record["ActivityId"]) if record.get("ActivityId") else None
            if found is not None and not found[1].get("IsDeleted"):
                self._removal.bin(user, self._catalog.get("Task"), found[1], root)
        elif schema.name == RELATION:
            self._people_changed(user, record["EmailMessageId"])

    def _of_task(self, task_id: str) -> list[Record]:
        schema = self._catalog.get(MESSAGE)
        field = schema.field("ActivityId")
        ids = set() if field is None else self._store.ids_equal(schema.name, field, [task_id])
        found = self._store.get_many(sorted(ids)).values()
        return [message for message in found if not message.get("IsDeleted")]

    def restored(
        self, user: User, schema: ObjectSchema, record: Record, together: frozenset[str]
    ) -> None:
        if self._on and schema.name == RELATION and record["EmailMessageId"] not in together:
            self._people_changed(user, record["EmailMessageId"])

    def moved(self, user: User, old: str, new: str) -> None:
        if self._on and new.startswith(("003", "00Q")):
            for message_id in self._relations.move(old, new):
                message = self._message(message_id)
                if message is not None:
                    self._relations.show(message)
