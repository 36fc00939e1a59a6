"""Shared Activities: a Task with one Lead or up to 50 Contacts, as TaskRelation and TaskWhoIds."""

from __future__ import annotations

from collections.abc import Sequence

from salesforce_simulator.errors import refuse
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.records.companions import Companion
from salesforce_simulator.records.removal import WITH
from salesforce_simulator.records.saves import Saves
from salesforce_simulator.results import User
from salesforce_simulator.store import Record, Store

RELATION = "TaskRelation"
LIST = "TaskWhoIds"
MAX_CONTACTS = 50


class SharedActivities(Companion):
    """Without effect until the org has the feature ``shared_activities``."""

    def __init__(self, store: Store, catalog: Catalog, saves: Saves) -> None:
        self._store = store
        self._catalog = catalog
        self._saves = saves
        self._settling = False

    @property
    def _on(self) -> bool:
        return "shared_activities" in self._catalog.features

    def turned_on(self, user: User, feature: str) -> None:
        """Give the Tasks that are there their rows (assumed)."""
        if feature == "shared_activities":
            schema = self._catalog.get("Task")
            for task in self._store.scan("Task", deleted=False):
                self._show(user, schema, task)

    # -- saves -------------------------------------------------------------------------------------
    def check(
        self, user: User, schema: ObjectSchema, changes: Record, before: Record | None
    ) -> None:
        if self._on and schema.name == "Task":
            self._check_task(changes, before or {})
        elif self._on and schema.name == RELATION and before is None:
            self._check_relation(changes)

    def _check_task(self, changes: Record, before: Record) -> None:
        """The first of ``TaskWhoIds`` is ``WhoId``; ``WhoId`` alone replaces the first."""
        known: list[str] = before.get(LIST) or []
        if LIST in changes:
            people = list(changes[LIST] or ())
            who = changes.get("WhoId")
            if who is not None:  # named beside the list: assumed to be its first
                people = [who, *(one for one in people if one != who)]
        elif "WhoId" in changes:
            who = changes["WhoId"]
            rest = [one for one in known[1:] if one != who]
            people = rest if who is None else [who, *rest]
        else:
            return
        _check_people(people)
        changes[LIST] = people or None
        changes["WhoId"] = people[0] if people else None

    def _check_relation(self, changes: Record) -> None:
        found = self._store.get(changes["TaskId"]) if changes.get("TaskId") else None
        relation = changes.get("RelationId")
        if found is None or relation is None:
            return  # required, which is looked at later
        task = found[1]
        person = str(relation).startswith(("003", "00Q"))
        if person == bool(changes.get("IsWhat")):
            message = "IsWhat is false of a contact or lead and true of any other record"
            raise refuse("FIELD_INTEGRITY_EXCEPTION", message, ["IsWhat"])
        people = task.get(LIST) or []
        if relation in people or relation == task.get("WhatId"):
            raise refuse("DUPLICATE_VALUE", f"duplicate value found: {relation} is related already")
        if person:
            _check_people([*people, relation])
        elif task.get("WhatId"):
            message = "A task can be related to one record besides its people"
            raise refuse("LIMIT_EXCEEDED", message)

    def saved(
        self, user: User, schema: ObjectSchema, record: Record, before: Record | None
    ) -> None:
        if not self._on or self._settling:
            return
        if schema.name == "Task":
            self._show(user, schema, record)
        elif schema.name == RELATION:
            self._related(user, record)

    def _show(self, user: User, schema: ObjectSchema, record: Record) -> None:
        """Make the rows of a Task what its fields say."""
        people = record.get(LIST) or ([record["WhoId"]] if record.get("WhoId") else [])
        wanted = dict.fromkeys(people, False)
        if record.get("WhatId"):
            wanted[record["WhatId"]] = True
        there = {row["RelationId"]: row for row in self._rows("TaskId", record["Id"])}
        for relation, row in there.items():
            if relation not in wanted:
                self._store.drop(self._catalog.get(RELATION), row)
        self._settling = True
        try:
            for relation, is_what in wanted.items():
                if relation not in there:
                    values = {"TaskId": record["Id"], "RelationId": relation, "IsWhat": is_what}
                    self._saves.create_row(user, RELATION, values)
        finally:
            self._settling = False
        if record.get(LIST) != (people or None) or record.get("WhoCount") != len(people):
            self._saves.put_row(schema, record | {LIST: people or None}, record)

    def _related(self, user: User, relation: Record) -> None:
        """Show a new row on its Task."""
        task = self._task(relation["TaskId"])
        if task is None:
            return
        if relation.get("IsWhat"):
            changed = task | {"WhatId": relation["RelationId"]}
        else:
            people = [*(task.get(LIST) or ()), relation["RelationId"]]
            changed = task | {LIST: people, "WhoId": people[0]}
        self._saves.put_row(self._catalog.get("Task"), changed, task)

    # -- deletions ---------------------------------------------------------------------------------
    def leaving(self, user: User, schema: ObjectSchema, record: Record, root: str) -> None:
        """A person who leaves a Task that others are on does not take it along (assumed)."""
        if not self._on or schema.name not in {"Contact", "Lead"}:
            return
        for row in self._rows("RelationId", record["Id"]):
            task = self._task(row["TaskId"])
            if task is not None and len(task.get(LIST) or ()) > 1:
                self._take_off(task, record["Id"])
                self._store.drop(self._catalog.get(RELATION), row)

    def left(self, user: User, schema: ObjectSchema, record: Record) -> None:
        """Rows never lie in the bin; a Task's come back with it, and a Task in the bin still says
        whom it was about."""
        if self._on and schema.name == RELATION:
            self._store.drop(schema, record)
            task = self._task(record["TaskId"])
            if task is not None and record[WITH] == record["Id"]:
                self._take_off(task, record["RelationId"])

    def restored(
        self, user: User, schema: ObjectSchema, record: Record, together: frozenset[str]
    ) -> None:
        if self._on and schema.name == "Task":
            self._show(user, schema, record)

    def moved(self, user: User, old: str, new: str) -> None:
        if not self._on:
            return
        rows = {row["Id"]: row for name in (old, new) for row in self._rows("RelationId", name)}
        for task_id in {row["TaskId"] for row in rows.values()}:
            task = self._task(task_id)
            if task is None:
                continue
            people = [new if one == old else one for one in task.get(LIST) or ()]
            people = list(dict.fromkeys(people))
            changed = task | {LIST: people or None, "WhoId": people[0] if people else None}
            for row in self._rows("TaskId", task_id):
                self._store.drop(self._catalog.get(RELATION), row)
            self._saves.put_row(self._catalog.get("Task"), changed, task)
            self._show(user, self._catalog.get("Task"), changed)

    def _take_off(self, task: Record, relation: str) -> None:
        people = [one for one in task.get(LIST) or () if one != relation]
        changed = task | {LIST: people or None, "WhoId": people[0] if people else None}
        if task.get("WhatId") == relation:
            changed["WhatId"] = None
        self._saves.put_row(self._catalog.get("Task"), changed, task)

    # -- rows --------------------------------------------------------------------------------------
    def _rows(self, name: str, value: str) -> list[Record]:
        schema = self._catalog.get(RELATION)
        field = schema.field(name)
        ids = set() if field is None else self._store.ids_equal(schema.name, field, [value])
        found = self._store.get_many(sorted(ids)).values()
        return [row for row in found if not row.get("IsDeleted")]

    def _task(self, task_id: str) -> Record | None:
        found = self._store.get(task_id)
        return None if found is None or found[1].get("IsDeleted") else found[1]


def _check_people(people: Sequence[str]) -> None:
    leads = [one for one in people if one.startswith("00Q")]
    if leads and len(people) > 1:
        message = "A task can be related to one lead or to contacts, not to both"
        raise refuse("FIELD_INTEGRITY_EXCEPTION", message, [LIST])
    if len(people) > MAX_CONTACTS:
        message = f"A task can be related to at most {MAX_CONTACTS} contacts"
        raise refuse("LIMIT_EXCEEDED", message, [LIST])
