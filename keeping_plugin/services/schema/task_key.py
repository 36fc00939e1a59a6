"""The org's own unique field for our Tasks: with it a Task is never created twice, whatever
happens on the way, because Salesforce itself refuses the second one."""

from __future__ import annotations

import re

from sqlalchemy import update
from sqlalchemy.orm import Session

from keeping_plugin.errors import SalesforceError
from keeping_plugin.models import Connection, SyncEntry, change_rows
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.types import FieldSpec, ObjectSchema

# The name under which the setup guide has an admin add it to Activity; a package's prefix may
# stand before it. Any other unique field belongs to somebody else.
NAME = "Keeping_Key__c"
LENGTH = 80


def found(task: ObjectSchema) -> FieldSpec | None:
    """The field by its name, usable or not; None when the user cannot see one."""
    for name, spec in task.fields.items():
        if name.lower() == NAME.lower() or name.lower().endswith("__" + NAME.lower()):
            return spec
    return None


def problem(spec: FieldSpec) -> str | None:
    """What keeps the field from being used, as the sentence that mends it; None when nothing."""
    if spec.type != "string" or spec.encrypted:
        return f"Make {spec.name} a plain text field."
    if not spec.unique:
        return f"Tick “Do not allow duplicate values” on {spec.name}."
    if spec.length < LENGTH:
        return f"Make {spec.name} at least {LENGTH} characters long."
    if not spec.createable:
        return f"Give the connected user edit access to {spec.name} (field-level security)."
    return None


# Codes that refuse a write for a field's sake: it is gone, hidden, or may not be written.
_REFUSED = frozenset(
    {"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_FIELD_NO_PERMISSIONS"}
)


def is_refused(error: SalesforceError, field: str | None) -> bool:
    """Whether Salesforce refuses a write because it has this field no longer, or takes nothing
    in it."""
    if field is None:
        return False
    named = re.compile(rf"\b{re.escape(field)}\b", re.IGNORECASE)
    return any(
        each.code in _REFUSED and (field in each.fields or named.search(each.message) is not None)
        for each in error.complaints
    )


def keep(session: Session, connection_id: int, field: str | None) -> None:
    """Note which field the connection's Tasks carry their marker in, None for none. When that
    changes, no earlier send is protected by a field any more: it may come back empty."""
    other = Connection.activity_key_field.is_distinct_from(field)
    kept = update(Connection).where(Connection.id == connection_id, other)
    if change_rows(session, kept.values(activity_key_field=field)):
        entries.happen(session, Event.FIELD_LOST, SyncEntry.connection_id == connection_id)


def usable(task: ObjectSchema) -> str | None:
    """The API name of the field when Tasks can carry their marker in it, else None."""
    spec = found(task)
    return spec.name if spec is not None and problem(spec) is None else None
