"""Triggers and flows of the org's administrator: what they cost a transaction, and its limits.

A transaction is a chunk of up to 200 rows of one object, or a single save. Its triggers run once
for all of its rows, so a cost that one row does not notice stops a chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from salesforce_simulator.errors import OrgError, refuse
from salesforce_simulator.store import Store

MAX_QUERIES = 100
MAX_CPU_MS = 10_000
#: How often the rows that are left of a partial save are saved.
ROUNDS = 3

_EVENTS = {"create": "AfterInsert", "update": "AfterUpdate", "delete": "AfterDelete"}
Operation = Literal["create", "update", "upsert", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """An Apex trigger or a flow on an object.

    ``queries`` and ``cpu_ms`` are used for each row, ``seconds`` pass for each transaction and
    ``seconds_per_row`` for each of its rows. ``refuses`` rows are refused in each round of a
    partial save, with ``message``.
    """

    object: str
    name: str
    kind: Literal["trigger", "flow"] = "trigger"
    operations: tuple[str, ...] = ("create", "update", "delete")
    queries: int = 0
    cpu_ms: float = 0
    seconds: float = 0
    seconds_per_row: float = 0
    refuses: int = 0
    message: str = "Refused by a trigger"

    def exceeds(self, rows: int) -> str | None:
        """What ends a transaction of so many rows; None when it stays within the limits."""
        if self.queries * rows > MAX_QUERIES:
            return f"System.LimitException: Too many SOQL queries: {MAX_QUERIES + 1}"
        if self.cpu_ms * rows > MAX_CPU_MS:
            return "System.LimitException: Apex CPU time limit exceeded"
        return None

    def refusal(self, operation: Operation, cause: str) -> OrgError:
        """What every row of the transaction is refused with."""
        if self.kind == "flow":
            message = (
                f"We can't save this record because the “{self.name}” process failed. Give your "
                f"Salesforce admin these details. {cause}"
            )
            return refuse("CANNOT_EXECUTE_FLOW_TRIGGER", message)
        event = _EVENTS.get(operation, "AfterUpdate")
        message = f"{self.name}: execution of {event}\n\ncaused by: {cause}"
        return refuse("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)


class Triggers:
    """The triggers of one org, kept in its settings."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = [_made(kept) for kept in store.settings("trigger").values()]

    def add(self, given: Mapping[str, Any]) -> None:
        """Keep a trigger; TypeError or ValueError for what is none."""
        trigger = _made(given)
        number = self._store.next_number("trigger")
        self._store.set_setting("trigger", f"{number:09d}", asdict(trigger))
        self._known.append(trigger)

    def clear(self) -> None:
        """Forget every trigger."""
        self._store.drop_settings("trigger")
        self._known.clear()

    def on(self, object_name: str, operation: Operation) -> list[Trigger]:
        """The triggers that a save of this object runs; an upsert creates or updates."""
        return [
            trigger
            for trigger in self._known
            if trigger.object.lower() == object_name.lower()
            and (
                operation in trigger.operations
                or (operation == "upsert" and {"create", "update"} & set(trigger.operations))
            )
        ]


def _made(given: Mapping[str, Any]) -> Trigger:
    known = {field.name for field in fields(Trigger)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValueError(f"a trigger takes {', '.join(sorted(known))}, not {', '.join(unknown)}")
    trigger = Trigger(**{**given, "operations": tuple(given.get("operations", _EVENTS))})
    if trigger.kind not in ("trigger", "flow") or not set(trigger.operations) <= set(_EVENTS):
        raise ValueError("kind is trigger or flow; operations are create, update and delete")
    return trigger


def seconds_of(triggers: Iterable[Trigger], rows: int) -> float:
    """How long a transaction of so many rows takes."""
    return sum(trigger.seconds + trigger.seconds_per_row * rows for trigger in triggers)


def refused_rows(
    triggers: Sequence[Trigger], operation: Operation, rows: Sequence[int]
) -> tuple[dict[int, OrgError], bool]:
    """The rows of a transaction that its triggers refuse, and whether a limit refused them all."""
    for trigger in triggers:
        cause = trigger.exceeds(len(rows))
        if cause is not None:
            return dict.fromkeys(rows, trigger.refusal(operation, cause)), True
    found: dict[int, OrgError] = {}
    for trigger in triggers:
        for row in rows[: trigger.refuses]:
            found[row] = refuse("FIELD_CUSTOM_VALIDATION_EXCEPTION", trigger.message)
    return found, False


def too_many_rounds() -> OrgError:
    """What the rows get that are left when every round of a partial save had a failure."""
    message = "Too many batch retries in the presence of Apex triggers and partial failures."
    return refuse("LIMIT_EXCEEDED", message)
