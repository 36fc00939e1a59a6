"""What the panel shows, from the answers to its queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
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
from keeping_plugin.salesforce.queries.soql import EMAIL
from keeping_plugin.salesforce.wire import composite
from keeping_plugin.salesforce.wire.calls import Calls
from keeping_plugin.types import ContactMatch, LeadMatch, Record

Row = Mapping[str, Any]
Answers = Mapping[str, Sequence[Row]]
_OTHER = "other_"


def panel(calls: Calls, address: str, shown: Shown) -> Sequence[ContactMatch | LeadMatch]:
    """Contacts first, those that a converted Lead became among them, then Leads; each kind most
    recently changed first. The other fields count where Email found no Contact, those of Leads
    where it found nobody: along with Email where there is room and all of them have an index, else
    in a second request."""
    forms = salesforce_forms(address)
    ids = None
    if forms and emails_are_searched(shown.schemas):
        searched = searching.people(calls, "panel", [address])
        ids = {
            kind: [payloads.record_id(row) for row in rows][:MAX_PEOPLE]
            for kind, rows in searched.items()
        }
    statements = panel_queries.queries(forms, shown, ids) if forms else {}
    others = panel_queries.by_other_fields(forms, shown, shown.others) if forms else {}
    together = shown.others_are_indexed and len(statements) + len(others) <= composite.QUERIES
    also = {_OTHER + name: statement for name, statement in others.items()} if together else {}
    found = _ask(calls, statements | also)
    contacts, leads = _matches(address, found, shown)
    if contacts or not others or any(_is(one.lead.id, shown.person) for one in leads):
        return (*contacts, *leads)
    left = {LEAD.name: ()} if leads else {}
    others = panel_queries.by_other_fields(forms, shown, {**shown.others, **left})
    answers = {name: found[_OTHER + name] for name in others} if also else _ask(calls, others)
    contacts, more = _matches(address, answers, shown, shown.others)
    return (*contacts, *(leads or more))


def _ask(calls: Calls, statements: Mapping[str, str]) -> Answers:
    if not statements:
        return {}
    answers = composite.query_rows(calls, "panel", *statements.values())
    return dict(zip(statements, answers, strict=True))


def _matches(
    address: str, found: Answers, shown: Shown, fields: Mapping[str, Sequence[str]] | None = None
) -> tuple[list[ContactMatch], list[LeadMatch]]:
    """Who has this address in one of the fields by object; without any, in Email."""
    key = salesforce_key(address)
    of_contact, of_lead = (
        EMAIL if fields is None else fields.get(name, ()) for name in (CONTACT.name, LEAD.name)
    )
    people: dict[str, tuple[Row, str]] = {}
    for row, by in _carrying(key, found.get("contacts", ()), shown.person, of_contact):
        people[payloads.record_id(row)] = row, by
    # A converted Lead leads to its Contact, whatever address that has by now.
    for row in found.get("converted", ()):
        people.setdefault(payloads.record_id(row), (row, ""))
    accounts = {
        payloads.record_id(row): row
        for row in (*found.get("accounts", ()), *found.get("converted_accounts", ()))
    }
    contacts = [
        replace(_contact(row, accounts.get(row.get(TO_ACCOUNT) or ""), shown), by=by)
        for row, by in people.values()
    ]
    leads = [
        _lead(row, by, shown)
        for row, by in _carrying(key, found.get("leads", ()), shown.person, of_lead)
    ]
    return contacts, leads


def _carrying(
    key: str | None, rows: Iterable[Row], chosen: str, fields: Sequence[str]
) -> list[tuple[Row, str]]:
    """Those with this address, as Salesforce compares, and the one chosen for it; with the first
    field that has it, unless that is Email."""
    found = []
    for row in rows:
        values = {name: payloads.at_path(row, name) for name in fields}
        having = [name for name in fields if salesforce_key(str(values[name] or "")) == key]
        if having or _is(payloads.record_id(row), chosen):
            found.append((row, having[0] if having and fields is not EMAIL else ""))
    return found


def _is(record_id: str, chosen: str) -> bool:
    return bool(chosen) and record_id[:15] == chosen[:15]


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


def _lead(row: Row, by: str, shown: Shown) -> LeadMatch:
    around: dict[str, tuple[Record, ...]] = {}
    counts: dict[str, tuple[int, bool]] = {}
    for one, relation in AROUND:
        if shown.around(one, relation, LEAD.name):
            own = _children(row, relation.relationship, one, shown)
            counts[one.key] = len(own), len(own) >= shown.most(relation)
            around |= related(one, relation, tuple(own.values()))
    return LeadMatch(_record(row, LEAD.name, shown), by, around, counts)


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
