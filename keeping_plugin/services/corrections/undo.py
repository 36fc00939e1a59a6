"""The job of an undo: look, mark, delete, write down, in steps of at most 200 records.

A step holds the org's lease, so that no drain logs a Task on a person who is being deleted. An item
is committed as sent before the call that deletes its record leaves: whatever happens then, its
record is looked up before anything else is done.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from keeping_plugin import failpoints
from keeping_plugin.errors import (
    CallNotStarted,
    NotConnected,
    NotReady,
    OutcomeUnclear,
    SalesforceError,
)
from keeping_plugin.models import (
    Connection,
    ItemState,
    UndoItem,
    UndoRun,
    UndoState,
    change_rows,
    now,
)
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.corrections import items, record_outcome, run_claim
from keeping_plugin.services.corrections.choice import UNDOABLE
from keeping_plugin.services.corrections.evidence import gather
from keeping_plugin.services.corrections.judge import (
    Verdict,
    fitting,
    judge,
    worth_asking,
)
from keeping_plugin.services.ledger.lease import Lease, release_lease, renew_lease, take_lease
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import MARK_AGE, SETTLE, UNDO_LEASE_BUSY
from keeping_plugin.types import Inspection, ObjectSchema

STEP = 200  # records
STEPS_A_JOB = 5


@dataclass(slots=True)
class Work:
    """One job's turn at a run."""

    runtime: Runtime
    run: UndoRun
    lease: Lease
    gateway: SalesforceGateway
    schemas: Mapping[str, ObjectSchema]


def advance(runtime: Runtime, run_id: int) -> None:
    """Take a run some steps further; the sweep calls again while it is due."""
    runtime.observe_clock()
    run = run_claim.claim(runtime, run_id)
    if run is None or not items.go_on(runtime, run):
        return
    with runtime.database.write() as session:
        connection = session.get_one(Connection, run.connection_id)
        lease = take_lease(
            runtime, session, org_id=connection.org_id, connection_id=run.connection_id
        )
    if lease is None:
        run_claim.give_back(runtime, run, wait=UNDO_LEASE_BUSY)
        return
    noted: Sequence[int] = ()
    try:
        _steps(runtime, run, lease)
    except (SalesforceError, NotReady) as error:  # a look: nothing was sent
        run_claim.put_off(runtime, run, error)
    finally:
        with runtime.database.write() as session:
            noted = release_lease(session, lease)
        runtime.queue.ring(noted)


def _steps(runtime: Runtime, run: UndoRun, lease: Lease) -> None:
    with runtime.gateway(run.connection_id, Feature.UNDO) as gateway:
        described = gateway.describe([row.name for row in UNDOABLE])
        schemas = {each.object: each.schema for each in described if each.schema is not None}
        work = Work(runtime, run, lease, gateway, schemas)
        for _ in range(STEPS_A_JOB):
            if runtime.stopping.is_set():
                break
            if not _step(work):
                return
    run_claim.give_back(runtime, run)
    runtime.queue.enqueue("undo", run.id)


def _step(work: Work) -> bool:
    """One step; False when nothing more is to be done now."""
    runtime, run = work.runtime, work.run
    with runtime.database.write() as session:
        current = run_claim.mine(session, run)
        if current is None or not renew_lease(runtime, session, work.lease):
            return False
        run_claim.renew(runtime, session, current)
        chosen = items.following(session, current, limit=current.batch_size or STEP)
        if not chosen:
            stopping = current.state == UndoState.STOPPING
            run_claim.end(session, current, UndoState.STOPPED if stopping else UndoState.DONE)
            return False
    schema = work.schemas.get(chosen[0].object)
    if schema is None or not (schema.deletable or chosen[0].state == ItemState.SENT):
        _write(work, {item.entry_id: Verdict("no_right", item.object) for item in chosen}, chosen)
        return True
    inspection = _look(work, schema, chosen)
    evidence = gather(runtime, run, chosen, inspection)
    verdicts = {
        item.entry_id: judge(
            item.record_id or "", inspection, evidence, sent=item.state == ItemState.SENT
        )
        for item in chosen
    }
    if current.state == UndoState.STOPPING:  # what was sent and still stands, stays
        verdicts = {
            key: verdict if verdict.left or verdict.gone else Verdict("stopped")
            for key, verdict in verdicts.items()
        }
    failpoints.reach("undo.looked")
    _write(work, verdicts, chosen)
    going = fitting(verdicts.items(), STEP)
    return not going or _delete(work, verdicts, [i for i in chosen if i.entry_id in going])


def _look(work: Work, schema: ObjectSchema, items: Sequence[UndoItem]) -> Inspection:
    """Raises what `inspect` raises; after a look that was too slow, the next one is smaller."""
    try:
        return work.gateway.inspect(
            schema.name,
            [item.record_id or "" for item in items],
            worth_asking(schema),
            start_by=work.lease.start_by(work.runtime),
        )
    except SalesforceError as error:
        if error.timed_out or isinstance(error, CallNotStarted):
            with work.runtime.database.write() as session:
                _shrink(session, work.run, len(items))
        raise


def _shrink(session: Session, run: UndoRun, size: int) -> None:
    """Let the run's next steps be smaller than this one."""
    current = run_claim.mine(session, run)
    if current is not None:
        current.batch_size = record_outcome.smaller_than(size)


def _delete(work: Work, verdicts: Mapping[int, Verdict], going: Sequence[UndoItem]) -> bool:
    """Mark, delete, write down. False when the run has to wait or is over."""
    runtime, run = work.runtime, work.run
    ids = [item.entry_id for item in going]
    start_by = _mark(work, ids)
    if start_by is None:
        return items.go_on(runtime, run)
    failpoints.reach("undo.marked")
    try:
        answers = work.gateway.delete_many(
            [item.record_id or "" for item in going], start_by=start_by
        )
    except OutcomeUnclear:
        run_claim.give_back(runtime, run, wait=SETTLE, reason=OutcomeUnclear.code)
        return False
    except CallNotStarted:
        _unmark(work, ids)
        return True
    except NotConnected:
        _unmark(work, ids)
        run_claim.give_back(runtime, run)
        return False
    except (SalesforceError, NotReady) as error:
        _unmark(work, ids, smaller=record_outcome.is_for_smaller(error))
        run_claim.put_off(runtime, run, error)
        return False
    failpoints.reach("undo.sent")
    outcomes = [
        record_outcome.read(item, answer, alone=len(going) == 1)
        for item, answer in zip(going, answers, strict=True)
    ]
    with runtime.database.write() as session:
        connection = connection_first(session, run.connection_id)
        current = run_claim.mine(session, run)
        if connection is None or current is None:
            return False
        current.failures, current.reason = 0, ""
        if any(outcome.smaller for outcome in outcomes):
            current.batch_size = record_outcome.smaller_than(len(going))
        record_outcome.write(session, connection, run, outcomes, verdicts)
        waits = [outcome.wait for outcome in outcomes if outcome.wait]
    failpoints.reach("undo.settled")
    if waits:
        run_claim.give_back(runtime, run, wait=max(waits))
        return False
    return True


def _mark(work: Work, ids: Collection[int]) -> float | None:
    """Commit that the call is about to leave; until when it may. None: it may not."""
    runtime, run = work.runtime, work.run
    begin = runtime.clock.monotonic()
    with runtime.database.write() as session:
        connection = connection_first(session, run.connection_id)
        current = run_claim.mine(session, run)
        if current is None or connection is None or run_claim.is_over(connection, run):
            return None
        if current.state != UndoState.RUNNING:  # an admin has stopped it
            return None
        _set(session, run, ids, state=ItemState.SENT, sent_at=now(session))
    return min(work.lease.start_by(runtime), begin + runtime.times.seconds(MARK_AGE))


def _unmark(work: Work, ids: Collection[int], *, smaller: bool = False) -> None:
    """Nothing was deleted."""
    with work.runtime.database.write() as session:
        _set(session, work.run, ids, state=ItemState.CHOSEN, sent_at=None)
        if smaller:
            _shrink(session, work.run, len(ids))


def _set(
    session: Session, run: UndoRun, ids: Collection[int], **values: datetime | str | None
) -> None:
    mine = update(UndoItem).where(UndoItem.run_id == run.id, UndoItem.entry_id.in_(sorted(ids)))
    change_rows(session, mine.values(values))


def _write(work: Work, verdicts: Mapping[int, Verdict], items: Sequence[UndoItem]) -> None:
    """Write down what is left, and what an earlier call has deleted."""
    outcomes = [
        record_outcome.of_verdict(item, verdict)
        for item in items
        if (verdict := verdicts[item.entry_id]).left or verdict.gone
    ]
    if not outcomes:
        return
    run = work.run
    with work.runtime.database.write() as session:
        connection = connection_first(session, run.connection_id)
        if connection is not None and run_claim.mine(session, run) is not None:
            record_outcome.write(session, connection, run, outcomes, verdicts)
