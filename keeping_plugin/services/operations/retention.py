"""What the sweep clears away once an hour: finished entries, what has waited or been held too
long, old facts and audit rows, expired logins and claims.

A Decision's row outlives its facts, because it is what makes a message delivered again do nothing:
retention never leads to a second Task.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, literal_column, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from keeping_plugin.models import (
    AddressClaim,
    AgentUser,
    ApiUse,
    Connection,
    Database,
    Decision,
    DomainAccount,
    EntryState,
    KnownAddress,
    MadeRecord,
    OAuthAttempt,
    PanelCard,
    Repair,
    Search,
    SyncEntry,
    UndoRun,
    change_rows,
    now,
)
from keeping_plugin.services import audit
from keeping_plugin.services.connection.connect import forget_unconfirmed
from keeping_plugin.services.corrections import items
from keeping_plugin.services.ledger import entries, events, holding
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.services.ledger.waiting import expire
from keeping_plugin.services.people import owners
from keeping_plugin.times import DAY, HOUR, WAIT_LIMIT, Times

CHUNK = 500  # rows a transaction
CARD_DAYS = 30  # the last known card of an address nobody opened since

# The first two conditions are those of the index of models/ledger, letter for letter.
_WAITS = and_(
    SyncEntry.state.in_(
        [literal_column(f"'{each}'") for each in ("pending", "sending", "waiting")]
    ),
    SyncEntry.due_at.is_not(None),
    SyncEntry.state == EntryState.WAITING,
)


def run_retention(database: Database, times: Times, *, keep_days: int) -> None:
    """Clear away what is older than it needs to be. Safe to run in several processes at once."""
    forget_unconfirmed(database, times)
    _end_waiting(database, times)
    with database.read() as session:
        time = now(session)
    old = time - timedelta(days=keep_days)
    holding.expire(database, old)
    finished = (SyncEntry.settled_at < old) & SyncEntry.state.in_(events.FINAL)
    _in_chunks(database, lambda session: entries.remove(session, _some(SyncEntry.id, finished)))
    searched = _some(Search.id, Search.at < time - times.span(2 * DAY))
    _in_chunks(database, lambda session: change_rows(session, delete(Search).where(searched)))
    told = _some(Decision.id, (Decision.decided_at < old) & Decision.facts.is_not(None))
    forget = update(Decision).where(told).values(facts=None)
    _in_chunks(database, lambda session: change_rows(session, forget))
    _in_chunks(database, lambda session: audit.delete_before(session, old, limit=CHUNK))
    _delete_undos(database, old)
    with database.write() as session:
        session.execute(delete(OAuthAttempt).where(OAuthAttempt.expires_at < time))
        session.execute(delete(ApiUse).where(ApiUse.day < f"{old:%Y-%m-%d}"))
        expired = AddressClaim.until < time - times.span(HOUR)
        # Whoever takes such a claim just now has it.
        free = select(AddressClaim.org_id, AddressClaim.address).where(expired)
        for org_id, address in session.execute(
            free.with_for_update(skip_locked=True, key_share=True)
        ).all():
            session.execute(
                delete(AddressClaim).where(
                    AddressClaim.org_id == org_id, AddressClaim.address == address
                )
            )
        session.execute(delete(KnownAddress).where(KnownAddress.known_at < time - times.span(DAY)))
        session.execute(delete(DomainAccount).where(DomainAccount.told_at < time - times.span(DAY)))
        session.execute(
            delete(PanelCard).where(PanelCard.seen_at < time - timedelta(days=CARD_DAYS))
        )
        session.execute(delete(AgentUser).where(AgentUser.seen_at < old))
        session.execute(delete(MadeRecord).where(MadeRecord.sent_at < old))
        owners.clear_old(session, times)


def _end_waiting(database: Database, times: Times) -> None:
    """Nothing waits longer than 14 days for a Contact, also where nothing is looked for: while the
    connection is lost, or pauses."""
    with database.read() as session:
        waits = exists().where(
            SyncEntry.connection_id == Connection.id,
            _WAITS,
            SyncEntry.waiting_since <= now(session) - times.span(WAIT_LIMIT),
        )
        connections = session.scalars(select(Connection.id).where(waits)).all()
    for connection_id in connections:
        with database.write() as session:
            connection_first(session, connection_id)
            expire(session, connection_id, now(session), times)


def _in_chunks(database: Database, clear: Callable[[Session], int]) -> None:
    """Clear in transactions of their own, until one finds fewer than a chunk."""
    while True:
        with database.write() as session:
            if clear(session) < CHUNK:
                return


def _some(key: InstrumentedAttribute[int], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A chunk of the rows that nobody else works on."""
    some = select(key).where(condition).limit(CHUNK)
    return key.in_(some.with_for_update(skip_locked=True, key_share=True))


def _delete_undos(database: Database, old: datetime) -> None:
    """Runs that ended long ago, with what they left, and repairs that can no longer be taken back.
    Whom automation adds no more stays."""
    with database.read() as session:
        runs = session.scalars(select(UndoRun.id).where(UndoRun.finished_at < old)).all()
    for run_id in runs:
        items.remove(database, run_id)
    with database.write() as session:
        session.execute(delete(Repair).where(Repair.at < old))
