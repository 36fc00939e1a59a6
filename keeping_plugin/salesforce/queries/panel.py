"""What the panel shows, from the answers to its queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keeping_plugin.addresses import salesforce_forms, salesforce_key
from keeping_plugin.salesforce.queries import panel_queries, payloads, searching
from keeping_plugin.salesforce.queries.panel_queries import OPPORTUNITIES, PEOPLE, Shown
from keeping_plugin.salesforce.wire import composite
from keeping_plugin.salesforce.wire.calls import Calls
from keeping_plugin.salesforce.wire.composite import Rows
from keeping_plugin.types import ContactMatch, LeadMatch, Record, emails_are_searched

Row = Mapping[str, Any]


def panel(calls: Calls, address: str, shown: Shown) -> Sequence[ContactMatch | LeadMatch]:
    """Contacts first, those that a converted Lead became among them, then Leads; each kind most
    recently changed first."""
    forms = salesforce_forms(address)
    ids = None
    if forms and emails_are_searched(shown.schemas):
        searched = searching.people(calls, "panel", [address])
        ids = {
            kind: [payloads.record_id(row) for row in rows][:PEOPLE]
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
    for row in _carrying(key, found.get("contacts", ())):
        people[payloads.record_id(row)] = row
    # A converted Lead leads to its Contact, whatever address that has by now.
    for row in found.get("converted", ()):
        people.setdefault(payloads.record_id(row), row)
    deals = [*found.get("account_deals", ()), *found.get("converted_deals", ())]
    contacts = [_contact(row, deals, shown) for row in people.values()]
    leads = [
        LeadMatch(payloads.record(row, "Lead", shown.fields("Lead")))
        for row in _carrying(key, found.get("leads", ()))
    ]
    return (*contacts, *leads)


def _carrying(key: str | None, rows: Iterable[Row]) -> list[Row]:
    """Those with this address, as Salesforce compares."""
    return [row for row in rows if salesforce_key(payloads.text(row, "Email")) == key]


def _contact(row: Row, deals: Rows, shown: Shown) -> ContactMatch:
    own: dict[str, Record] = {}
    for role in payloads.child_rows(row.get("OpportunityContactRoles")):
        deal = role.get("Opportunity")
        if deal is not None:  # null when the user may see the role but not the opportunity
            record = _record(payloads.mapping(deal), "Opportunity", shown)
            own.setdefault(record.id, record)
    others: dict[str, Record] = {}
    if row.get("AccountId") is not None:
        for deal in deals:
            if deal.get("AccountId") == row["AccountId"] and payloads.record_id(deal) not in own:
                record = _record(deal, "Opportunity", shown)
                others.setdefault(record.id, record)
    room = max(0, OPPORTUNITIES - len(own))
    return ContactMatch(
        contact=_record(row, "Contact", shown),
        account=_account(row, shown),
        opportunities=tuple(own.values())[:OPPORTUNITIES],
        account_opportunities=tuple(others.values())[:room],
        cases=tuple(_record(case, "Case", shown) for case in payloads.child_rows(row.get("Cases"))),
    )


def _account(row: Row, shown: Shown) -> Record | None:
    """The contact's account. A person account is the same person once more: shown once."""
    if shown.account is None or row.get("IsPersonAccount") is True:
        return None
    parent = row.get(shown.account)
    return None if parent is None else _record(payloads.mapping(parent), "Account", shown)


def _record(row: Row, object: str, shown: Shown) -> Record:
    return payloads.record(row, object, shown.fields(object))
