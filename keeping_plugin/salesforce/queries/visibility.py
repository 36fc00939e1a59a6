"""Who sees which records: sharing defaults, what the user may see, duplicate rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from keeping_plugin.objects import ACCOUNT, CONTACT, LEAD
from keeping_plugin.salesforce.queries import payloads, soql
from keeping_plugin.salesforce.wire import composite
from keeping_plugin.salesforce.wire.calls import Calls
from keeping_plugin.salesforce.wire.client import Answer, format_soql
from keeping_plugin.salesforce.wire.composite import Rows
from keeping_plugin.types import Visibility

_DEFAULTS = {name: f"Default{name}Access" for name in (ACCOUNT.name, CONTACT.name, LEAD.name)}
_ALL = ("PermissionsViewAllData", "PermissionsModifyAllData")


def visibility(calls: Calls, user_id: str) -> Visibility:
    """One composite, in which each question may be refused by itself: Organization shows its
    defaults to anybody, or nothing; UserPermissionAccess has the user's own permissions (v41);
    ObjectPermissions and DuplicateRule may need *View Setup and Configuration*."""
    assigned = format_soql(
        "(SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = {})", user_id
    )
    of_contacts = [
        format_soql("SobjectType = {}", CONTACT.name),
        "PermissionsViewAllRecords = true",
        f"ParentId IN {assigned}",
    ]
    of_people = format_soql("SobjectType IN {}", [CONTACT.name, LEAD.name])
    statements = {
        "org": soql.select(_DEFAULTS.values(), "Organization"),
        "user": soql.select(_ALL, "UserPermissionAccess"),
        "contacts": soql.select(("Id",), "ObjectPermissions", where=of_contacts),
        "rules": soql.select(
            ("SobjectType", "MasterLabel"),
            "DuplicateRule",
            where=["IsActive = true", of_people],
            limit=200,
        ),
    }
    subs = [composite.query(name, statement) for name, statement in statements.items()]
    answers = composite.ask_all(calls, "visibility", subs)
    told = {name: _rows(calls, answer) for name, answer in answers.items()}
    org, user = (rows[0] if rows else {} for rows in (told["org"], told["user"]))
    contacts = told["contacts"]
    return Visibility(
        {
            name: value if isinstance(value := org.get(field), str) else None
            for name, field in _DEFAULTS.items()
        },
        all_data=any(user.get(name) is True for name in _ALL) if user else None,
        all_contacts=None if contacts is None else bool(contacts),
        duplicate_rules=_by_object(told["rules"]),
    )


def _rows(calls: Calls, answer: Answer) -> Rows | None:
    return composite.rows(calls, "visibility", answer) if answer.status == 200 else None


def _by_object(rows: Rows | None) -> Mapping[str, tuple[str, ...]] | None:
    if rows is None:
        return None
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[payloads.text(row, "SobjectType")].append(str(row.get("MasterLabel") or ""))
    return {name: tuple(sorted(labels)) for name, labels in found.items()}
