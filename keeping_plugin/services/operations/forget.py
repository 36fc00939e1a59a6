"""Erase what we hold about one person, at a company's request."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, delete, func, or_, select, type_coerce, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from keeping_plugin.addresses import (
    address_key,
    ascii_lower,
    domain_of,
    salesforce_forms,
    salesforce_key,
)
from keeping_plugin.errors import InvalidInput
from keeping_plugin.models import (
    AddressClaim,
    AgentUser,
    Connection,
    Database,
    Decision,
    KnownAddress,
    MadeRecord,
    PanelCard,
    Pick,
    Repair,
    Search,
    SyncEntry,
    UndoItem,
    UndoneAddress,
    UndoRun,
    change_rows,
    now,
)
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.ledger import entries, events
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.types import Action

_PERSON_ID = re.compile(r'"((?:003|00Q)[a-zA-Z0-9]{12}(?:[a-zA-Z0-9]{3})?)"')


@dataclass(frozen=True, slots=True)
class Forgotten:
    """`entries` were removed; `unsettled` are on their way to Salesforce at this moment and keep
    the address until their outcome is known: ask again later when there are any."""

    entries: int
    unsettled: int


@dataclass(frozen=True, slots=True)
class _Person:
    """Under which keys, and as which texts, this person may stand in a company's rows."""

    company_id: str
    connection_ids: Collection[int]
    org_ids: Collection[str]
    keys: Collection[str]
    texts: Collection[str]


def forget(database: Database, company_id: str, address: str) -> Forgotten:
    """Remove this person's entries, facts, picks, claims, and every card that shows them, under
    whatever address. What keeps a message delivered again from doing anything stays, without the
    person, and so does the audit trail, which names records and never what they hold. Salesforce
    and the host's mail are not touched. Raises InvalidInput when it is no address."""
    key = address_key(address)
    if key is None:
        raise InvalidInput(f"{address!r} is not an email address.", field="address")
    with database.write() as session:
        person = _person(session, company_id, address, key)
        mine = (SyncEntry.company_id == company_id, SyncEntry.address.in_(person.keys))
        unsettled = session.scalars(
            select(SyncEntry.id).where(
                *mine, SyncEntry.state.in_(events.OWED), SyncEntry.sent_at.is_not(None)
            )
        ).all()
        _forget_records(session, person)
        _forget_undos(session, person)
        removed = entries.remove(session, *mine, SyncEntry.id.not_in(unsettled))
        for model in (Pick, KnownAddress):
            change_rows(
                session,
                delete(model).where(
                    model.connection_id.in_(person.connection_ids),
                    model.address.in_(person.keys),
                ),
            )
        # An agent who is forgotten here is met anew while they work in the inbox.
        change_rows(
            session,
            delete(AgentUser).where(
                AgentUser.connection_id.in_(person.connection_ids),
                func.lower(AgentUser.email).in_([text.lower() for text in person.texts]),
            ),
        )
        claimed = _forget_claims(session, person)
        _forget_texts(session, person)
        audit.record(session, Audited.PERSON_FORGOTTEN, company_id=company_id)
    return Forgotten(removed, len(unsettled) or claimed)


def _person(session: Session, company_id: str, address: str, key: str) -> _Person:
    found = session.execute(
        select(Connection.id, Connection.org_id).where(Connection.company_id == company_id)
    ).all()
    connection_ids = [row.id for row in found]
    keys = {key, salesforce_key(key) or key}
    if not key.isascii():
        # Keys that differ in the case of other letters than A to Z are one person to Salesforce.
        for holder in (SyncEntry, Pick, PanelCard, KnownAddress):
            of_domain = session.scalars(
                select(holder.address)
                .where(
                    holder.connection_id.in_(connection_ids),
                    holder.address.endswith(f"@{domain_of(key)}", autoescape=True),
                )
                .distinct()
            )
            keys |= {each for each in of_domain if salesforce_key(each) in keys}
    texts = {address.strip(), *keys}
    for each in tuple(texts):
        texts |= {*salesforce_forms(each), each.lower(), each.upper()}
    return _Person(company_id, connection_ids, {row.org_id for row in found}, keys, texts)


def _escaped(text: str) -> str:
    """A text inside a JSON text of ours, in lower case."""
    return json.dumps(text).lower()[1:-1]


def _holds(column: InstrumentedAttribute[Any], texts: Iterable[str]) -> ColumnElement[bool]:
    """Whether a column has one of these texts in it, in upper or lower case."""
    within = func.lower(type_coerce(column, Text))
    return or_(*(within.contains(text, autoescape=True) for text in sorted(set(texts))))


def _forget_records(session: Session, person: _Person) -> None:
    """The person's own cards; those of other addresses that name the address, or one of the
    records that it led to; results of searches that do. A card is shown while Salesforce does not
    answer, and a record can be found again: no loss."""
    own = PanelCard.address.in_(person.keys)
    mine = PanelCard.connection_id.in_(person.connection_ids)
    ids: set[str] = set()
    for card in session.scalars(select(type_coerce(PanelCard.card, Text)).where(mine, own)):
        ids |= set(_PERSON_ID.findall(card))
    for entry in session.execute(
        select(SyncEntry.action, SyncEntry.record_id, SyncEntry.contact_id).where(
            SyncEntry.company_id == person.company_id, SyncEntry.address.in_(person.keys)
        )
    ):
        added = entry.record_id if entry.action == Action.ADD_CONTACT else None
        ids |= {each for each in (entry.contact_id, added) if each}
    ids |= set(
        session.scalars(
            select(Pick.record_id).where(
                Pick.connection_id.in_(person.connection_ids), Pick.address.in_(person.keys)
            )
        )
    )
    texts = [*map(_escaped, person.texts), *(f'"{each.lower()}"' for each in ids)]
    change_rows(session, delete(PanelCard).where(mine, own | _holds(PanelCard.card, texts)))
    if ids:
        theirs = Repair.connection_id.in_(person.connection_ids), Repair.contact_id.in_(ids)
        change_rows(session, delete(Repair).where(*theirs))
        # One whose outcome is not known stays, so that the next Save looks for it first.
        made = MadeRecord.connection_id.in_(person.connection_ids), MadeRecord.person_id.in_(ids)
        change_rows(session, delete(MadeRecord).where(*made, MadeRecord.record_id.is_not(None)))
        found = Search.connection_id.in_(person.connection_ids), Search.found.is_not(None)
        named = _holds(Search.found, (f'"{each.lower()}"' for each in ids))
        change_rows(session, update(Search).where(*found, named).values(found=None))


def _forget_undos(session: Session, person: _Person) -> None:
    """What undos chose and left of the person. That they are not added again is forgotten, too: to
    know it, the address would have to be kept."""
    runs = select(UndoRun.id).where(UndoRun.company_id == person.company_id)
    mine = UndoItem.run_id.in_(runs), UndoItem.address.in_(person.keys)
    change_rows(session, delete(UndoItem).where(*mine))
    undone = UndoneAddress.address.in_(person.keys)
    change_rows(
        session,
        delete(UndoneAddress).where(UndoneAddress.company_id == person.company_id, undone),
    )


def _forget_claims(session: Session, person: _Person) -> int:
    """Returns how many are held at this moment: those end within a minute, and ensure till then
    that nobody adds the person twice."""
    theirs = (AddressClaim.org_id.in_(person.org_ids), AddressClaim.address.in_(person.keys))
    change_rows(session, delete(AddressClaim).where(*theirs, AddressClaim.until < now(session)))
    return session.scalar(select(func.count()).select_from(AddressClaim).where(*theirs)) or 0


def _forget_texts(session: Session, person: _Person) -> None:
    """Facts that name the address, and Salesforce's words that quote it."""
    # Facts keep the address as it was written, too: 0.1.0 took some for none.
    quoted = [f'"{_escaped(each)}"' for each in person.texts]
    within = [_escaped(each) for each in person.texts]
    plain = [ascii_lower(each) for each in person.texts]
    entries.happen(
        session,
        Event.ANNOTATED,
        SyncEntry.company_id == person.company_id,
        SyncEntry.words.is_not(None),
        _holds(SyncEntry.words, within),
        words=None,
    )
    for model, column, texts in (
        (Decision, Decision.facts, quoted),
        (Connection, Connection.pause_words, within),
        (Connection, Connection.barred_words, plain),
    ):
        rows = update(model).where(model.company_id == person.company_id, column.is_not(None))
        change_rows(session, rows.where(_holds(column, texts)).values({column.key: None}))
