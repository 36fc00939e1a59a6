"""Saves under triggers: a single record, and the chunks of a collection with their retry rounds.

Without triggers each row stands alone. With them, rows that fail are taken out and the rest is
saved again, each time with fresh limits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from salesforce_simulator.errors import OrgError
from salesforce_simulator.rest.wire import Request
from salesforce_simulator.rules.triggers import (
    ROUNDS,
    Operation,
    Trigger,
    refused_rows,
    seconds_of,
    too_many_rounds,
)

Save = Callable[[Any], dict[str, Any]]
Row = dict[str, Any]


class _Undone(Exception):
    """Rolls a round back."""


def run_triggers(request: Request, object_name: str, operation: Operation) -> None:
    """The triggers of a single save: their time, or the refusal."""
    triggers = request.site.org.triggers.on(object_name, operation)
    if not triggers:
        return
    time.sleep(seconds_of(triggers, 1))
    refused, _ = refused_rows(triggers, operation, [0])
    if refused:
        raise refused[0]


def wait_for_triggers(
    request: Request, items: Sequence[Any], object_of: Callable[[Any], str], operation: Operation
) -> None:
    """The time that the triggers of a collection take, before anything is locked."""
    for chunk, object_name in _chunks(items, object_of):
        time.sleep(seconds_of(request.site.org.triggers.on(object_name, operation), len(chunk)))


def _refused_row(error: OrgError, more: Row) -> Row:
    """A row that was not saved. A value that cannot be read at all refuses the whole call, as a
    parser does."""
    if any(entry.code == "JSON_PARSER_ERROR" for entry in error.entries):
        raise error
    return {"success": False, **more, "errors": error.row()}


def save_rows(
    request: Request,
    items: Sequence[Any],
    save: Save,
    *,
    object_of: Callable[[Any], str],
    operation: Operation,
    all_or_none: bool,
    refused: Save,
) -> list[Row]:
    """An outcome for each item, in order. ``refused`` gives what a refused row says beside its
    errors."""
    rows: list[Row] = []
    for chunk, object_name in _chunks(items, object_of):
        triggers = request.site.org.triggers.on(object_name, operation)
        if triggers:
            rounds = 1 if all_or_none else ROUNDS
            rows += _in_rounds(request, chunk, save, refused, triggers, operation, rounds)
        else:
            rows += [_one(save, refused, item) for item in chunk]
    return rows


def _chunks(
    items: Sequence[Any], object_of: Callable[[Any], str]
) -> Iterator[tuple[list[Any], str]]:
    """Runs of one object; a call has at most 200 rows, which is a chunk."""
    chunk: list[Any] = []
    last = ""
    for item in items:
        name = object_of(item)
        if chunk and name.lower() != last.lower():
            yield chunk, last
            chunk = []
        chunk.append(item)
        last = name
    if chunk:
        yield chunk, last


def _one(save: Save, refused: Save, item: Any) -> Row:
    try:
        return save(item)
    except OrgError as error:
        return _refused_row(error, refused(item))


def _in_rounds(
    request: Request,
    items: list[Any],
    save: Save,
    refused: Save,
    triggers: list[Trigger],
    operation: Operation,
    rounds: int,
) -> list[Row]:
    outcome: dict[int, Row] = {}
    left = list(range(len(items)))
    for number in range(rounds):
        if number > 0:
            time.sleep(seconds_of(triggers, len(left)))
        rows: dict[int, Row] = {}
        limited = False
        try:
            with request.site.org.transaction():
                for place in left:
                    rows[place] = _one(save, refused, items[place])
                good = [place for place in left if rows[place]["success"]]
                stopped, limited = refused_rows(triggers, operation, good)
                for place, error in stopped.items():
                    rows[place] = _refused_row(error, refused(items[place]))
                if not all(row["success"] for row in rows.values()):
                    raise _Undone
            return _in_order(outcome | rows)
        except _Undone:
            failed = {place: row for place, row in rows.items() if not row["success"]}
            if number == rounds - 1 and rounds > 1 and not limited:
                spent = too_many_rounds()
                last = {place: _refused_row(spent, refused(items[place])) for place in left}
                return _in_order(outcome | last)
            outcome |= failed
            left = [place for place in left if place not in failed]
            if not left:
                return _in_order(outcome)
    # All or none: the rows that were good are undone by the caller.
    return _in_order(outcome | {place: rows[place] for place in left})


def _in_order(outcome: dict[int, Row]) -> list[Row]:
    return [outcome[place] for place in sorted(outcome)]
