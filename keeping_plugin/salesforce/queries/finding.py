"""Who has these addresses, which Tasks carry these markers: the look before anything is sent."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence

from keeping_plugin.addresses import keys_by_salesforce, salesforce_key
from keeping_plugin.errors import SchemaStale
from keeping_plugin.objects import ACCOUNT, LEAD, PERSON_NAMES, TASK
from keeping_plugin.salesforce.queries import payloads, searching, soql
from keeping_plugin.salesforce.wire import composite
from keeping_plugin.salesforce.wire.calls import Calls
from keeping_plugin.salesforce.wire.client import Answer
from keeping_plugin.salesforce.wire.composite import Rows
from keeping_plugin.types import Found, PersonFound, TaskLook

log = logging.getLogger(__name__)

MAX_ADDRESSES = 1_000


def find(
    calls: Calls,
    addresses: Sequence[str],
    tasks: TaskLook | None,
    *,
    by_search: bool = False,
    account_owners: Sequence[str] | None = None,
) -> Found:
    """One composite as a rule: 1,000 addresses take two statements for Contacts and two for Leads,
    the Tasks one. Each is read to its end before anyone counts as absent. `by_search` asks for the
    people by SOSL, of which absence is not known."""
    if len(addresses) > MAX_ADDRESSES:
        raise ValueError(f"at most {MAX_ADDRESSES} addresses, not {len(addresses)}")
    subs = (
        []
        if by_search
        else [
            composite.query(
                f"{kind}{number}",
                soql.people(kind, forms, account_owners=account_owners is not None),
            )
            for number, forms in enumerate(soql.address_chunks(addresses))
            for kind in PERSON_NAMES
        ]
    )
    if account_owners:
        subs.append(composite.query(ACCOUNT.name, soql.owners(account_owners)))
    if tasks is not None:
        subs.append(composite.query(TASK.name, soql.tasks(tasks), deleted_too=True))
    found = searching.people(calls, "find", addresses) if by_search and addresses else {}
    for start in range(0, len(subs), composite.QUERIES):
        part = subs[start : start + composite.QUERIES]
        for sub, answer in composite.ask_all(calls, "find", part).items():
            found[sub] = _rows(calls, sub, answer)
    people = _people(found, keys_by_salesforce(addresses))
    owners = dict(map(payloads.active_owner, found.pop(ACCOUNT.name, [])))
    return Found(people, _tasks(found.get(TASK.name, []), tasks), owners)


def _rows(calls: Calls, sub: str, answer: Answer) -> Rows:
    try:
        return composite.rows(calls, "find", answer)
    except SchemaStale:
        # A user who may not read Leads or their addresses finds none; without Contacts there is
        # nothing to find at all.
        if not sub.startswith(LEAD.name):
            raise
        log.warning("salesforce.find.leads_unreadable")
        return []


def _people(
    found: Mapping[str, Rows], wanted: Mapping[str, Sequence[str]]
) -> dict[str, tuple[PersonFound, ...]]:
    """Whose address each of the found has, as Salesforce compares; under our keys, oldest first."""
    people: defaultdict[str, dict[str, PersonFound]] = defaultdict(dict)
    for sub, rows in found.items():
        kind = sub.rstrip("0123456789")
        if kind in (ACCOUNT.name, TASK.name):
            continue
        for person in (payloads.person(row, kind) for row in rows):
            for key in wanted.get(salesforce_key(person.email) or "", ()):
                people[key][person.id] = person
    return {
        key: tuple(sorted(same.values(), key=lambda one: (one.created_at, one.id)))
        for key, same in people.items()
    }


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
