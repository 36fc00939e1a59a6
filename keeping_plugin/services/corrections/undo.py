"""The job of an undo: look, mark, delete, write down, in steps of at most 200 records.

A step holds the org's lease, so that no drain logs a Task on a person who is being deleted. An item
is committed as sent before the call that deletes its record leaves: whatever happens then, its
record is looked up before anything else is done.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select, update
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
    ConnectionStatus,
    ItemState,
    UndoItem,
    UndoRun,
    UndoState,
    now,
)
from keeping_plugin.objects import TASK
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.corrections import record_outcome
from keeping_plugin.services.corrections.choice import OPEN, UNDOABLE, leave_chosen
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
from keeping_plugin.times import MARK_AGE, PAUSES, SETTLE, UNDO_CLAIM, UNDO_LEASE_BUSY
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
    run = _claim(runtime, run_id)
    if run is None:
        return
    with runtime.database.write() as session:
        connection = session.get_one(Connection, run.connection_id)
        lease = take_lease(
            runtime, session, org_id=connection.org_id, connection_id=run.connection_id
        )
    if lease is None:
        _give_back(runtime, run, wait=UNDO_LEASE_BUSY)
        return
    noted: Sequence[int] = ()
    try:
        _steps(runtime, run, lease)
    except (SalesforceError, NotReady) as error:  # a look: nothing was sent
        _put_off(runtime, run, error)
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
    _give_back(runtime, run)
    runtime.queue.enqueue("undo", run.id)


def _claim(runtime: Runtime, run_id: int) -> UndoRun | None:
    """The run, if it is due and nobody has it. One whose connection ended is over."""
    with runtime.database.write() as session:
        time = now(session)
        claimed = session.execute(
            update(UndoRun)
            .where(
                UndoRun.id == run_id,
                UndoRun.state.in_(OPEN),
                UndoRun.due_at <= time,
                or_(UndoRun.claimed_until.is_(None), UndoRun.claimed_until < time),
            )
            .values(
                claim=uuid.uuid4().hex,
                claimed_until=time + runtime.times.span(UNDO_CLAIM),
                due_at=time + runtime.times.span(UNDO_CLAIM),
            )
        )
        if not claimed.rowcount:  # type: ignore[attr-defined]
            return None
        run = session.get_one(UndoRun, run_id)
        if _is_over(session.get_one(Connection, run.connection_id), run):
            _end_disconnected(session, run)
            return None
        sent_at = session.scalar(
            select(func.max(UndoItem.sent_at)).where(
                UndoItem.run_id == run_id, UndoItem.state == ItemState.SENT
            )
        )
        look_at = sent_at + runtime.times.span(SETTLE) if sent_at else time
        if look_at > time:  # Salesforce may still be at it
            run.claim = run.claimed_until = None
            run.due_at = look_at
            return None
        return run


def _is_over(connection: Connection, run: UndoRun) -> bool:
    gone = connection.status == ConnectionStatus.DISCONNECTED or not connection.current
    return gone or connection.epoch != run.epoch


def _end_disconnected(session: Session, run: UndoRun) -> None:
    """Nobody can look any more: what was sent stays unclear."""
    leave_chosen(session, run.id, "disconnected")
    session.execute(
        update(UndoItem)
        .where(UndoItem.run_id == run.id, UndoItem.state == ItemState.SENT)
        .values(state=ItemState.LEFT, reason="unclear")
        .execution_options(synchronize_session=False)
    )
    _end(session, run, UndoState.STOPPED, "disconnected")


def _end(session: Session, run: UndoRun, state: UndoState, reason: str = "") -> None:
    run.state, run.reason, run.finished_at = state, reason, now(session)
    run.due_at = run.claim = run.claimed_until = None


def _mine(session: Session, run: UndoRun) -> UndoRun | None:
    """The run, locked, if this job still has it."""
    return session.scalars(
        select(UndoRun)
        .where(UndoRun.id == run.id, UndoRun.claim == run.claim)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _give_back(runtime: Runtime, run: UndoRun, *, wait: float = 0.0, reason: str = "") -> None:
    with runtime.database.write() as session:
        current = _mine(session, run)
        if current is not None:
            current.claim = current.claimed_until = None
            current.due_at = now(session) + runtime.times.span(wait)
            current.reason = reason


def _put_off(runtime: Runtime, run: UndoRun, error: SalesforceError | NotReady) -> None:
    """Salesforce did not answer, or takes nothing for now: later, and later again."""
    with runtime.database.write() as session:
        current = _mine(session, run)
        if current is None:
            return
        wait = PAUSES[min(current.failures, len(PAUSES) - 1)]
        current.failures += 1
        current.claim = current.claimed_until = None
        current.due_at = now(session) + runtime.times.span(wait)
        current.reason = error.code


def _step(work: Work) -> bool:
    """One step; False when nothing more is to be done now."""
    runtime, run = work.runtime, work.run
    with runtime.database.write() as session:
        current = _mine(session, run)
        if current is None or not renew_lease(runtime, session, work.lease):
            return False
        current.claimed_until = current.due_at = now(session) + runtime.times.span(UNDO_CLAIM)
        items = _next(session, current)
        if not items:
            stopping = current.state == UndoState.STOPPING
            _end(session, current, UndoState.STOPPED if stopping else UndoState.DONE)
            return False
    schema = work.schemas.get(items[0].object)
    if schema is None or not (schema.deletable or items[0].state == ItemState.SENT):
        _write(work, {item.entry_id: Verdict("no_right", item.object) for item in items}, items)
        return True
    inspection = _look(work, schema, items)
    evidence = gather(runtime, run, items, inspection)
    verdicts = {
        item.entry_id: judge(
            item.record_id or "", inspection, evidence, sent=item.state == ItemState.SENT
        )
        for item in items
    }
    if current.state == UndoState.STOPPING:  # what was sent and still stands, stays
        verdicts = {
            key: verdict if verdict.left or verdict.gone else Verdict("stopped")
            for key, verdict in verdicts.items()
        }
    failpoints.reach("undo.looked")
    _write(work, verdicts, items)
    going = fitting(verdicts.items(), STEP)
    return not going or _delete(work, verdicts, [i for i in items if i.entry_id in going])


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
    current = _mine(session, run)
    if current is not None:
        current.batch_size = record_outcome.smaller_than(size)


def _next(session: Session, run: UndoRun) -> Sequence[UndoItem]:
    """The items of one look, all of one object: what was sent before anything else, then Tasks,
    then the people they were logged on."""
    rank = case((UndoItem.state == ItemState.SENT, 0), (UndoItem.object == TASK.name, 1), else_=2)
    of_run = UndoItem.run_id == run.id, UndoItem.state.in_((ItemState.CHOSEN, ItemState.SENT))
    first = session.execute(
        select(UndoItem.object, UndoItem.state)
        .where(*of_run)
        .order_by(rank, UndoItem.object, UndoItem.entry_id)
        .limit(1)
    ).one_or_none()
    if first is None:
        return ()
    return session.scalars(
        select(UndoItem)
        .where(*of_run, UndoItem.object == first.object, UndoItem.state == first.state)
        .order_by(UndoItem.entry_id)
        .limit(run.batch_size or STEP)
    ).all()


def _delete(work: Work, verdicts: Mapping[int, Verdict], items: Sequence[UndoItem]) -> bool:
    """Mark, delete, write down. False when the run has to wait or is over."""
    runtime, run = work.runtime, work.run
    ids = [item.entry_id for item in items]
    start_by = _mark(work, ids)
    if start_by is None:
        return False
    failpoints.reach("undo.marked")
    try:
        answers = work.gateway.delete_many(
            [item.record_id or "" for item in items], start_by=start_by
        )
    except OutcomeUnclear:
        _give_back(runtime, run, wait=SETTLE, reason=OutcomeUnclear.code)
        return False
    except CallNotStarted:
        _unmark(work, ids)
        return True
    except NotConnected:
        _unmark(work, ids)
        _give_back(runtime, run)
        return False
    except (SalesforceError, NotReady) as error:
        _unmark(work, ids, smaller=record_outcome.is_for_smaller(error))
        _put_off(runtime, run, error)
        return False
    failpoints.reach("undo.sent")
    outcomes = [
        record_outcome.read(item, answer, alone=len(items) == 1)
        for item, answer in zip(items, answers, strict=True)
    ]
    with runtime.database.write() as session:
        connection = connection_first(session, run.connection_id)
        current = _mine(session, run)
        if connection is None or current is None:
            return False
        current.failures, current.reason = 0, ""
        if any(outcome.smaller for outcome in outcomes):
            current.batch_size = record_outcome.smaller_than(len(items))
        record_outcome.write(session, connection, run, outcomes, verdicts)
        waits = [outcome.wait for outcome in outcomes if outcome.wait]
    failpoints.reach("undo.settled")
    if waits:
        _give_back(runtime, run, wait=max(waits))
        return False
    return True


def _mark(work: Work, ids: Collection[int]) -> float | None:
    """Commit that the call is about to leave; until when it may. None: it may not."""
    runtime, run = work.runtime, work.run
    begin = runtime.clock.monotonic()
    with runtime.database.write() as session:
        connection = connection_first(session, run.connection_id)
        current = _mine(session, run)
        if current is None or connection is None:
            return None
        if _is_over(connection, run):
            _end_disconnected(session, current)
            return None
        if current.state != UndoState.RUNNING:
            current.claim = current.claimed_until = None
            current.due_at = now(session)
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
    session.execute(
        update(UndoItem)
        .where(UndoItem.run_id == run.id, UndoItem.entry_id.in_(sorted(ids)))
        .values(values)
        .execution_options(synchronize_session=False)
    )


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
        if connection is not None and _mine(session, run) is not None:
            record_outcome.write(session, connection, run, outcomes, verdicts)
