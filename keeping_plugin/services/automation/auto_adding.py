"""Whether an automation is about to add a person, so that nobody is asked to do it by hand."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import literal_column, or_, select
from sqlalchemy.orm import Session

from keeping_plugin.models import Connection, ConnectionStatus, EntryState, SyncEntry, now
from keeping_plugin.times import SETTLE
from keeping_plugin.types import Action

# Due later than this it waits for something: a pause, a back-off, another look. What is being sent
# is due again when its outcome may be looked up.
SOON = timedelta(seconds=10)
IN_FLIGHT = timedelta(seconds=SETTLE) + SOON

# Literals, not parameters: only then do both databases use the partial index of models/ledger.
_ON_ITS_WAY = SyncEntry.state.in_(
    [literal_column(f"'{state}'") for state in (EntryState.PENDING, EntryState.SENDING)]
)


def is_being_added(session: Session, connection_id: int, address: str) -> bool:
    """Whether a Contact with this address (`addresses.address_key`) is owed and may be made at any
    moment. Not while the connection is lost or pauses: that may take hours, and an agent need not
    wait for it. Who adds the person all the same doubles nobody (services/claims)."""
    time = now(session)
    found = session.execute(
        select(Connection.status, Connection.paused_until)
        .join(SyncEntry, SyncEntry.connection_id == Connection.id)
        .where(
            SyncEntry.connection_id == connection_id,
            SyncEntry.address == address,
            SyncEntry.action == Action.ADD_CONTACT,
            _ON_ITS_WAY,
            or_(
                SyncEntry.due_at <= time + SOON,
                (SyncEntry.state == EntryState.SENDING) & (SyncEntry.due_at <= time + IN_FLIGHT),
            ),
        )
        .limit(1)
    ).one_or_none()
    if found is None or found.status != ConnectionStatus.LIVE:
        return False
    return found.paused_until is None or found.paused_until <= time
