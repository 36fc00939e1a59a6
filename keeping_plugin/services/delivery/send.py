"""Send: marked rows leave in one composite; every row comes back with an outcome of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keeping_plugin import failpoints
from keeping_plugin.errors import CallNotStarted, ConnectionLost, NotConnected, SalesforceError
from keeping_plugin.models import SyncEntry
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services import claims
from keeping_plugin.services.delivery import pauses
from keeping_plugin.services.delivery.claim import Batch
from keeping_plugin.services.delivery.lease import Lease
from keeping_plugin.services.delivery.mark import mark
from keeping_plugin.services.delivery.outcomes import read
from keeping_plugin.services.delivery.parts import Delivery
from keeping_plugin.services.delivery.plan import Outcome
from keeping_plugin.services.delivery.settle import let_go, shrink
from keeping_plugin.types import Action, NewRecord, Saved

MARKS = 3  # a call that could not start in time is marked anew so often


@dataclass(frozen=True, slots=True)
class Send:
    """One row on its way: `contact_id` is whom its Task is logged on."""

    row: SyncEntry
    record: NewRecord
    contact_id: str | None = None
    candidates: int = 0


def send(
    parts: Delivery,
    gateway: SalesforceGateway,
    lease: Lease,
    batch: Batch,
    sends: Sequence[Send],
) -> Mapping[int, Outcome] | None:
    """Mark, then send. None when the call ended without row outcomes or may not be made: then the
    rows have been given back, and the batch is over."""
    for _ in range(MARKS):
        marked = mark(
            parts,
            lease,
            batch,
            [each.row.id for each in sends],
            server_date=gateway.server_date or batch.began_at,
            addresses={e.row.address for e in sends if e.row.action == Action.ADD_CONTACT},
        )
        if marked is None:
            _over(parts, batch, sends, None)
            return None
        failpoints.reach("drain.marked")
        going = [each for each in sends if each.row.id in marked.row_ids]
        if not going:
            return {}
        try:
            answers = gateway.create_many([each.record for each in going], start_by=marked.start_by)
        except CallNotStarted:
            continue
        except SalesforceError as error:
            _over(parts, batch, going, error)
            return None
        failpoints.reach("drain.sent")
        return _outcomes(batch, going, answers)
    _over(parts, batch, sends, CallNotStarted())
    return None


def _outcomes(
    batch: Batch, sends: Sequence[Send], answers: Sequence[Saved | SalesforceError]
) -> dict[int, Outcome]:
    outcomes = {}
    for each, answer in zip(sends, answers, strict=True):
        outcome = read(
            each.row,
            answer,
            key_field=batch.connection.activity_key_field,
            contact_id=each.contact_id,
            candidates=each.candidates,
        )
        outcomes[each.row.id] = outcome
    return outcomes


def _over(
    parts: Delivery, batch: Batch, sends: Sequence[Send], error: SalesforceError | None
) -> None:
    """The whole call was refused, or its outcome is unclear."""
    row_ids = [each.row.id for each in sends]
    with parts.database.write() as session:
        unclear = error is not None and error.code == "outcome_unclear"
        if error is None:
            # Disconnected or overtaken before the mark: whatever stands, stands.
            let_go(session, batch, row_ids, unmark=False)
        elif isinstance(error, ConnectionLost | NotConnected | CallNotStarted):
            let_go(session, batch, row_ids, unmark=True)
        elif pauses.refused(session, batch.connection.id, error, parts.times):
            let_go(session, batch, row_ids, unmark=not unclear)
        else:
            shrink(session, batch, row_ids, times=parts.times, unmark=not unclear)
        adding = {each.row.address for each in sends if each.row.action == Action.ADD_CONTACT}
        org_id = batch.connection.org_id
        if unclear:
            claims.keep(
                session, org_id=org_id, addresses=adding, owner=batch.token, times=parts.times
            )
        else:
            claims.release(session, org_id=org_id, addresses=adding, owner=batch.token)
