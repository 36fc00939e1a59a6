"""Entries held for review: people whom the brake kept from being added, and Tasks of theirs.

Held is `pending` without a due time, so that neither a drain nor the sweep sees it. What ends it:

* an admin adds the person or skips the domain (services/admin/held);
* a Contact of the person appears (`waiting.contact_appeared`): it comes due, and is found to exist;
* its mailbox stops adding people, its domain is skipped, or nobody reviews it for as long as
  entries are kept (`tend`, `expire`);
* what ends any unsent entry: a disconnect, or the erasure of the person. That its message or its
  mailbox is gone shows when it comes due.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, literal_column, or_, select, update
from sqlalchemy.orm import Session

from keeping_plugin.addresses import domain_of, parent_domains
from keeping_plugin.models import (
    Connection,
    Database,
    MailboxPolicy,
    SkippedDomain,
    SyncEntry,
    change_rows,
    listed,
    now,
)
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.services.ledger.locking import lock_connection
from keeping_plugin.types import Action
from keeping_plugin.wording.terminal import escaped

log = logging.getLogger("keeping_plugin.delivery")

CHUNK: Final = 500  # rows a transaction
LOOKED_AT: Final = 10_000  # entries

# Literals, not parameters: only then do both databases use the partial index of models/ledger.
HELD: Final = and_(SyncEntry.state == literal_column("'pending'"), SyncEntry.due_at.is_(None))


def of_people(connection_id: int, addresses: Collection[str]) -> ColumnElement[bool]:
    """Held entries of people with these addresses."""
    return and_(
        SyncEntry.connection_id == connection_id,
        SyncEntry.address.in_(sorted(addresses)),
        entries.OWED_ROWS,
        HELD,
    )


def people_held(session: Session, connection_id: int, addresses: Collection[str]) -> frozenset[str]:
    """Of these addresses, those whose adding is held for review."""
    held = of_people(connection_id, addresses) & (SyncEntry.action == Action.ADD_CONTACT)
    return frozenset(session.scalars(select(SyncEntry.address).where(held)))


def of_domain(domain: str, *, subdomains: bool = False) -> ColumnElement[bool]:
    """Entries of people at this domain."""
    exactly = SyncEntry.address.endswith(f"@{domain}", autoescape=True)
    below = SyncEntry.address.endswith(f".{domain}", autoescape=True)
    return or_(exactly, below) if subdomains else exactly


def some_people(
    session: Session, connection_id: int, *which: ColumnElement[bool], limit: int
) -> list[str]:
    """The people of so many held entries, the oldest first."""
    held = (SyncEntry.connection_id == connection_id, HELD, *which)
    rows = select(SyncEntry.address).where(*held).order_by(SyncEntry.id).limit(limit)
    return list(dict.fromkeys(session.scalars(rows)))


def release(session: Session, connection_id: int, addresses: Collection[str]) -> int:
    """Let these people pass the brake, with all that is held of them; returns how many entries are
    due now."""
    lock_connection(session, connection_id)
    time = now(session)
    mine = of_people(connection_id, addresses)
    return entries.happen(session, Event.RESUMED, mine, due_at=time, released_at=time)


def end(session: Session, connection_id: int, addresses: Collection[str], *, reason: str) -> int:
    """End all that is held of these people; returns how many entries."""
    lock_connection(session, connection_id)
    mine = of_people(connection_id, addresses)
    return entries.happen(session, Event.ABANDONED, mine, reason=reason, settled_at=now(session))


def engage(session: Session, connection_id: int) -> bool:
    """Note that people are held; says whether none were before."""
    free = Connection.braked_at.is_(None)
    begun = update(Connection).where(Connection.id == connection_id, free)
    return change_rows(session, begun.values(braked_at=now(session))) > 0


def log_engaged(connection: Connection, *, people: int) -> None:
    """Tell operators that people are held where none were before."""
    log.warning(
        "people_held",
        extra={
            "company_id": escaped(connection.company_id),
            "connection_id": connection.id,
            "people": people,
        },
    )


def tend(database: Database) -> None:
    """Release what is held in mailboxes that no longer add people, end what is held of skipped
    domains, and clear the notice where nothing is held. One statement while nothing is."""
    with database.read() as session:
        braked = session.execute(
            select(Connection.id, Connection.company_id).where(Connection.braked_at.is_not(None))
        ).all()
    for connection_id, company_id in braked:
        _resume_switched_off(database, connection_id, company_id)
        _end_skipped(database, connection_id, company_id)
        with database.write() as session:
            lock_connection(session, connection_id)
            if session.scalar(
                select(exists().where(SyncEntry.connection_id == connection_id, HELD))
            ):
                continue
            session.execute(
                update(Connection).where(Connection.id == connection_id).values(braked_at=None)
            )
        log.info(
            "people_held_ended",
            extra={"company_id": escaped(company_id), "connection_id": connection_id},
        )


def _resume_switched_off(database: Database, connection_id: int, company_id: str) -> None:
    """What is held in mailboxes that add nobody comes due, and its people's Tasks with it. They are
    not released: if the mailbox adds people again by then, the brake decides anew."""
    with database.read() as session:
        off = session.scalars(
            select(MailboxPolicy.mailbox_id).where(
                MailboxPolicy.company_id == company_id, ~MailboxPolicy.add_contacts
            )
        ).all()
    adding = (SyncEntry.action == Action.ADD_CONTACT, SyncEntry.mailbox_id.in_(off))
    resumed = bool(off)
    while resumed:
        with database.read() as session:
            addresses = some_people(session, connection_id, *adding, limit=CHUNK)
        with database.write() as session:
            lock_connection(session, connection_id)
            mine = of_people(connection_id, addresses)
            resumed = entries.happen(session, Event.RESUMED, mine, due_at=now(session)) > 0


def _end_skipped(database: Database, connection_id: int, company_id: str) -> None:
    """Of the oldest entries held, those of skipped domains and their subdomains end; as long as
    there are any."""
    theirs = [""]
    while theirs:
        with database.read() as session:
            people = some_people(session, connection_id, limit=LOOKED_AT)
            above = {key: parent_domains(domain_of(key)) for key in people}
            domains = sorted({domain for parents in above.values() for domain in parents})
            skipped = set(
                session.scalars(
                    select(SkippedDomain.domain).where(
                        SkippedDomain.company_id == company_id,
                        SkippedDomain.domain.in_(select(listed(session, domains))),
                    )
                )
            )
        theirs = [key for key, parents in above.items() if not skipped.isdisjoint(parents)]
        for start in range(0, len(theirs), CHUNK):
            with database.write() as session:
                some = theirs[start : start + CHUNK]
                end(session, connection_id, some, reason="domain_skipped")


def expire(database: Database, before: datetime) -> None:
    """End what has been held since before this time: nobody reviews it any more."""
    with database.read() as session:
        connections = session.scalars(
            select(Connection.id).where(Connection.braked_at.is_not(None))
        ).all()
    for connection_id in connections:
        ended = 1
        while ended:
            with database.read() as session:
                old = some_people(
                    session, connection_id, SyncEntry.created_at < before, limit=CHUNK
                )
            with database.write() as session:
                ended = end(session, connection_id, old, reason="not_reviewed")
