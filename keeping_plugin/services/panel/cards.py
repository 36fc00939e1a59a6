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
from keeping_plugin.objects import AROUND_KEYS, has_name, row_of
from keeping_plugin.services.panel.money import CURRENCY, has_currencies, is_amount
from keeping_plugin.services.schema.fields import is_compound, is_lookup, parts
from keeping_plugin.types import ContactMatch, LeadMatch, ObjectSchema, Record, Value

Found = ContactMatch | LeadMatch


def name_path(schema: ObjectSchema, name: str) -> str | None:
    """`Owner.Name` for OwnerId: the path to the name of the record that a field refers to, or None
    when what it refers to has no field called Name."""
    spec = schema.fields.get(name)
    if spec is None or not is_lookup(spec) or not spec.relationship:
        return None
    if all(map(has_name, spec.reference_to)):
        return f"{spec.relationship}.Name"
    return None


def asked(schema: ObjectSchema, shown: Sequence[str]) -> tuple[str, ...]:
    """The field paths that the panel reads of an object: what is shown, the parts of compound
    fields, what dependent picklists depend on, the names of referenced records, the currency of
    amounts, and the head."""
    wanted: dict[str, None] = {}
    row = row_of(schema.name)
    for name in (*shown, *row.head, *row.kept):
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
        if is_amount(spec) and has_currencies(schema):
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
        return [found.lead, *(one for key in AROUND_KEYS for one in around(found, key))]
    account = [found.account] if found.account is not None else []
    return [found.contact, *account, *(one for key in AROUND_KEYS for one in around(found, key))]


def around(found: Found, key: str) -> tuple[Record, ...]:
    """The records around a person under one of `objects.AROUND_KEYS`."""
    return found.around.get(key, ())


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

    near = {key: tuple(map(patched, records)) for key, records in found.around.items()}
    if isinstance(found, LeadMatch):
        return replace(found, lead=patched(found.lead), around=near)
    return replace(
        found,
        contact=patched(found.contact),
        account=patched(found.account) if found.account is not None else None,
        around=near,
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
    upsert(session, PanelCard, row)


def _record_document(record: Record | None) -> list[Any] | None:
    return None if record is None else [record.object, record.id, dict(record.fields)]


def _record(kept: list[Any]) -> Record:
    return Record(kept[0], kept[1], kept[2])


def _records(kept: list[Any]) -> tuple[Record, ...]:
    return tuple(_record(one) for one in kept)


def _document(found: Found) -> dict[str, Any]:
    kept = {
        "by": found.by,
        **{key: [_record_document(one) for one in around(found, key)] for key in AROUND_KEYS},
        "counts": {key: list(count) for key, count in found.counts.items()},
    }
    if isinstance(found, LeadMatch):
        return {"lead": _record_document(found.lead), **kept}
    return {
        "contact": _record_document(found.contact),
        "account": _record_document(found.account),
        **kept,
    }


def _found(kept: dict[str, Any]) -> Found:
    # A card that was kept before an object had its row lacks its records.
    near = {key: _records(kept.get(key, [])) for key in AROUND_KEYS}
    counts = {key: (many, more) for key, (many, more) in _counts(kept).items()}
    if "lead" in kept:
        return LeadMatch(_record(kept["lead"]), kept.get("by", ""), near, counts)
    return ContactMatch(
        contact=_record(kept["contact"]),
        account=_record(kept["account"]) if kept["account"] else None,
        around=near,
        counts=counts,
        by=kept.get("by", ""),
    )


def _counts(kept: dict[str, Any]) -> Mapping[str, Any]:
    """A card of a version that did not count says how many it has."""
    counted: Mapping[str, Any] = kept.get("counts") or {
        key: (len(kept[key]), False) for key in AROUND_KEYS if key in kept
    }
    return counted
