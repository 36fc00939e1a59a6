"""Who has these addresses, which Tasks carry these markers: the look before anything is sent."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from keeping_plugin.addresses import keys_by_salesforce, salesforce_key
from keeping_plugin.errors import SchemaStale
from keeping_plugin.objects import ACCOUNT, LEAD, PEOPLE, TASK
from keeping_plugin.salesforce.queries import payloads, searching, soql
from keeping_plugin.salesforce.wire import composite
from keeping_plugin.salesforce.wire.calls import Calls
from keeping_plugin.salesforce.wire.client import Answer
from keeping_plugin.salesforce.wire.composite import Rows
from keeping_plugin.types import Found, PersonFound, TaskLook, Value

log = logging.getLogger(__name__)

MAX_ADDRESSES = 1_000


def find(
    calls: Calls,
    addresses: Sequence[str],
    tasks: TaskLook | None,
    *,
    chosen: Mapping[str, str] | None = None,
    by_search: bool = False,
    account_owners: Sequence[str] | None = None,
    fields: Mapping[str, Sequence[str]] | None = None,
) -> Found:
    """One composite as a rule: 1,000 addresses take two statements for Contacts and two for Leads,
    the Tasks one. Each is read to its end before anyone counts as absent. `by_search` asks for the
    people by SOSL, of which absence is not known.

    Ids that were `chosen` for addresses stand in the same statements: Id and Email are both
    indexed, so that the OR of them is answered from indexes as well. `fields`, by object, are asked
    in place of Email."""
    if len(addresses) > MAX_ADDRESSES:
        raise ValueError(f"at most {MAX_ADDRESSES} addresses, not {len(addresses)}")
    chosen = chosen or {}
    subs = []
    for row in PEOPLE:
        by = soql.EMAIL if fields is None else fields.get(row.name, ())
        # Each field repeats the addresses, so fewer fit into a query.
        room = soql.STATEMENT // max(1, len(by))
        chunks = [] if by_search or not by else list(soql.address_chunks(addresses, room=room))
        ids = sorted({each for each in chosen.values() if each.startswith(row.prefix)})
        for number, (forms, of_chunk) in enumerate(zip_longest(chunks, [ids] if ids else [])):
            owned = account_owners is not None
            statement = soql.people(
                row.name, forms or (), of_chunk or (), account_owners=owned, by=by
            )
            subs.append(composite.query(f"{row.name}{number}", statement))
    if account_owners:
        subs.append(composite.query(ACCOUNT.name, soql.owners(account_owners)))
    if tasks is not None:
        subs.append(composite.query(TASK.name, soql.tasks(tasks), deleted_too=True))
    found = searching.people(calls, "find", addresses) if by_search and addresses else {}
    for start in range(0, len(subs), composite.QUERIES):
        part = subs[start : start + composite.QUERIES]
        for sub, answer in composite.ask_all(calls, "find", part).items():
            found[sub] = _rows(calls, sub, answer, (fields or {}).get(LEAD.name, ()))
    people = _people(found, keys_by_salesforce(addresses), chosen, fields)
    owners = dict(map(payloads.active_owner, found.pop(ACCOUNT.name, [])))
    return Found(people, _tasks(found.get(TASK.name, []), tasks), owners)


def _rows(calls: Calls, sub: str, answer: Answer, fields: Sequence[str]) -> Rows:
    try:
        return composite.rows(calls, "find", answer)
    except SchemaStale as stale:
        # A user who may not read Leads or their addresses finds none; without Contacts there is
        # nothing to find at all. One of several fields that is gone leaves the others.
        if not sub.startswith(LEAD.name) or stale.field in fields:
            raise
        log.warning("salesforce.find.leads_unreadable")
        return []


def _people(
    found: Mapping[str, Rows],
    wanted: Mapping[str, Sequence[str]],
    chosen: Mapping[str, str],
    fields: Mapping[str, Sequence[str]] | None,
) -> dict[str, tuple[PersonFound, ...]]:
    """Whose address each of the found has, as Salesforce compares, or for whose it was chosen;
    under our keys, oldest first."""
    people: defaultdict[str, dict[str, PersonFound]] = defaultdict(dict)
    chosen_for: defaultdict[str, list[str]] = defaultdict(list)
    for key, record_id in chosen.items():
        chosen_for[record_id[:15]].append(key)
    for sub, rows in found.items():
        kind = sub.rstrip("0123456789")
        if kind in (ACCOUNT.name, TASK.name):
            continue
        for row in rows:
            person = payloads.person(row, kind)
            for key in chosen_for[person.id[:15]]:
                people[key][person.id] = person
            for name in soql.EMAIL if fields is None else fields.get(kind, ()):
                for key in wanted.get(_key(payloads.at_path(row, name)), ()):
                    by = "" if fields is None else name
                    people[key].setdefault(person.id, replace(person, by=by))
    return {
        key: tuple(sorted(same.values(), key=lambda one: (one.created_at, one.id)))
        for key, same in people.items()
    }


def _key(value: Value) -> str:
    return salesforce_key(str(value or "")) or ""


def _tasks(rows: Rows, look: TaskLook | None) -> dict[str, tuple[str, ...]]:
    """The ids of Tasks whose Subject ends in a marker. Salesforce trims blanks from what it
    stores, never from what stands before them."""
    if look is None:
        return {}
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    lengths = {len(marker) for marker in look.markers if marker}
    for row in rows:
        subject = row.get("Subject")
        if not isinstance(subject, str):
            continue
        for length in lengths:
            if subject[-length:] in look.markers:
                found[subject[-length:]][payloads.record_id(row)] = None
    return {marker: tuple(ids) for marker, ids in found.items()}
