"""What the org works out by itself before it stores a record.

Only for fields that the object has: an old or trimmed recording simply lacks some.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.records.places import sync_places
from salesforce_simulator.store import Record, Store

_STAGES = {
    "prospecting": (10, "Pipeline"), "qualification": (10, "Pipeline"),
    "needs analysis": (20, "Pipeline"), "value proposition": (50, "Pipeline"),
    "id. decision makers": (60, "Pipeline"), "perception analysis": (70, "Pipeline"),
    "proposal/price quote": (75, "Pipeline"), "negotiation/review": (90, "Pipeline"),
    "closed won": (100, "Closed"), "closed lost": (0, "Omitted"),
}  # fmt: skip
"""Probability and forecast category of the standard stages; others count as 50 %, Pipeline."""


def stage_of(name: str) -> tuple[int, str]:
    """Probability and forecast category of a stage."""
    return _STAGES.get(name.lower(), (50, "Pipeline"))


def closed_stage(name: str) -> bool:
    """Whether an Opportunity of this stage is closed."""
    return name.lower() in {"closed won", "closed lost"}


def closed_case(status: str) -> bool:
    """Whether a Case of this status is closed."""
    return status.lower().startswith("closed")


_CLOSED_TASK = frozenset({"completed"})


class Derived:
    """Computed fields, object by object."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog
        self._of: dict[str, Callable[[ObjectSchema, Record, Record | None], None]] = {
            "Task": self._task,
            "Event": self._task,
            "Opportunity": self._opportunity,
            "Case": self._case,
        }

    def fill(self, schema: ObjectSchema, record: Record, before: Record | None) -> None:
        """Set the computed fields of ``record``; ``before`` is the stored one, None when new."""
        _person_name(schema, record)
        sync_places(schema, record, before)
        special = self._of.get(schema.name)
        if special is not None:
            special(schema, record, before)

    def number(self, schema: ObjectSchema, record: Record) -> None:
        """Give a new record its auto-numbers."""
        for field in schema.fields.values():
            if field.raw.get("autoNumber") or (
                schema.name == "Case" and field.name == "CaseNumber"
            ):
                count = self._store.next_number(f"{schema.name}.{field.name}")
                record[field.name] = f"{1000 + count:08d}"

    def closed_task(self, status: Any) -> bool:
        """Whether ``TaskStatus`` calls this status closed."""
        wanted = str(status or "").lower()
        for row in self._store.scan("TaskStatus", deleted=False):
            if wanted in {str(row.get("ApiName")).lower(), str(row.get("MasterLabel")).lower()}:
                return bool(row.get("IsClosed"))
        return wanted in _CLOSED_TASK

    def _task(self, schema: ObjectSchema, record: Record, before: Record | None) -> None:
        closed = self.closed_task(record.get("Status"))
        if closed and not (before is not None and before.get("IsClosed")):
            _set(schema, record, "CompletedDateTime", record.get("LastModifiedDate"))
        elif not closed:
            _set(schema, record, "CompletedDateTime", None)
        _set(schema, record, "IsClosed", closed)
        _set(schema, record, "IsHighPriority", str(record.get("Priority")).lower() == "high")
        _set(schema, record, "AccountId", self._account_of(record))
        people = record.get("TaskWhoIds") or [who for who in (record.get("WhoId"),) if who]
        _set(schema, record, "WhoCount", len(people))
        _set(schema, record, "WhatCount", int(record.get("WhatId") is not None))

    def _account_of(self, record: Record) -> str | None:
        """The account of an activity: from WhatId, else from the contact."""
        for name in ("WhatId", "WhoId"):
            found = self._store.get(record[name]) if record.get(name) else None
            if found is None:
                continue
            if found[0] == "Account":
                return str(found[1]["Id"])
            if found[1].get("AccountId"):
                return str(found[1]["AccountId"])
        return None

    def _opportunity(self, schema: ObjectSchema, record: Record, before: Record | None) -> None:
        stage = str(record.get("StageName") or "")
        probability, category = stage_of(stage)
        moved = before is None or before.get("StageName") != record.get("StageName")
        given = None if before is None else before.get("Probability")
        if moved and record.get("Probability") in {None, given}:
            _set(schema, record, "Probability", float(probability))
        if moved:
            _set(schema, record, "ForecastCategory", category)
            if before is not None or record.get("ForecastCategoryName") is None:
                _set(schema, record, "ForecastCategoryName", category)
        _set(schema, record, "IsClosed", closed_stage(stage))
        _set(schema, record, "IsWon", stage.lower() == "closed won")
        amount, chance = record.get("Amount"), record.get("Probability")
        expected = None if amount is None else round(amount * (chance or 0.0) / 100, 2)
        _set(schema, record, "ExpectedRevenue", expected)

    def _case(self, schema: ObjectSchema, record: Record, before: Record | None) -> None:
        closed = closed_case(str(record.get("Status") or ""))
        was = before is not None and bool(before.get("IsClosed"))
        _set(schema, record, "IsClosed", closed)
        if closed != was:
            _set(schema, record, "ClosedDate", record.get("LastModifiedDate") if closed else None)
        found = self._store.get(record["ContactId"]) if record.get("ContactId") else None
        contact: Record = found[1] if found is not None else {}
        _set(schema, record, "ContactEmail", contact.get("Email"))
        _set(schema, record, "ContactPhone", contact.get("Phone"))
        linked = before is None or before.get("ContactId") != record.get("ContactId")
        if linked and record.get("AccountId") is None and contact.get("AccountId"):
            _set(schema, record, "AccountId", contact["AccountId"])


def _set(schema: ObjectSchema, record: Record, name: str, value: Any) -> None:
    if name.lower() in schema.fields:
        record[name] = value


def _person_name(schema: ObjectSchema, record: Record) -> None:
    """``Name`` of people is first and last name; business accounts keep their own."""
    name = schema.field("Name")
    if name is None or schema.field("LastName") is None:
        return
    if schema.name == "Account" and record.get("LastName") is None:
        return
    parts = [record.get("FirstName"), record.get("LastName")]
    record[name.name] = " ".join(part for part in parts if part) or None
