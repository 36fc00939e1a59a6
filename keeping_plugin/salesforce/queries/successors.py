"""What became of people who are not there any more: merged into another, or converted."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from keeping_plugin.errors import SchemaStale
from keeping_plugin.objects import CONVERSION, LEAD, PEOPLE
from keeping_plugin.salesforce import names
from keeping_plugin.salesforce.queries import payloads, soql
from keeping_plugin.salesforce.wire import composite
from keeping_plugin.salesforce.wire.calls import Calls

log = logging.getLogger(__name__)

# A merge deletes the losers and names the record that stays (Object Reference, Contact and Lead).
_MERGED_INTO = "MasterRecordId"
_HOPS = 3  # a record that was merged may be merged again


def successors(calls: Calls, record_ids: Sequence[str]) -> Mapping[str, str]:
    """By the ids that were asked for. The recycle bin remembers a merge for 15 days."""
    became = {record_id: record_id for record_id in record_ids}
    asked: set[str] = set()
    for _ in range(_HOPS):
        wanted = set(became.values()) - asked
        asked |= wanted
        next_of = _next(calls, wanted) if wanted else {}
        became = {first: next_of.get(last[:15], last) for first, last in became.items()}
    return {first: last for first, last in became.items() if first[:15] != last[:15]}


def _next(calls: Calls, record_ids: set[str]) -> dict[str, str]:
    subs = []
    for kind in PEOPLE:
        ids = sorted(each for each in record_ids if each.startswith(kind.prefix))
        if ids:
            converted = [CONVERSION.contact] if kind is LEAD else []
            statement = soql.select(
                ("Id", _MERGED_INTO, *converted), kind.name, where=[soql.id_in(ids)]
            )
            subs.append(composite.query(kind.name, statement, deleted_too=True))
    found: dict[str, str] = {}
    for answer in composite.ask_all(calls, "successors", subs).values() if subs else ():
        try:
            rows = composite.rows(calls, "successors", answer)
        except SchemaStale:
            log.warning("salesforce.successors.unreadable")
            continue
        for row in rows:
            for name in (_MERGED_INTO, CONVERSION.contact):
                value = row.get(name)
                if isinstance(value, str) and names.is_id(value):
                    found.setdefault(payloads.record_id(row)[:15], value)
    return found
