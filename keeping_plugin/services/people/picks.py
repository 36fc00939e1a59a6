"""Which record an agent chose for an address, of several that have it or of any that are there.

The choice comes before the Email of any record, for the panel and for logging, and changes nothing
in Salesforce. It stands while the record is there and visible; it follows one that was merged or
converted, and is dropped with any other that is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from keeping_plugin.mail.clean import one_line
from keeping_plugin.models import Connection, Pick, listed, now, upsert
from keeping_plugin.objects import LEAD, PEOPLE, logs_mail
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.ledger import waiting
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Agent, Found


def load(session: Session, connection_id: int, addresses: Collection[str]) -> dict[str, str]:
    """The chosen ids by address (`addresses.address_key`)."""
    found = session.execute(
        select(Pick.address, Pick.record_id).where(
            Pick.connection_id == connection_id,
            Pick.address.in_(select(listed(session, set(addresses)))),
        )
    )
    return {pick.address: pick.record_id for pick in found}


def keep(
    session: Session, agent: Agent, connection_id: int, address: str, object: str, record_id: str
) -> int:
    """Remember the choice; returns how many waiting messages that released."""
    at = now(session)
    row = {
        "connection_id": connection_id,
        "address": address,
        "object": object,
        "record_id": record_id,
        "picked_by": agent.id,
        "picked_name": one_line(agent.name, 255),
        "picked_at": at,
    }
    upsert(session, Pick, row)
    audit.record_by(
        session,
        agent,
        Audited.RECORD_PICKED,
        at=at,
        connection_id=connection_id,
        object=object,
        record_id=record_id,
    )
    if not logs_mail(object):
        return 0
    return waiting.contact_appeared(session, connection_id, [address])


def take_back(
    session: Session, agent: Agent, connection_id: int, address: str, record_id: str = ""
) -> bool:
    """Forget the choice for an address, with `record_id` only if it is that record; says whether
    there was one."""
    which = [Pick.connection_id == connection_id, Pick.address == address]
    if record_id:
        which.append(Pick.record_id == record_id)
    pick = session.execute(
        delete(Pick).where(*which).returning(Pick.object, Pick.record_id)
    ).one_or_none()
    if pick is None:
        return False
    audit.record_by(
        session,
        agent,
        Audited.PICK_REMOVED,
        connection_id=connection_id,
        object=pick.object,
        record_id=pick.record_id,
    )
    return True


def missing(
    chosen: Mapping[str, str], found: Found, schemas: Collection[str] = ()
) -> dict[str, str]:
    """The chosen records that a find did not find, by address. Whoever may not read Leads finds
    none, which says nothing of any."""
    there = {one.id[:15] for people in found.people.values() for one in people}
    unseen = LEAD.prefix if schemas and LEAD.name not in schemas else "-"
    return {
        address: record_id
        for address, record_id in chosen.items()
        if record_id[:15] not in there and not record_id.startswith(unseen)
    }


def follow(
    runtime: Runtime, gateway: SalesforceGateway, connection_id: int, gone: Mapping[str, str]
) -> dict[str, str]:
    """Of chosen records that Salesforce shows no more, by address: what they were merged into or
    converted to. The other choices are dropped. One request, for all of them."""
    became = gateway.successors(sorted(set(gone.values())))
    kept: dict[str, str] = {}
    with runtime.database.write() as session:
        company_id = session.get_one(Connection, connection_id).company_id
        for address, old in gone.items():
            new = became.get(old, "")
            last = new or old
            row = next((one for one in PEOPLE if last.startswith(one.prefix)), None)
            # An agent may have chosen another one meanwhile.
            same = (
                Pick.connection_id == connection_id,
                Pick.address == address,
                Pick.record_id == old,
            )
            if new and row is not None:
                session.execute(update(Pick).where(*same).values(object=row.name, record_id=new))
                kept[address] = new
            else:
                session.execute(delete(Pick).where(*same))
            audit.record(
                session,
                Audited.PICK_FOLLOWED if address in kept else Audited.PICK_REMOVED,
                company_id=company_id,
                connection_id=connection_id,
                object=row.name if row else "",
                record_id=last,
                detail="gone" if address not in kept else "",
            )
    return kept
