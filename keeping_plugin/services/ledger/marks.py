"""Mark: commit that a call is about to leave, before it leaves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from keeping_plugin.models import Connection, now
from keeping_plugin.services.ledger import claims, entries
from keeping_plugin.services.ledger.batch import Batch
from keeping_plugin.services.ledger.lease import Lease, renew_lease
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import LEASE, MARK_AGE, SETTLE
from keeping_plugin.types import Action


@dataclass(frozen=True, slots=True)
class Marked:
    """Rows whose call may leave until `start_by` (monotonic) and not a moment later. `lost` are
    addresses that somebody else has claimed meanwhile: nobody is added with them."""

    row_ids: frozenset[int]
    lost: frozenset[str]
    sent_at: datetime
    start_by: float


def mark(
    runtime: Runtime,
    lease: Lease,
    batch: Batch,
    row_ids: Collection[int],
    *,
    server_date: datetime,
    addresses: Collection[str] = (),
) -> Marked | None:
    """None when nothing may be sent any more: disconnected, lost, another epoch, the lease gone.

    Reads the connection FOR SHARE: a disconnect, which updates that row first, is either before
    this mark (and nothing leaves) or after it (and finds the rows `sending`).
    """
    before = runtime.clock.monotonic()
    with runtime.database.write() as session:
        connection = session.scalars(
            select(Connection)
            .where(Connection.id == batch.connection.id)
            .with_for_update(read=True)
        ).one()
        unchanged = (
            connection.is_live
            and connection.epoch == batch.connection.epoch
            and connection.user_id == batch.connection.user_id
        )
        if not unchanged or not renew_lease(runtime, session, lease):
            return None
        time = now(session)
        # Should the org's field have changed since the Tasks were made, it protects none of them.
        kept = connection.activity_key_field == batch.connection.activity_key_field
        key_field = (connection.activity_key_field if kept else None) or ""
        held = claims.mark(
            session,
            org_id=lease.org_id,
            addresses=addresses,
            owner=batch.token,
            at=time,
            times=runtime.times,
        )
        lost = frozenset(addresses) - held
        going = frozenset(row_ids) - {
            row.id for row in batch.rows if row.action == Action.ADD_CONTACT and row.address in lost
        }
        marked = entries.mark(
            session,
            going,
            batch.token,
            connection,
            at=time,
            server_date=server_date,
            key_field=key_field,
            due_at=time + runtime.times.span(SETTLE),
            claimed_until=time + runtime.times.span(LEASE),
        )
    start_by = min(before + runtime.times.seconds(MARK_AGE), lease.start_by(runtime))
    return Marked(frozenset(marked), lost, time, start_by)
