"""Which fields agents see: the company's choice, in its order, as far as the org still has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.errors import InvalidInput
from keeping_plugin.fieldtypes import field_type
from keeping_plugin.models import FieldSelection, now, upsert
from keeping_plugin.objects import OBJECT_NAMES, OPTIONAL, row_of
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.schema.fields import in_use, label_in, same_place, writable
from keeping_plugin.types import Agent, FieldSpec, ObjectSchema


@dataclass(frozen=True, slots=True)
class Choice:
    """An admin's choice for one object. `shown` is in order; `locked` maps what cannot be turned
    off to the reason; `missing` are chosen, default or baseline fields that the user cannot see
    now."""

    shown: tuple[str, ...]
    locked: Mapping[str, str]
    missing: tuple[str, ...]


def _can_be_shown(schema: ObjectSchema, spec: FieldSpec, *, creating: bool) -> bool:
    if not field_type(spec.type).offered:
        return False
    if not creating:
        return True
    # The record type has a control of its own, and the form fills in whose record it is.
    created = row_of(schema.name).created
    implied = {"RecordTypeId", *(created.to.values() if created is not None else ())}
    return spec.name not in implied and bool(writable(schema, spec.name, creating=True))


def offered(schema: ObjectSchema, *, creating: bool = False) -> tuple[FieldSpec, ...]:
    """The fields that can be chosen, by label; of a state or country that is picked from a list
    the code alone, since its text is Salesforce's own doing. `creating`: for the form of a new
    record, which has no field that cannot be filled in."""
    specs = (
        spec
        for name, spec in schema.fields.items()
        if _can_be_shown(schema, spec, creating=creating) and in_use(schema, name) == name
    )
    return tuple(sorted(specs, key=lambda spec: (label_in(schema, spec).lower(), spec.name)))


def locked(schema: ObjectSchema, *, creating: bool = False) -> Mapping[str, str]:
    """Fields that are always shown, in the order they are asked for, with the reason."""
    article = "an" if schema.label[:1].lower() in "aeiou" else "a"
    reasons: dict[str, str] = {}
    for name in row_of(schema.name).baseline:
        spec = schema.fields.get(name)
        if spec is not None and not spec.required:
            if name == "Email":
                reasons[name] = "People are found in Salesforce by this address."
            elif not creating:
                reasons[name] = f"Always shown for every {schema.label}."
    for name, spec in schema.fields.items():
        if spec.required and _can_be_shown(schema, spec, creating=creating):
            reasons[name] = f"Salesforce requires it to save {article} {schema.label}."
    return reasons


def choice(schema: ObjectSchema, chosen: Sequence[str] | None, *, creating: bool = False) -> Choice:
    """What agents see of an object, given what was chosen (None: nothing was, ever)."""
    reasons = locked(schema, creating=creating)
    wanted = _in_use(schema, chosen_or_default(schema.name, chosen))
    wanted += [name for name in reasons if name not in wanted]
    # A default counts as chosen: the org has every one of them, so what is absent is hidden.
    baseline = () if creating else row_of(schema.name).baseline
    expected = _in_use(schema, [*chosen_or_default(schema.name, chosen), *baseline])
    named = (spec for name in (*wanted, *expected) if (spec := schema.fields.get(name)) is not None)
    names = {spec.name for spec in named if _can_be_shown(schema, spec, creating=creating)}
    return Choice(
        shown=tuple(name for name in wanted if name in names),
        locked=reasons,
        missing=tuple(name for name in expected if name not in names),
    )


def _in_use(schema: ObjectSchema, names: Iterable[str]) -> list[str]:
    """Each once, as the org has it now: a choice of MailingState means the state, however it is
    kept."""
    return list(dict.fromkeys(in_use(schema, name) for name in names))


def is_wanted(object: str, field: str, chosen: Sequence[str] | None) -> bool:
    """Whether agents see this field of an object wherever the user can read it; of a state or
    country in a list, whether its text was chosen or its code."""
    wanted = {*chosen_or_default(object, chosen), *row_of(object).baseline}
    return field in wanted or same_place(field) in map(same_place, wanted)


def chosen_or_default(object: str, chosen: Sequence[str] | None) -> Sequence[str]:
    """What was chosen; what an admin starts from where nothing was, ever (None)."""
    return row_of(object).defaults if chosen is None else chosen


def load(session: Session, company_id: str) -> Mapping[str, Sequence[str]]:
    """What the company chose, by object; objects it never chose for are absent."""
    rows = session.execute(
        select(FieldSelection.object, FieldSelection.fields).where(
            FieldSelection.company_id == company_id
        )
    )
    return {name: tuple(fields) for name, fields in rows}


def shown(
    session: Session, company_id: str, schemas: Mapping[str, ObjectSchema]
) -> Mapping[str, tuple[str, ...]]:
    """The fields that the panel shows, by object, in order; nothing of an optional object that
    nobody asked for."""
    chosen = load(session, company_id)
    wanted = {*OBJECT_NAMES, *(row.name for row in OPTIONAL if chosen.get(row.name))}
    return {
        name: choice(schema, chosen.get(name)).shown
        for name, schema in schemas.items()
        if name in wanted
    }


def ordered(
    schema: ObjectSchema, ticked: Iterable[str], order: Sequence[str], *, creating: bool = False
) -> tuple[str, ...]:
    """The ticked and the locked fields: those of `order` first, in that order, then the rest by
    label. Raises InvalidInput naming a field that the object does not have."""
    specs = offered(schema, creating=creating)
    names = {spec.name for spec in specs}
    wanted = {*_in_use(schema, ticked), *locked(schema, creating=creating)}
    unknown = sorted(wanted - names)
    if unknown:
        raise InvalidInput(
            f"{schema.label} has no field {', '.join(unknown)} that the connected user can see.",
            field="fields",
        )
    first = [name for name in _in_use(schema, order) if name in wanted]
    rest = [spec.name for spec in specs if spec.name in wanted and spec.name not in first]
    return (*first, *rest)


def save(
    session: Session,
    agent: Agent,
    schema: ObjectSchema,
    fields: Sequence[str],
    *,
    keep: Sequence[str] = (),
) -> None:
    """Store an admin's choice. `keep` are chosen fields that are out of sight just now (hidden from
    the connecting user, or deleted): they come back with the access to them, to their places."""
    stored = with_hidden(schema, fields, keep)
    upsert(
        session,
        FieldSelection,
        {"company_id": agent.company_id, "object": schema.name, "fields": stored},
    )
    audit.record_by(
        session, agent, Audited.FIELDS_CHOSEN, at=now(session), object=schema.name, fields=stored
    )


def with_hidden(schema: ObjectSchema, fields: Sequence[str], keep: Sequence[str]) -> list[str]:
    """The fields, with each hidden one of `keep` back after the field it followed before."""
    stored = list(fields)
    place = 0
    for name in keep:
        if name not in schema.fields:
            stored.insert(place, name)
        if name in stored:
            place = stored.index(name) + 1
    return stored
