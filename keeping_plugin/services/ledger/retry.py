"""What a person may do with an entry that failed: try it again, or say how it ended.

Only for the connection that is live. An entry that still carries a mark is looked up before
anything is sent again, unless the person says that it is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from keeping_plugin.errors import InvalidInput, NotFound
from keeping_plugin.models import Connection, Database, EntryState, SyncEntry, now
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.causes import has_cause
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.types import Agent

CHUNK = 500  # rows a transaction


def _failed(session: Session, agent: Agent, entry_id: int) -> SyncEntry:
    """The company's failed entry. Raises NotFound, InvalidInput."""
    entry = session.scalars(
        select(SyncEntry)
        .where(SyncEntry.id == entry_id, SyncEntry.company_id == agent.company_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if entry is None:
        raise NotFound("This entry does not exist.")
    connection = session.get_one(Connection, entry.connection_id)
    if not connection.is_live:
        raise InvalidInput(
            "This belongs to a Salesforce connection that is no longer active. Reconnect to "
            "the same org, then try again."
        )
    if entry.state != EntryState.FAILED:
        raise InvalidInput("This entry has not failed; there is nothing to try again.")
    return entry


def try_again(session: Session, agent: Agent, entry_id: int) -> int:
    """Make a failed entry due; returns its connection, to be rung. Raises NotFound and
    InvalidInput."""
    entry = _failed(session, agent, entry_id)
    entries.happen(session, Event.RETRIED, SyncEntry.id == entry_id, due_at=now(session))
    audit.record_by(session, agent, Audited.ENTRY_RETRIED, connection_id=entry.connection_id)
    return entry.connection_id


def try_all_again(database: Database, agent: Agent, cause: str) -> int | None:
    """The same for every entry of the live connection that has failed for one cause by now, in
    transactions of 500; returns the connection to be rung, None when there was nothing to do."""
    with database.read() as session:
        began = now(session)
        connection_id = session.scalar(
            select(Connection.id).where(
                Connection.company_id == agent.company_id, Connection.current
            )
        )
    if connection_id is None:
        return None
    reopened = 0
    while True:
        with database.write() as session:
            connection = connection_first(session, connection_id)
            chunk = _failed_for(session, connection, cause, began)
            if not chunk:
                return connection_id if reopened else None
            entries.happen(session, Event.RETRIED, SyncEntry.id.in_(chunk), due_at=now(session))
            if not reopened:
                audit.record_by(session, agent, Audited.ENTRY_RETRIED, connection_id=connection_id)
            reopened += len(chunk)


def _failed_for(
    session: Session, connection: Connection | None, cause: str, until: datetime
) -> Sequence[int]:
    """Some entries of the connection that failed for this cause; none unless it is live."""
    if connection is None or not connection.is_live:
        return ()
    return session.scalars(
        select(SyncEntry.id)
        .where(
            SyncEntry.connection_id == connection.id,
            SyncEntry.company_id == connection.company_id,
            SyncEntry.state == EntryState.FAILED,
            has_cause(session, connection.company_id, cause),
            # One that fails again meanwhile is not taken twice.
            or_(SyncEntry.settled_at.is_(None), SyncEntry.settled_at <= until),
        )
        .order_by(SyncEntry.id)
        .limit(CHUNK)
    ).all()


def it_is_there(session: Session, agent: Agent, entry_id: int) -> None:
    """Someone checked and found it in Salesforce. Raises NotFound, InvalidInput."""
    entry = _failed(session, agent, entry_id)
    entries.happen(session, Event.CONFIRMED, SyncEntry.id == entry_id)
    audit.record_by(session, agent, Audited.ENTRY_SETTLED, connection_id=entry.connection_id)


def send_again(session: Session, agent: Agent, entry_id: int) -> int:
    """A person looked and did not find it: it is sent without another look. Returns the connection
    to be rung. Raises NotFound, InvalidInput."""
    entry = _failed(session, agent, entry_id)
    entries.happen(session, Event.SENT_AGAIN, SyncEntry.id == entry_id, due_at=now(session))
    audit.record_by(session, agent, Audited.ENTRY_SETTLED, connection_id=entry.connection_id)
    return entry.connection_id
