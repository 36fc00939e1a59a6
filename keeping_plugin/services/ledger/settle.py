"""Settle: write each row's outcome, if the claim is still ours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from keeping_plugin.models import EntryState, SyncEntry, now
from keeping_plugin.services.ledger import entries, waiting
from keeping_plugin.services.ledger.batch import Batch
from keeping_plugin.services.ledger.locking import lock_connection
from keeping_plugin.services.ledger.outcome import Outcome, held
from keeping_plugin.times import SETTLE, Times
from keeping_plugin.types import Action


def settle(
    session: Session,
    batch: Batch,
    outcomes: Mapping[int, Outcome],
    *,
    times: Times,
    known: Collection[str] = (),
) -> int:
    """Write outcomes and let go of these rows; returns how many waiting Tasks were released.

    `known` are addresses of which a Contact was found or made: their waiting Tasks come due in
    this very commit.
    """
    lock_connection(session, batch.connection.id)
    time = now(session)
    rows = {row.id: row for row in batch.rows if row.id in outcomes}
    outcomes = _keep_in_step(session, batch, rows, dict(outcomes), time, times)
    entries.settle(session, rows, outcomes, batch.token, time=time, times=times)
    return waiting.contact_appeared(session, batch.connection.id, known) if known else 0


def _keep_in_step(
    session: Session,
    batch: Batch,
    rows: Mapping[int, SyncEntry],
    outcomes: dict[int, Outcome],
    time: datetime,
    times: Times,
) -> dict[int, Outcome]:
    """A Task does not go to wait while news of its Contact is on its way, and nothing is held then.

    Either the address became known after our find began (somebody else's commit), or an
    ADD_CONTACT for the same address is still to be settled: then the Task gets its due time, or
    none if that one is held.
    """
    waits = {
        row_id
        for row_id, outcome in outcomes.items()
        if outcome.state == EntryState.WAITING or outcome.held
    }
    addresses = {rows[row_id].address for row_id in waits}
    if not addresses:
        return outcomes
    fresh = waiting.known_since(session, batch.connection.id, addresses, batch.began_at)
    settled_here = [row_id for row_id, row in rows.items() if row.action == Action.ADD_CONTACT]
    adding = {
        row.address: row.due_at
        for row in session.execute(
            select(SyncEntry.address, func.min(SyncEntry.due_at).label("due_at"))
            .where(
                SyncEntry.connection_id == batch.connection.id,
                entries.OWED_ROWS,
                SyncEntry.address.in_(sorted(addresses)),
                SyncEntry.action == Action.ADD_CONTACT,
                SyncEntry.state.in_((EntryState.PENDING, EntryState.SENDING)),
                SyncEntry.id.not_in(settled_here),
            )
            .group_by(SyncEntry.address)
        )
    }
    unsettled = (EntryState.PENDING, EntryState.SENDING)
    here = {
        rows[row_id].address: outcome.wait if outcome.wait is not None else SETTLE
        for row_id, outcome in outcomes.items()
        if rows[row_id].action == Action.ADD_CONTACT
        and outcome.state in unsettled
        and not outcome.held
    }
    for row_id in waits:
        address = rows[row_id].address
        if address in fresh:
            outcomes[row_id] = Outcome(EntryState.PENDING, "", 0.0)
        elif outcomes[row_id].held:
            continue
        elif address in here:
            outcomes[row_id] = Outcome(EntryState.PENDING, "contact_first", here[address])
        elif address in adding and adding[address] is None:
            # One that may have been sent is looked for all the same.
            if rows[row_id].sent_at is None:
                outcomes[row_id] = held()
        elif address in adding:
            left: timedelta = (adding[address] or time) - time
            unscaled = max(0.0, left.total_seconds()) / times.scale
            outcomes[row_id] = Outcome(EntryState.PENDING, "contact_first", unscaled)
    return outcomes
