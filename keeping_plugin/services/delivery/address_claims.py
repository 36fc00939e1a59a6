"""The addresses of a batch of which it might create the Contact, claimed before the look."""

from __future__ import annotations

from keeping_plugin.models import EntryState, SyncEntry
from keeping_plugin.services.delivery.batch import Batch
from keeping_plugin.services.delivery.plan import Outcome
from keeping_plugin.services.delivery.settle import settle
from keeping_plugin.services.ledger import claims
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import CLAIM_BUSY
from keeping_plugin.types import Action


def put_off(row: SyncEntry) -> Outcome:
    """As it was, until the person has been added by somebody else."""
    return Outcome(
        EntryState(row.state), "address_busy", CLAIM_BUSY, marked=row.sent_at is not None
    )


def claim_addresses(runtime: Runtime, batch: Batch) -> list[SyncEntry]:
    """The rows that may go on. Those of addresses that somebody else holds come due again in 5 s,
    Tasks too."""
    wanted = {row.address for row in batch.rows if row.action == Action.ADD_CONTACT}
    if not wanted:
        return list(batch.rows)
    with runtime.database.write() as session:
        held = claims.take(
            session,
            org_id=batch.connection.org_id,
            addresses=wanted,
            owner=batch.token,
            times=runtime.times,
        )
    busy = wanted - held
    waiting = {row.id: put_off(row) for row in batch.rows if row.address in busy}
    if waiting:
        with runtime.database.write() as session:
            settle(session, batch, waiting, times=runtime.times)
    return [row for row in batch.rows if row.address not in busy]
