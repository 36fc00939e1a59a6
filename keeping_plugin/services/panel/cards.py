"""What the panel asks of Salesforce for an address, and the last answer, kept for the minutes when
Salesforce does not answer and for knowing which records this conversation may touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from keeping_plugin.models import PanelCard, now, upsert
from keeping_plugin.services.panel.money import CURRENCY, has_currencies
from keeping_plugin.services.schema.fields import is_compound, parts
from keeping_plugin.types import ContactMatch, LeadMatch, ObjectSchema, Record, Value

Found = ContactMatch | LeadMatch

# What is read and shown whether an admin ticked it or not: the names that tell records apart, and
# the address and the kind of person that the panel itself goes by. Nothing else (SECURITY.md).
HEAD: Mapping[str, tuple[str, ...]] = {
    "Contact": ("Name", "Email", "IsPersonAccount"),
    "Lead": ("Name", "Email"),
    "Account": ("Name",),
    "Opportunity": ("Name",),
    "Case": ("CaseNumber",),
}
# What a save has to know; of a person account also the Account, on which its names are written.
_KEPT = ("LastModifiedDate", "RecordTypeId")
_KEPT_OF: Mapping[str, tuple[str, ...]] = {"Contact": ("AccountId",)}

# Objects that have a Name; every custom object has one.
_NAMED = frozenset(
    {"Account", "Campaign", "Contact", "Group", "Lead", "Opportunity", "Product2", "RecordType"}
    | {"User", "Pricebook2", "BusinessHours", "Asset", "Entitlement", "Profile", "UserRole"}
)


def name_path(schema: ObjectSchema, name: str) -> str | None:
    """`Owner.Name` for OwnerId: the path to the name of the record that a field refers to, or None
    when what it refers to has no field called Name."""
    spec = schema.fields.get(name)
    if spec is None or spec.type != "reference" or not spec.relationship:
        return None
    if all(to in _NAMED or to.endswith("__c") for to in spec.reference_to):
        return f"{spec.relationship}.Name"
    return None


def asked(schema: ObjectSchema, shown: Sequence[str]) -> tuple[str, ...]:
    """The field paths that the panel reads of an object: what is shown, the parts of compound
    fields, what dependent picklists depend on, the names of referenced records, the currency of
    amounts, and the head."""
    wanted: dict[str, None] = {}
    kept = (*_KEPT, *_KEPT_OF.get(schema.name, ()))
    for name in (*shown, *HEAD.get(schema.name, ()), *kept):
        spec = schema.fields.get(name)
        if spec is None:
            continue
        wanted[name] = None
        if is_compound(schema, name):
            for part in parts(schema, name):
                wanted[part.name] = None
                _with_controllers(schema, part.name, wanted)
        _with_controllers(schema, name, wanted)
        path = name_path(schema, name)
        if path:
            wanted[path] = None
        if spec.type == "currency" and has_currencies(schema):
            wanted[CURRENCY] = None
    return tuple(wanted)


def _with_controllers(schema: ObjectSchema, name: str, wanted: dict[str, None]) -> None:
    controller = schema.fields[name].controller
    while controller and controller in schema.fields and controller not in wanted:
        wanted[controller] = None
        controller = schema.fields[controller].controller


@dataclass(frozen=True, slots=True)
class Card:
    """Everyone Salesforce last knew by an address, and when that was."""

    found: tuple[Found, ...]
    seen_at: datetime

    def records(self) -> list[Record]:
        """Every record that it shows."""
        return [record for found in self.found for record in records_of(found)]


def records_of(found: Found) -> list[Record]:
    """The records of one match: the person's first."""
    if isinstance(found, LeadMatch):
        return [found.lead]
    around = [found.account] if found.account is not None else []
    around += [*found.opportunities, *found.account_opportunities, *found.cases]
    return [found.contact, *around]


def person(found: Found) -> Record:
    """The Contact or the Lead of a match."""
    return found.lead if isinstance(found, LeadMatch) else found.contact


def load(session: Session, connection_id: int, address: str) -> Card | None:
    """The last card of an address, or None when there is none."""
    row = session.execute(
        select(PanelCard.card, PanelCard.seen_at).where(
            PanelCard.connection_id == connection_id, PanelCard.address == address
        )
    ).first()
    if row is None:
        return None
    return Card(tuple(_found(kept) for kept in row.card), row.seen_at)


def with_values(found: Found, record_id: str, values: Mapping[str, Value]) -> Found:
    """The match with some values of one record replaced."""

    def patched(record: Record) -> Record:
        if record.id != record_id:
            return record
        known = {name: value for name, value in values.items() if name in record.fields}
        return replace(record, fields={**record.fields, **known})

    if isinstance(found, LeadMatch):
        return LeadMatch(patched(found.lead))
    return ContactMatch(
        contact=patched(found.contact),
        account=patched(found.account) if found.account is not None else None,
        opportunities=tuple(map(patched, found.opportunities)),
        account_opportunities=tuple(map(patched, found.account_opportunities)),
        cases=tuple(map(patched, found.cases)),
    )


def keep(
    session: Session,
    connection_id: int,
    address: str,
    found: Sequence[Found],
    *,
    seen_at: datetime | None = None,
) -> None:
    """Remember an answer of now (or of `seen_at`); the answer "nobody" forgets the card."""
    if not found:
        session.execute(
            delete(PanelCard).where(
                PanelCard.connection_id == connection_id, PanelCard.address == address
            )
        )
        return
    row = {
        "connection_id": connection_id,
        "address": address,
        "card": [_document(one) for one in found],
        "seen_at": seen_at or now(session),
    }
    upsert(session, PanelCard, row, key=("connection_id", "address"))


def _record_document(record: Record | None) -> list[Any] | None:
    return None if record is None else [record.object, record.id, dict(record.fields)]


def _record(kept: list[Any]) -> Record:
    return Record(kept[0], kept[1], kept[2])


def _records(kept: list[Any]) -> tuple[Record, ...]:
    return tuple(_record(one) for one in kept)


def _document(found: Found) -> dict[str, Any]:
    if isinstance(found, LeadMatch):
        return {"lead": _record_document(found.lead)}
    return {
        "contact": _record_document(found.contact),
        "account": _record_document(found.account),
        "opportunities": [_record_document(one) for one in found.opportunities],
        "account_opportunities": [_record_document(one) for one in found.account_opportunities],
        "cases": [_record_document(one) for one in found.cases],
    }


def _found(kept: dict[str, Any]) -> Found:
    if "lead" in kept:
        return LeadMatch(_record(kept["lead"]))
    return ContactMatch(
        contact=_record(kept["contact"]),
        account=_record(kept["account"]) if kept["account"] else None,
        opportunities=_records(kept["opportunities"]),
        account_opportunities=_records(kept["account_opportunities"]),
        cases=_records(kept["cases"]),
    )
