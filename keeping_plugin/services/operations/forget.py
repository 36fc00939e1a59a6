"""Erase what we hold about one person, at a company's request."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Text, delete, select, type_coerce, update

from keeping_plugin.addresses import address_key
from keeping_plugin.errors import InvalidInput
from keeping_plugin.models import (
    Connection,
    Database,
    Decision,
    EntryState,
    KnownAddress,
    PanelCard,
    Pick,
    SyncEntry,
)
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited


@dataclass(frozen=True, slots=True)
class Forgotten:
    """`entries` were removed; `unsettled` are on their way to Salesforce at this moment and keep
    the address until their outcome is known: ask again later when there are any."""

    entries: int
    unsettled: int


def forget(database: Database, company_id: str, address: str) -> Forgotten:
    """Remove this person's entries, facts, picks and cards. What keeps a message delivered again
    from doing anything stays, without the person. Salesforce and the host's mail are not touched.
    Raises InvalidInput when it is no address."""
    key = address_key(address)
    if key is None:
        raise InvalidInput(f"{address!r} is no e-mail address.", field="address")
    owed = (EntryState.PENDING, EntryState.SENDING, EntryState.WAITING)
    mine = (SyncEntry.company_id == company_id, SyncEntry.address == key)
    with database.write() as session:
        unsettled = session.scalars(
            select(SyncEntry.id).where(
                *mine, SyncEntry.state.in_(owed), SyncEntry.sent_at.is_not(None)
            )
        ).all()
        removed = session.execute(
            delete(SyncEntry)
            .where(*mine, SyncEntry.id.not_in(unsettled))
            .execution_options(synchronize_session=False)
        )
        # Facts are JSON text of ours, so the pair stands in them letter for letter.
        pair = f'"address":{json.dumps(key)}'
        session.execute(
            update(Decision)
            .where(Decision.company_id == company_id, Decision.facts.is_not(None))
            .where(type_coerce(Decision.facts, Text).contains(pair, autoescape=True))
            .values(facts=None)
            .execution_options(synchronize_session=False)
        )
        connections = select(Connection.id).where(Connection.company_id == company_id)
        for model in (Pick, PanelCard, KnownAddress):
            session.execute(
                delete(model)
                .where(model.connection_id.in_(connections), model.address == key)
                .execution_options(synchronize_session=False)
            )
        audit.record(session, Audited.PERSON_FORGOTTEN, company_id=company_id)
    return Forgotten(int(removed.rowcount), len(unsettled))  # type: ignore[attr-defined]
