"""Address fields beside Email by which people are found, if an admin selected them.

They are searched only for addresses for which Email found no Contact and no agent chose a record. A
Contact found this way comes before a Lead that has the address as its Email, as Contacts always do;
a Lead found this way counts only if Email found nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.errors import InvalidInput, SchemaStale
from keeping_plugin.models import FindingPolicy, upsert
from keeping_plugin.objects import CONTACT, PERSON_NAMES, logs_mail
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import describe
from keeping_plugin.types import Agent, ContactMatch, FieldSpec, Found, ObjectSchema, PersonFound
from keeping_plugin.wording.people import NO_ADDRESS_FIELDS_YET

AddressFields = Mapping[str, Sequence[str]]
"""API names by object."""

# Of one object: a question holds every address once for each of them.
MOST: Final = 5


class Offered(NamedTuple):
    """A field as its tab offers it. `problem`: a code of `wording.people.FIELD_PROBLEMS` that keeps
    it from being used; `warning`: one of `FIELD_WARNINGS`. `spec` is None where the user sees no
    such field."""

    name: str
    spec: FieldSpec | None
    ticked: bool
    problem: str = ""
    warning: str = ""


def is_usable(spec: FieldSpec | None) -> bool:
    """Whether people can be found by this field."""
    return spec is not None and not _problem(spec)


def _problem(spec: FieldSpec | None) -> str:
    if spec is None:
        return "gone"
    if spec.type != "email":
        return "retyped"
    if not spec.filterable:
        return "encrypted" if spec.encrypted else "unfilterable"
    return ""


def _warning(spec: FieldSpec) -> str:
    if spec.calculated:
        return "formula"
    if spec.encrypted:
        return "encrypted"
    return "" if spec.indexed else "unindexed"


def offered(schema: ObjectSchema, chosen: Sequence[str]) -> list[Offered]:
    """The fields of type email beside Email, by label, and what was chosen and is none any more."""
    emails = [spec for name, spec in schema.fields.items() if spec.type == "email"]
    names = [
        spec.name
        for spec in sorted(emails, key=lambda spec: (spec.label.lower(), spec.name))
        if spec.name != "Email"
    ]
    found = []
    for name in dict.fromkeys([*names, *chosen]):
        spec = schema.fields.get(name)
        problem = _problem(spec)
        warning = _warning(spec) if spec is not None and not problem else ""
        found.append(Offered(name, spec, name in chosen, problem, warning))
    return found


def of_row(kept: Any) -> dict[str, tuple[str, ...]]:
    """The choice as `FindingPolicy.found_by` keeps it."""
    return {name: tuple(fields) for name, fields in (kept or {}).items()}


def load(session: Session, company_id: str) -> dict[str, tuple[str, ...]]:
    """The fields that the company selected, usable or not."""
    column = select(FindingPolicy.found_by)
    return of_row(session.scalar(column.where(FindingPolicy.company_id == company_id)))


def usable(
    chosen: AddressFields, schemas: Mapping[str, ObjectSchema]
) -> dict[str, tuple[str, ...]]:
    """The selected fields by which people can be found now. All of them until the org is described,
    so that nobody who is known is added again."""
    if not schemas:
        return {name: tuple(fields) for name, fields in chosen.items() if fields}
    found = {
        name: tuple(
            field for field in chosen.get(name, ()) if is_usable(schemas[name].fields.get(field))
        )
        for name in PERSON_NAMES
        if name in schemas
    }
    return {name: fields for name, fields in found.items() if fields}


def checked(
    schema: ObjectSchema, before: Sequence[str], ticked: Sequence[str], *, beside_0_1_0: bool
) -> tuple[str, ...]:
    """The ticked fields, if they may be chosen. What was chosen before may stay, usable or not.
    `beside_0_1_0`: processes that know no such field may run, so nothing more may be chosen. Raises
    InvalidInput."""
    if beside_0_1_0 and not set(ticked) <= set(before):
        raise InvalidInput(NO_ADDRESS_FIELDS_YET, field="finds")
    wanted = [one for one in offered(schema, before) if one.name in ticked]
    known = {one.name for one in wanted if one.ticked or not one.problem}
    for name in ticked:
        if name not in known:
            raise InvalidInput(f"People cannot be found by {name}.", field="finds")
    if len(known) > MOST:
        raise InvalidInput(f"Select at most {MOST} fields that find people.", field="finds")
    return tuple(one.name for one in wanted)


def save(session: Session, agent: Agent, object: str, fields: Sequence[str]) -> bool:
    """Keep an admin's choice for one object; says whether that changed anything."""
    row = session.get(FindingPolicy, agent.company_id, with_for_update={"key_share": True})
    before = of_row(row.found_by if row is not None else None)
    if tuple(fields) == before.get(object, ()):
        return False
    kept = {**before, object: tuple(fields)}
    stored = {name: list(names) for name, names in kept.items() if names} or None
    new = {"company_id": agent.company_id, "found_by": stored}
    upsert(session, FindingPolicy, new)
    audit.record_by(
        session, agent, Audited.ADDRESS_FIELDS_CHOSEN, object=object, fields=list(fields)
    )
    return True


def find(
    runtime: Runtime,
    gateway: SalesforceGateway,
    connection_id: int,
    found: Found,
    fields: AddressFields,
    addresses: Collection[str],
    *,
    chosen: Collection[str] = (),
    start_by: float | None = None,
) -> Found:
    """`found`, with the people whom these fields find for the addresses that it leaves open: one
    request, none if it leaves none open. `chosen` are the addresses for which an agent chose a
    record. A field that is gone is left out and the fields are described again. Raises what `find`
    raises."""
    rest = left_open(found, fields, addresses, chosen)
    asked = {name: tuple(names) for name, names in fields.items()}
    while rest and asked:
        try:
            more = gateway.find(rest, fields=asked, start_by=start_by)
        except SchemaStale as stale:
            if describe.refresh_soon(runtime.database, connection_id):
                runtime.queue.enqueue("describe", connection_id)
            left = without(asked, stale)
            if left == asked:
                raise
            asked = left
        else:
            return _merged(found, more)
    return found


def left_open(
    found: Found, fields: AddressFields, addresses: Collection[str], chosen: Collection[str]
) -> list[str]:
    """The addresses for which these fields may find somebody."""
    rest = []
    for address in sorted(set(addresses) - set(chosen)):
        objects = {one.object for one in found.people.get(address, ())}
        if not objects or (fields.get(CONTACT.name) and not any(map(logs_mail, objects))):
            rest.append(address)
    return rest if any(fields.values()) else []


def without(asked: AddressFields, stale: SchemaStale) -> dict[str, tuple[str, ...]]:
    """The fields that remain when Salesforce no longer has a field or an object."""
    gone = stale.field.lower()
    left = {
        name: tuple(field for field in fields if field.lower() != gone)
        for name, fields in asked.items()
        if gone or name != stale.object
    }
    return {name: fields for name, fields in left.items() if fields}


def undecided(contacts: Sequence[PersonFound | ContactMatch]) -> bool:
    """Whether none of these Contacts has the address as its Email and several have it elsewhere:
    an assistant's, say. Mail is logged on none of them until an agent chooses one."""
    return len(contacts) > 1 and all(one.by for one in contacts)


def _merged(found: Found, more: Found) -> Found:
    people = dict(found.people)
    for address, others in more.people.items():
        before = people.get(address, ())
        people[address] = (
            *(one for one in others if not before or logs_mail(one.object)),
            *before,
        )
    return Found(people, found.tasks, found.account_owners)
