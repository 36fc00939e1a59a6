"""Looking up records by name, for fields that refer to them; no free query."""

from __future__ import annotations

from keeping_plugin.services.metering import Feature, counted
from keeping_plugin.services.panel.view import Linked, Panels
from keeping_plugin.services.schema.fields import writable
from keeping_plugin.times import PANEL_CALL
from keeping_plugin.types import Agent

SHORTEST = 2  # characters worth a search
MOST = 10
_LONGEST = 80  # no name is found by more


def referred_objects(link: Linked) -> frozenset[str]:
    """The objects that a field shown to agents may refer to."""
    found: set[str] = set()
    for name, shown in link.shown.items():
        schema = link.schemas[name]
        for field in shown:
            specs = {*writable(schema, field), *writable(schema, field, creating=True)}
            for spec in specs:
                found.update(spec.reference_to)
    return frozenset(found)


@counted(Feature.RECORDS)
def search(
    parts: Panels, agent: Agent, link: Linked, object: str, text: str
) -> list[tuple[str, str]] | None:
    """Id and name of records whose name contains the text; None when the text is too short to
    look for. Raises what the gateway's `search` raises, Crowded."""
    text = text.strip()
    if len(text) < SHORTEST:
        return None
    if len(text) > _LONGEST or not text.isprintable():
        return []
    with parts.turn(agent):
        gateway = parts.gateways(link.connection_id, deadline=parts.times.seconds(PANEL_CALL))
        records = gateway.search(object, text, limit=MOST)
    return [
        (record.id, next((str(value) for value in record.fields.values() if value), record.id))
        for record in records
    ]
