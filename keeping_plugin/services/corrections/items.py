"""The items of an undo run: filled in from the entries, left and deleted in chunks.

A domain or an import may be several hundred thousand entries. Each transaction writes 500 rows at
most, so that a host that stores mail on SQLite waits for no more than one of them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Select, case, delete, insert, literal, null, select, update
from sqlalchemy.orm import Session

from keeping_plugin.models import (
    Connection,
    Database,
    ItemState,
    SyncEntry,
    UndoItem,
    UndoRun,
    UndoState,
    change_rows,
)
from keeping_plugin.objects import TASK
from keeping_plugin.services.corrections import run_claim
from keeping_plugin.services.corrections.choice import OBJECT, By, Choice, undoable
from keeping_plugin.services.runtime import Runtime

CHUNK: Final = 500  # rows a transaction
CHUNKS_A_JOB: Final = 200
_MAKE_WAY: Final = 0.005  # seconds between two transactions, in which SQLite lets the host in


def find(session: Session, run: UndoRun) -> Sequence[int]:
    """The next chunk of entries that the run has chosen, in the order of their ids; what was made
    after it was started is not among them."""
    query = chosen(run).where(SyncEntry.settled_at <= run.started_at)
    return session.scalars(query.order_by(SyncEntry.id).limit(CHUNK)).all()


def chosen(run: UndoRun) -> Select[int]:
    """The entries that the run has chosen, behind those that were added."""
    which = Choice(By(run.chosen_by), run.value).chosen()
    return select(SyncEntry.id).where(
        undoable(run.connection_id), which, SyncEntry.id > (run.filled_to or 0)
    )


def add(session: Session, run: UndoRun, entry_ids: Sequence[int]) -> None:
    """Add these entries to the run, but for what was undone meanwhile. `run.filled_to` is None when
    all have been added."""
    unknown = SyncEntry.record_id.is_(None)
    items = select(
        literal(run.id),
        SyncEntry.id,
        OBJECT,
        SyncEntry.record_id,
        SyncEntry.address,
        case((unknown, literal(ItemState.LEFT)), else_=literal(ItemState.CHOSEN)),
        case((unknown, literal("no_id")), else_=literal("")),
        literal(""),
        literal(0),
        null(),
    ).where(SyncEntry.id.in_(entry_ids), undoable(run.connection_id))
    columns = [column.key for column in UndoItem.__table__.columns]
    session.execute(insert(UndoItem).from_select(columns, items, include_defaults=False))
    run.filled_to = entry_ids[-1] if len(entry_ids) == CHUNK else None


def leave(session: Session, run_id: int, reason: str, *, state: ItemState) -> int:
    """Leave a chunk of the records in this state; returns how many."""
    chunk = (
        select(UndoItem.entry_id)
        .where(UndoItem.run_id == run_id, UndoItem.state == state)
        .limit(CHUNK)
    )
    left = update(UndoItem).where(UndoItem.run_id == run_id, UndoItem.entry_id.in_(chunk))
    return change_rows(session, left.values(state=ItemState.LEFT, reason=reason))


def go_on(runtime: Runtime, run: UndoRun) -> bool:
    """Bring the items of a claimed run up to its state: fill in what it chose, or leave it, since
    an admin stopped the run or Salesforce was disconnected. Whether there is more to do in
    Salesforce; if not, the run has ended, been given back, or is another job's."""
    for _ in range(CHUNKS_A_JOB):
        with runtime.database.read() as session:
            there = session.get_one(UndoRun, run.id)
            found = find(session, there) if there.filled_to is not None else ()
        with runtime.database.write() as session:
            current = run_claim.mine(session, run)
            if current is None:
                return False
            run_claim.renew(runtime, session, current)
            if run_claim.is_over(session.get_one(Connection, run.connection_id), current):
                # Without a connection nothing can be looked up: what was sent stays unclear.
                more = leave(session, run.id, "disconnected", state=ItemState.CHOSEN) or leave(
                    session, run.id, "unclear", state=ItemState.SENT
                )
                if not more:
                    run_claim.end(session, current, UndoState.STOPPED, "disconnected")
                    return False
            elif current.state == UndoState.STOPPING:
                current.filled_to = None
                if not leave(session, run.id, "stopped", state=ItemState.CHOSEN):
                    return True
            elif current.filled_to is None:
                return True
            else:
                add(session, current, found)
        if runtime.stopping.is_set():
            break
        time.sleep(_MAKE_WAY)
    run_claim.give_back(runtime, run)
    runtime.queue.enqueue("undo", run.id)
    return False


def following(session: Session, run: UndoRun, *, limit: int) -> Sequence[UndoItem]:
    """The items of one look, all of one object: what was sent before anything else, then Tasks,
    then the people they were logged on. Each statement reads its rows alone from an index."""
    of_run = UndoItem.run_id == run.id
    sent, unsent = UndoItem.state == ItemState.SENT, UndoItem.state == ItemState.CHOSEN
    for which in (sent, unsent & (UndoItem.object == TASK.name), unsent):
        object = session.scalar(
            select(UndoItem.object).where(of_run, which).order_by(UndoItem.object).limit(1)
        )
        if object is not None:
            rows = select(UndoItem).where(of_run, which, UndoItem.object == object)
            return session.scalars(rows.order_by(UndoItem.entry_id).limit(limit)).all()
    return ()


def remove(database: Database, run_id: int) -> None:
    """Delete a run that has ended, with its items."""
    chunk = select(UndoItem.entry_id).where(UndoItem.run_id == run_id).limit(CHUNK)
    of_run = delete(UndoItem).where(UndoItem.run_id == run_id, UndoItem.entry_id.in_(chunk))
    gone = CHUNK
    while gone == CHUNK:
        with database.write() as session:
            gone = change_rows(session, of_run)
            if gone < CHUNK:
                session.execute(delete(UndoRun).where(UndoRun.id == run_id))
        time.sleep(_MAKE_WAY)
