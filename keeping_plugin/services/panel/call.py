"""The panel's one call, and what it does about fields that the org no longer has."""

from __future__ import annotations

from collections.abc import Sequence

from keeping_plugin.errors import SchemaStale
from keeping_plugin.objects import PERSON_NAMES, row_of
from keeping_plugin.services.panel.cards import Found
from keeping_plugin.services.panel.view import Linked
from keeping_plugin.services.people import address_fields
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import describe
from keeping_plugin.times import PANEL_CALL
from keeping_plugin.types import ObjectSchema

# A field or an object that is gone costs one more round trip each, until the describe is fresh.
_TRIES = 3


def ask(
    runtime: Runtime, link: Linked, key: str, *, numbers: Sequence[str] = (), chosen: str = ""
) -> tuple[tuple[Found, ...], tuple[str, ...]]:
    """Ask once; a field the org no longer has is left out, and the schema is described again."""
    schemas, asked = dict(link.schemas), link.asked()
    others = {name: tuple(fields) for name, fields in link.others.items()}
    dropped: list[str] = []
    deadline = runtime.times.seconds(PANEL_CALL)
    end = runtime.clock.monotonic() + deadline
    for left in reversed(range(_TRIES)):
        gateway = runtime.gateways(
            link.connection_id, deadline=max(0.001, end - runtime.clock.monotonic())
        )
        try:
            found = gateway.panel(
                key, schemas, asked, numbers=numbers, chosen=chosen, others=others
            )
            return tuple(found), tuple(dropped)
        except SchemaStale as stale:
            describe_again(runtime, link.connection_id)
            if not left:
                raise
            before, others = others, address_fields.without(others, stale)
            only_found_by = stale.field and others != before
            if not only_found_by or any(stale.field in paths for paths in asked.values()):
                dropped += _drop(stale, schemas, asked, bare=left == 1)
            if left == 1:
                others = {}
    raise AssertionError("unreachable")


def _drop(
    stale: SchemaStale,
    schemas: dict[str, ObjectSchema],
    asked: dict[str, tuple[str, ...]],
    *,
    bare: bool,
) -> list[str]:
    """Take out what Salesforce named; what it did not name is found by asking for the least."""
    if stale.field:
        holders = [
            name
            for name in asked
            if stale.field.lower() in {path.lower() for path in asked[name]}
            and (not stale.object or stale.object == name)
        ]
        for name in holders:
            gone = {stale.field.lower()}
            asked[name] = tuple(path for path in asked[name] if path.lower() not in gone)
        if holders:
            spec = next(
                (
                    spec
                    for field, spec in schemas[holders[0]].fields.items()
                    if field.lower() == stale.field.lower()
                ),
                None,
            )
            return [spec.label if spec else stale.field]
    elif stale.object in schemas and stale.object not in PERSON_NAMES:
        schema = schemas.pop(stale.object)
        asked.pop(stale.object, None)
        return [schema.label_plural]
    if bare:
        for name in asked:
            asked[name] = tuple(path for path in row_of(name).head if path in schemas[name].fields)
    return []


def describe_again(runtime: Runtime, connection_id: int) -> None:
    """Have the schema read afresh, soon, once."""
    if describe.refresh_soon(runtime.database, connection_id):
        runtime.queue.enqueue("describe", connection_id)
