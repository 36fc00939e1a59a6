"""What the brake holds for review, by domain, and an admin's word on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from keeping_plugin.addresses import domain_of
from keeping_plugin.errors import InvalidInput
from keeping_plugin.mail import domains
from keeping_plugin.models import Database, SyncEntry
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.automation import skip_list
from keeping_plugin.services.connection import connect
from keeping_plugin.services.ledger import holding
from keeping_plugin.services.ledger.holding import HELD
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.types import Action, Agent

# Entries that are looked at together, and decided by one press of a button.
MAX_LISTED: Final = 10_000
EXAMPLES: Final = 3  # people of a domain
SHOWN: Final = 100  # domains of a page


@dataclass(frozen=True, slots=True)
class HeldPerson:
    """Somebody who is held, and the message that would add them."""

    address: str
    mailbox_id: str
    conversation_id: str


@dataclass(frozen=True, slots=True)
class HeldDomain:
    """The people of one domain. `tasks` are messages that are logged once they are added."""

    domain: str
    people: int
    tasks: int
    since: datetime
    mailboxes: Sequence[tuple[str, int]]  # ids, with the number of people
    examples: Sequence[HeldPerson]

    @property
    def may_be_skipped(self) -> bool:
        """Not a provider of personal mail, whose customers would all be skipped."""
        return domains.may_be_a_company(self.domain)


@dataclass(frozen=True, slots=True)
class HeldList:
    """All that is held, the most people first; `more` when it is more than 10,000 entries, of which
    the oldest are listed. `last` is the newest entry listed: what came later was not looked at."""

    domains: Sequence[HeldDomain]
    last: int
    more: bool

    @property
    def people(self) -> int:
        return sum(each.people for each in self.domains)

    @property
    def tasks(self) -> int:
        return sum(each.tasks for each in self.domains)


def people_held(session: Session, connection_id: int) -> int:
    """How many people are held, 10,000 at most: one statement."""
    some = (
        select(SyncEntry.address)
        .where(
            SyncEntry.connection_id == connection_id, HELD, SyncEntry.action == Action.ADD_CONTACT
        )
        .limit(MAX_LISTED)
        .subquery()
    )
    return session.scalar(select(func.count(some.c.address.distinct()))) or 0


def listed(session: Session, connection_id: int) -> HeldList:
    """Everything held for a connection: one statement."""
    rows = session.execute(
        select(
            SyncEntry.id,
            SyncEntry.address,
            SyncEntry.action,
            SyncEntry.mailbox_id,
            SyncEntry.conversation_id,
            SyncEntry.created_at,
        )
        .where(SyncEntry.connection_id == connection_id, HELD)
        .order_by(SyncEntry.id)
        .limit(MAX_LISTED + 1)
    ).all()
    people: dict[str, dict[str, HeldPerson]] = {}
    tasks: Counter[str] = Counter()
    since: dict[str, datetime] = {}
    for row in rows[:MAX_LISTED]:
        domain = domain_of(row.address)
        since.setdefault(domain, row.created_at)
        if row.action == Action.ADD_CONTACT:
            person = HeldPerson(row.address, row.mailbox_id, row.conversation_id)
            people.setdefault(domain, {}).setdefault(row.address, person)
        else:
            tasks[domain] += 1
    found = [
        HeldDomain(
            domain,
            len(theirs),
            tasks[domain],
            at,
            Counter(person.mailbox_id for person in theirs.values()).most_common(),
            list(theirs.values())[:EXAMPLES],
        )
        for domain, at in since.items()
        for theirs in (people.get(domain, {}),)
    ]
    last = rows[:MAX_LISTED][-1].id if rows else 0
    found.sort(key=lambda each: (-each.people, -each.tasks, each.domain))
    return HeldList(found, last, len(rows) > MAX_LISTED)


def add(database: Database, agent: Agent, *, domain: str | None, until: int) -> int | None:
    """Let the held people of a domain, or all, be added, as far as they were held up to this entry;
    returns the connection to be rung, None when there was nothing left. Raises InvalidInput without
    a connection."""
    connection_id = _live(database, agent)
    which = [SyncEntry.id <= until, *([] if domain is None else [holding.of_domain(domain)])]
    added = 0
    for people in _people(database, connection_id, *which):
        with database.write() as session:
            _still_live(session, connection_id)
            released = holding.release(session, connection_id, people)
            if released and not added:
                audit.record_by(session, agent, Audited.HELD_ADDED, connection_id=connection_id)
            added += released
    return connection_id if added else None


def skip(database: Database, agent: Agent, *, domain: str) -> bool:
    """Put a domain on the skip list, and end what is held of it and its subdomains, 10,000 entries
    at once and the others within minutes (`holding.tend`); says whether anything was. Raises
    InvalidInput for a provider's, and as `skip_list.add`."""
    if not domains.may_be_a_company(domain):
        raise InvalidInput("A provider of personal mail cannot be skipped here.")
    connection_id = _live(database, agent)
    with database.write() as session:
        skip_list.add(session, agent, [domain])
        audit.record_by(session, agent, Audited.HELD_SKIPPED, connection_id=connection_id)
    which = holding.of_domain(domain, subdomains=True)
    ended = 0
    for people in _people(database, connection_id, which):
        with database.write() as session:
            ended += holding.end(session, connection_id, people, reason="domain_skipped")
    return ended > 0


def _people(
    database: Database, connection_id: int, *which: ColumnElement[bool]
) -> Iterator[Sequence[str]]:
    """The people of up to 10,000 held entries, the oldest first, in chunks for a transaction."""
    with database.read() as session:
        found = holding.some_people(session, connection_id, *which, limit=MAX_LISTED)
    for start in range(0, len(found), holding.CHUNK):
        yield found[start : start + holding.CHUNK]


def _live(database: Database, agent: Agent) -> int:
    with database.read() as session:
        connection = connect.current(session, agent.company_id)
    if connection is None:
        raise InvalidInput(_NOT_LIVE)
    return connection.id


_NOT_LIVE: Final = "Salesforce is not connected, so nothing is held any more."


def _still_live(session: Session, connection_id: int) -> None:
    connection = connection_first(session, connection_id)
    if connection is None or not connection.current:
        raise InvalidInput(_NOT_LIVE)
