"""Batches that outlived their lease: whoever worked on them stands still, or is dead.

Nothing says which, and a message that makes every worker stand still must not do so for ever. So
such a batch counts like any other that ended without outcomes (`settle.shrink`): the same rows
travel in tens, then alone, and one that stops three workers alone has failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.models import Connection, EntryState, SyncEntry
from keeping_plugin.services.delivery.batch import Batch
from keeping_plugin.services.delivery.settle import retry_in_smaller_batch
from keeping_plugin.times import Times


def count_outlived(
    session: Session,
    connection: Connection,
    claims: Sequence[str],
    time: datetime,
    times: Times,
) -> None:
    """Count these claims, which ended with nobody giving their rows back.

    A batch in which something was marked had read its messages by then: what came after is looked
    up. Only a message that travels alone already is counted as an attempt, so that a worker killed
    by a deploy counts for little.
    """
    rows = session.scalars(
        select(SyncEntry).where(
            SyncEntry.connection_id == connection.id,
            SyncEntry.state.in_((EntryState.PENDING, EntryState.SENDING, EntryState.WAITING)),
            SyncEntry.claim.in_(claims),
        )
    ).all()
    for claim in claims:
        mine = [row for row in rows if row.claim == claim]
        if not mine or any(row.sent_at is not None for row in mine):
            continue
        batch = Batch(claim, connection, time, mine)
        counts = all(row.batch_size == 1 for row in mine)
        retry_in_smaller_batch(session, batch, batch.row_ids, times=times, counts=counts)
