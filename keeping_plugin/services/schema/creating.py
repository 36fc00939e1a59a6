"""What agents may create from a conversation: an admin's choice, as far as the org allows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.models import CreatePolicy, upsert
from keeping_plugin.objects import CONTACT, StandardObject, row_of
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.types import Agent, ObjectSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateChoice:
    """An admin's choice for one object. `fields` are those of its form, None until they were
    chosen. `assigned`: the org's assignment rules decide whose a new one is."""

    allowed: bool = False
    assigned: bool = True
    fields: tuple[str, ...] | None = None


class Lacking(NamedTuple):
    """What keeps the connecting user from creating records of an object, and who changes it how."""

    finding: str
    mend: str


def load(session: Session, company_id: str) -> Mapping[str, CreateChoice]:
    """The company's choices by object; objects that nobody decided about are absent."""
    rows = session.execute(
        select(
            CreatePolicy.object, CreatePolicy.allowed, CreatePolicy.assigned, CreatePolicy.fields
        ).where(CreatePolicy.company_id == company_id)
    )
    return {
        row.object: CreateChoice(
            allowed=row.allowed,
            assigned=row.assigned,
            fields=None if row.fields is None else tuple(row.fields),
        )
        for row in rows
    }


def change(session: Session, agent: Agent, object: str, **values: Any) -> bool:
    """Set an admin's choice (`allowed`, `assigned`, `fields`) and write it down; says whether that
    changed anything."""
    # Locked: another admin may be changing another of them.
    session.get(CreatePolicy, (agent.company_id, object), with_for_update={"key_share": True})
    before = load(session, agent.company_id).get(object, CreateChoice())
    changed = sorted(
        name
        for name, value in values.items()
        if (tuple(value) if name == "fields" else value) != getattr(before, name)
    )
    if not changed:
        return False
    row = {"allowed": before.allowed, "assigned": before.assigned, "fields": before.fields}
    upsert(
        session,
        CreatePolicy,
        {"company_id": agent.company_id, "object": object, **row, **values},
    )
    shown = [f"{name}={'on' if values[name] else 'off'}" for name in changed if name != "fields"]
    audit.record_by(
        session,
        agent,
        Audited.CREATE_CHANGED,
        object=object,
        fields=list(values.get("fields", ())),
        detail=" ".join(shown),
    )
    return True


def form_fields(
    row: StandardObject, choice: CreateChoice | None, shown: Sequence[str]
) -> tuple[str, ...]:
    """What the form for a new one has, beside what Salesforce requires: what was chosen for it,
    else what it begins with and what agents see of the object (`shown`)."""
    if choice is not None and choice.fields is not None:
        return choice.fields
    begins = row.person or row.created
    first = begins.first if begins is not None else ()
    return tuple(dict.fromkeys((*first, *(shown or row.defaults))))


def lacking(schemas: Mapping[str, ObjectSchema], object: str) -> Lacking | None:
    """Why the connecting user cannot create one for anybody; None when they can."""
    schema, created = schemas.get(object), row_of(object).created
    if schema is None:
        return Lacking(
            f"The connected user cannot see the object {object}.",
            f"Give the user read and create access to {object} in a permission set.",
        )
    if not schema.createable:
        return Lacking(
            f"The connected user does not have permission to create {object} records.",
            f"Give the user create access to {object} in a permission set.",
        )
    if created is None:
        return None
    links = [(schema, name) for name in dict.fromkeys(created.to.values())]
    contact = schemas.get(CONTACT.name)
    if created.back and contact is not None:
        links.append((contact, created.back))
    for holder, name in links:
        spec = holder.fields.get(name)
        if spec is None or not (spec.updateable if holder is contact else spec.createable):
            return Lacking(
                f"The connected user cannot edit {holder.name}.{name}, which links the new record "
                "to the person.",
                f"Give the user edit access to {name} in Salesforce (field-level security).",
            )
    return None
