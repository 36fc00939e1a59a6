"""Which fields stand on cards and in lists; a table stands in for an administrator's choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: The fields after the name, where the org has them; the order is the standard list views'.
CHOSEN: Mapping[str, tuple[str, ...]] = {
    "Account": ("Type", "Phone", "BillingCity", "Website"),
    "Contact": ("Title", "Phone", "Email"),
    "Lead": ("Company", "Status", "Phone", "Email"),
    "Opportunity": ("StageName", "Amount", "CloseDate"),
    "Case": ("Subject", "Status", "Priority", "CreatedDate"),
    "Task": ("Status", "Priority", "ActivityDate"),
}


def name_field(described: Mapping[str, Any]) -> Mapping[str, Any]:
    """The field that names a record, such as ``Name`` or ``CaseNumber``; else its id."""
    fields: list[Mapping[str, Any]] = described["fields"]
    for field in fields:
        if field.get("nameField"):
            return field
    by_name = {field["name"]: field for field in fields}
    named = [by_name[name] for name in ("Name", "CaseNumber", "Subject", "Id") if name in by_name]
    return named[0]


def chosen_fields(described: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The name field and what follows it on the cards and in the lists of an object."""
    by_name = {field["name"]: field for field in described["fields"]}
    more = [by_name[n] for n in CHOSEN.get(described["name"], ()) if n in by_name]
    return [name_field(described), *more]
