"""What the panel shows, from the answers to its queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keeping_plugin.addresses import salesforce_forms, salesforce_key
from keeping_plugin.mail.numbers import is_named
from keeping_plugin.objects import (
    ACCOUNT,
    AROUND,
    CONTACT,
    LEAD,
    PERSON_ACCOUNT,
    TO_ACCOUNT,
    Children,
    StandardObject,
    emails_are_searched,
)
from keeping_plugin.salesforce.queries import panel_queries, payloads, searching
from keeping_plugin.salesforce.queries.panel_queries import MAX_CHILDREN, MAX_PEOPLE, Shown
from keeping_plugin.salesforce.wire import composite
from keeping_plugin.salesforce.wire.calls import Calls
from keeping_plugin.types import ContactMatch, LeadMatch, Record

Row = Mapping[str, Any]


def panel(calls: Calls, address: str, shown: Shown) -> Sequence[ContactMatch | LeadMatch]:
    """Contacts first, those that a converted Lead became among them, then Leads; each kind most
    recently changed first."""
    forms = salesforce_forms(address)
    ids = None
    if forms and emails_are_searched(shown.schemas):
        searched = searching.people(calls, "panel", [address])
        ids = {
            kind: [payloads.record_id(row) for row in rows][:MAX_PEOPLE]
            for kind, rows in searched.items()
        }
    statements = panel_queries.queries(forms, shown, ids) if forms else {}
    if not statements:
        return ()
    found = dict(
        zip(statements, composite.query_rows(calls, "panel", *statements.values()), strict=True)
    )
    key = salesforce_key(address)
    people: dict[str, Row] = {}
    for row in _carrying(key, found.get("contacts", ()), shown.person):
        people[payloads.record_id(row)] = row
    # A converted Lead leads to its Contact, whatever address that has by now.
    for row in found.get("converted", ()):
        people.setdefault(payloads.record_id(row), row)
    accounts = {
        payloads.record_id(row): row
        for row in (*found.get("accounts", ()), *found.get("converted_accounts", ()))
    }
    contacts = [
        _contact(row, accounts.get(row.get(TO_ACCOUNT) or ""), shown) for row in people.values()
    ]
    leads = [
        LeadMatch(_record(row, LEAD.name, shown))
        for row in _carrying(key, found.get("leads", ()), shown.person)
    ]
    return (*contacts, *leads)


def _carrying(key: str | None, rows: Iterable[Row], chosen: str) -> list[Row]:
    """Those with this address, as Salesforce compares, and the one chosen for it."""
    return [
        row
        for row in rows
        if (chosen and payloads.record_id(row)[:15] == chosen[:15])
        or salesforce_key(payloads.text(row, "Email")) == key
    ]


def _contact(row: Row, account: Row | None, shown: Shown) -> ContactMatch:
    around: dict[str, tuple[Record, ...]] = {}
    counts: dict[str, tuple[int, bool]] = {}
    for one, relation in AROUND:
        own = _children(row, relation.relationship, one, shown, through=relation.through)
        if shown.around(one, relation):
            rows = len(payloads.child_rows(row.get(relation.relationship)))
            counts[one.key] = len(own), rows >= shown.most(relation)
        around |= related(one, relation, tuple(own.values()))
        if relation.number:
            mine = {
                key: record
                for key, record in own.items()
                if is_named(record.fields.get(relation.number), shown.numbers)
            }
            theirs = _children(account or {}, relation.relationship, one, shown)
            around[one.named_key] = tuple((mine | theirs).values())[: relation.most]
        more = relation.of_account
        if more is not None:
            others = _children(account or {}, more.relationship, one, shown)
            spare = [record for key, record in others.items() if key not in own]
            around[more.key] = tuple(spare[: max(0, relation.most - len(own))])
    return ContactMatch(_record(row, CONTACT.name, shown), _account(row, shown), around, counts)


def related(
    row: StandardObject, relation: Children, latest: tuple[Record, ...]
) -> dict[str, tuple[Record, ...]]:
    """The most recent of these records, the open ones first among them, and what is open behind
    them."""
    first = latest[: relation.most]
    if not relation.closed:
        return {row.key: first}

    def is_closed(record: Record) -> bool:
        return record.fields.get(relation.closed) is True

    more = [record for record in latest[relation.most :] if not is_closed(record)]
    return {row.key: tuple(sorted(first, key=is_closed)), row.more_key: tuple(more[:MAX_CHILDREN])}


def _children(
    parent: Row, relationship: str, of: StandardObject, shown: Shown, *, through: str = ""
) -> dict[str, Record]:
    """The records of a subquery by id, each once."""
    found: dict[str, Record] = {}
    for child in payloads.child_rows(parent.get(relationship)):
        row = child.get(through) if through else child
        if row is not None:  # null when the user may see a role but not its opportunity
            record = _record(payloads.mapping(row), of.name, shown)
            found.setdefault(record.id, record)
    return found


def _account(row: Row, shown: Shown) -> Record | None:
    """The contact's account. A person account is the same person once more: shown once."""
    if shown.account is None or row.get(PERSON_ACCOUNT.flag) is True:
        return None
    parent = row.get(shown.account)
    return None if parent is None else _record(payloads.mapping(parent), ACCOUNT.name, shown)


def _record(row: Row, object: str, shown: Shown) -> Record:
    return payloads.record(row, object, shown.fields(object))
