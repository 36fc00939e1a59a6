"""How a company lets its agents find people: whether they may search the whole org, the fields into
which they add an address, and the fields that find a person besides Email.

Off until an admin says yes: with it an agent sees names, Accounts and ticked fields of records that
have nothing to do with the conversation, and opens any of them by choosing it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from keeping_plugin.errors import InvalidInput
from keeping_plugin.models import FindingPolicy, Pick, upsert
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.people import address_fields, policy
from keeping_plugin.services.schema.fields import writable
from keeping_plugin.types import Agent, FieldSpec, ObjectSchema

LISTED = 100  # choices on an admin's page
EMAIL = "Email"  # by which Salesforce itself knows a person


class Finding(NamedTuple):
    """What a company's admins decided. `add_to`: the field into which agents add an address
    that a record does not have, by object. `found_by`: the fields that find a person."""

    search: bool = False
    add_to: Mapping[str, str] = {}
    found_by: Mapping[str, Sequence[str]] = {}


def load(session: Session, company_id: str) -> Finding:
    """The company's choices; everything is off until one is made."""
    kept = select(FindingPolicy.search, FindingPolicy.add_to, FindingPolicy.found_by)
    row = session.execute(kept.where(FindingPolicy.company_id == company_id)).one_or_none()
    if row is None:
        return Finding()
    return Finding(row.search, row.add_to or {}, address_fields.of_row(row.found_by))


def addable_fields(schema: ObjectSchema) -> list[FieldSpec]:
    """The fields of a person into which an address can be added: of type e-mail, editable by the
    connected user, and not the one by which Salesforce itself knows the person."""
    return [
        spec
        for spec in schema.fields.values()
        if spec.type == "email" and spec.name != EMAIL and writable(schema, spec.name)
    ]


def name_address_field(session: Session, agent: Agent, object: str, field: str) -> bool:
    """Let agents add addresses into this field, "" for none; says whether that changed anything.
    The caller checks that the object has the field (`addable_fields`)."""
    # Locked: another admin may be naming that of another object.
    session.get(FindingPolicy, agent.company_id, with_for_update={"key_share": True})
    known = load(session, agent.company_id)
    if known.add_to.get(object, "") == field:
        return False
    named = {**known.add_to, object: field}
    add_to = {name: kept for name, kept in named.items() if kept}
    row = {"company_id": agent.company_id, "add_to": add_to}
    upsert(session, FindingPolicy, row)
    audit.record_by(
        session,
        agent,
        Audited.ADDRESS_FIELD_NAMED,
        object=object,
        fields=[field] if field else [],
    )
    return True


def find_by(session: Session, agent: Agent, schema: ObjectSchema, field: str) -> bool:
    """Let a field into which agents add addresses find people, too; says whether it does now. It
    does not where it cannot be ticked on its tab."""
    ticked = address_fields.load(session, agent.company_id).get(schema.name, ())
    if field in ticked:
        return True
    before = policy.beside_0_1_0(session)
    try:
        fields = address_fields.checked(schema, ticked, (*ticked, field), beside_0_1_0=before)
    except InvalidInput:
        return False  # the page says that only an agent's choice finds these people
    address_fields.save(session, agent, schema.name, fields)
    return True


def allow_search(session: Session, agent: Agent, wanted: bool) -> bool:
    """Switch the search on or off; says whether that changed anything."""
    if load(session, agent.company_id).search == wanted:
        return False
    row = {"company_id": agent.company_id, "search": wanted}
    upsert(session, FindingPolicy, row)
    audit.record_by(session, agent, Audited.SEARCH_SWITCHED, detail="on" if wanted else "off")
    return True


def choices(session: Session, connection_id: int, address: str = "") -> tuple[list[Pick], int]:
    """The latest choices of a connection whose addresses contain this text, at most LISTED, and how
    many there are."""
    mine = [Pick.connection_id == connection_id]
    if address:
        mine.append(Pick.address.contains(address, autoescape=True))
    latest = select(Pick).where(*mine).order_by(Pick.picked_at.desc()).limit(LISTED)
    count = session.scalar(select(func.count()).select_from(Pick).where(*mine)) or 0
    return list(session.scalars(latest)), count
