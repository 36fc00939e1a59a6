"""Undo as its pages show it: runs, what they leave and why, and whom automation adds no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from keeping_plugin.errors import NotFound
from keeping_plugin.models import (
    Connection,
    ItemState,
    UndoItem,
    UndoneAddress,
    UndoRun,
    UndoState,
    now,
)
from keeping_plugin.objects import record_page
from keeping_plugin.services.corrections.choice import OPEN, UNDOABLE, By, Choice
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Agent

PAGE = 50  # rows
RUNS = 10
# A run that is due for so long, claimed by nobody: no worker is running.
_PATIENCE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Left:
    """A record that is not deleted: why, and where Salesforce shows it ("" if that is unknown)."""

    entry_id: int
    object: str
    address: str
    reason: str
    detail: str
    url: str


@dataclass(frozen=True, slots=True)
class Progress:
    """One run, by the number of its records. `stuck`: it is due and no worker has begun it;
    `filling`: its records are still being counted."""

    run: UndoRun
    total: int
    deleted: int
    left: int
    stuck: bool
    filling: bool

    @property
    def choice(self) -> Choice:
        """What was chosen."""
        return Choice(By(self.run.chosen_by), self.run.value)

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.run.state in OPEN

    @property
    def running(self) -> bool:
        """Whether it still deletes."""
        return self.run.state == UndoState.RUNNING


def runs(session: Session, company_id: str) -> Sequence[Progress]:
    """The company's latest runs, the newest first."""
    found = session.scalars(
        select(UndoRun)
        .where(UndoRun.company_id == company_id)
        .order_by(UndoRun.started_at.desc(), UndoRun.id.desc())
        .limit(RUNS)
    ).all()
    return [_progress(session, run) for run in found]


def run(session: Session, company_id: str, run_id: int) -> Progress:
    """One run. Raises NotFound."""
    return _progress(session, _run(session, company_id, run_id))


def _run(session: Session, company_id: str, run_id: int) -> UndoRun:
    found = session.get(UndoRun, run_id)
    if found is None or found.company_id != company_id:
        raise NotFound("This undo does not exist.")
    return found


def _progress(session: Session, run: UndoRun) -> Progress:
    rows = session.execute(
        select(UndoItem.state, func.count())
        .where(UndoItem.run_id == run.id)
        .group_by(UndoItem.state)
    )
    counts = {state: number for state, number in rows}  # noqa: C416  a Row is no pair to mypy
    due = run.due_at if run.state in OPEN and run.claim is None else None
    return Progress(
        run,
        total=sum(counts.values()),
        deleted=counts.get(ItemState.DELETED, 0),
        left=counts.get(ItemState.LEFT, 0),
        filling=run.state == UndoState.RUNNING and run.filled_to is not None,
        stuck=due is not None and now(session) - due > _PATIENCE,
    )


def left(
    session: Session, company_id: str, run_id: int, *, after: int = 0
) -> tuple[Sequence[Left], int | None]:
    """A page of what a run leaves, behind this entry, and where the next page begins. Raises
    NotFound."""
    run = _run(session, company_id, run_id)
    instance_url = session.get_one(Connection, run.connection_id).instance_url
    found = session.scalars(
        select(UndoItem)
        .where(
            UndoItem.run_id == run_id,
            UndoItem.state == ItemState.LEFT,
            UndoItem.entry_id > after,
        )
        .order_by(UndoItem.entry_id)
        .limit(PAGE + 1)
    ).all()
    rows = [
        Left(
            item.entry_id,
            item.object,
            item.address,
            item.reason,
            item.detail,
            record_page(instance_url, item.object, item.record_id) if item.record_id else "",
        )
        for item in found[:PAGE]
    ]
    return rows, rows[-1].entry_id if len(found) > PAGE else None


def blocked(
    session: Session, company_id: str, *, after: str = ""
) -> tuple[Sequence[str], str | None]:
    """A page of the addresses that automation adds no more, and where the next page begins."""
    found = session.scalars(
        select(UndoneAddress.address)
        .where(UndoneAddress.company_id == company_id, UndoneAddress.address > after)
        .order_by(UndoneAddress.address)
        .limit(PAGE + 1)
    ).all()
    return found[:PAGE], found[PAGE - 1] if len(found) > PAGE else None


def undeletable(runtime: Runtime, agent: Agent, connection: Connection) -> frozenset[str]:
    """The objects whose records the connecting user may not delete, asked for now: one request.
    Raises what the gateway raises, and TooBusy."""
    with runtime.asked_by(agent, connection.id, Feature.UNDO) as gateway:
        described = gateway.describe([row.name for row in UNDOABLE])
    may = {one.object for one in described if one.schema is not None and one.schema.deletable}
    return frozenset(row.name for row in UNDOABLE) - may
