"""What a duplicate rule found, and putting the customer's address onto one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from keeping_plugin.addresses import address_key, salesforce_key
from keeping_plugin.errors import DuplicatesFound, OutcomeUnclear, RecordNotFound
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.ledger import waiting
from keeping_plugin.services.metering import Feature, counted
from keeping_plugin.services.panel.view import Linked, Panels
from keeping_plugin.types import Agent

_MOST = 5  # records read one by one
_PEOPLE = ("Contact", "Lead")
_FACTS = ("Name", "Email", "Title", "Company", "Phone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A Contact or Lead that looks like the one to be created."""

    object: str
    id: str
    title: str
    email: str
    facts: tuple[str, ...]


@counted(Feature.RECORDS)
def read_found(parts: Panels, link: Linked, error: DuplicatesFound) -> list[Duplicate]:
    """The people that the rule named, with enough to tell them apart. One that cannot be read is
    left out; Salesforce that does not answer raises."""
    found = []
    gateway = parts.gateway(link.connection_id)
    for object, record_id in error.record_ids[:_MOST]:
        if object not in _PEOPLE or object not in link.schemas:
            continue
        names = [name for name in _FACTS if name in link.schemas[object].fields]
        try:
            fields = gateway.read(object, record_id, names).fields
        except RecordNotFound:
            continue
        found.append(
            Duplicate(
                object=object,
                id=record_id,
                title=str(fields.get("Name") or record_id),
                email=str(fields.get("Email") or ""),
                facts=tuple(
                    str(fields[name]) for name in ("Title", "Company", "Phone") if fields.get(name)
                ),
            )
        )
    return found


@counted(Feature.RECORDS)
def use(
    parts: Panels,
    agent: Agent,
    link: Linked,
    object: str,
    record_id: str,
    *,
    email: str,
    replace: bool,
) -> str:
    """Give the record this address. Returns the address it has when that is another one and
    `replace` is false: then nothing was changed. Raises what `read` and `update` raise, Crowded."""
    parts.pace.step(agent.company_id, agent.id)
    gateway = parts.gateway(link.connection_id)
    current = gateway.read(object, record_id, ("Email", "LastModifiedDate")).fields
    held = current.get("Email")
    key = address_key(email)
    if isinstance(held, str) and held:
        if salesforce_key(held) == salesforce_key(email):
            return ""
        if not replace:
            return held
    since = current.get("LastModifiedDate")
    try:
        gateway.update(
            object,
            record_id,
            {"Email": email},
            unless_modified_since=datetime.fromisoformat(since) if isinstance(since, str) else None,
            allow_duplicates=True,
        )
    except OutcomeUnclear:
        with parts.database.write() as session:
            _note(session, agent, link, object, record_id, detail="outcome_unclear")
        raise
    with parts.database.write() as session:
        _note(session, agent, link, object, record_id, detail="duplicate_used")
        released = 0
        if object == "Contact" and key:
            released = waiting.learned(session, link.connection_id, [key])
    if released:
        parts.queue.ring([link.connection_id])
    return ""


def _note(
    session: Session, agent: Agent, link: Linked, object: str, record_id: str, *, detail: str
) -> None:
    audit.record(
        session,
        Audited.RECORD_UPDATED,
        company_id=agent.company_id,
        agent_id=agent.id,
        connection_id=link.connection_id,
        object=object,
        record_id=record_id,
        fields=["Email"],
        detail=detail,
    )
