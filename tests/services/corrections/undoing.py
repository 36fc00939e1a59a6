"""An admin who undoes, in the house of the delivery's tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import update

from keeping_plugin.models import AuditRecord, UndoItem, UndoneAddress, UndoRun, now
from keeping_plugin.services.corrections import runs, undo
from keeping_plugin.services.corrections.choice import By, Choice
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Agent
from tests.services.delivery.house import COMPANY, House

ADMIN = Agent("ada", COMPANY, "Ada", is_admin=True)
DOMAIN = Choice(By.DOMAIN, "customer.example")


def start(house: House, chosen: Choice = DOMAIN) -> int:
    return runs.start(house.database, ADMIN, chosen)


def advance(house: House, run_id: int, runtime: Runtime | None = None) -> None:
    undo.advance(runtime or house.runtime, run_id)


def undo_all(house: House, chosen: Choice = DOMAIN) -> int:
    """Start a run and take it to its end, as long as nothing is in the way."""
    run_id = start(house, chosen)
    advance(house, run_id)
    return run_id


def items(house: House, run_id: int) -> Mapping[str, tuple[str, str]]:
    """State and reason by record id."""
    with house.database.read() as session:
        return {
            item.record_id or "": (item.state, item.reason)
            for item in session.query(UndoItem).filter_by(run_id=run_id)
        }


def run_of(house: House, run_id: int) -> UndoRun:
    with house.database.read() as session:
        return session.get_one(UndoRun, run_id)


def blocked(house: House) -> list[str]:
    with house.database.read() as session:
        return [row.address for row in session.query(UndoneAddress)]


def deletions(house: House) -> Sequence[str]:
    """Record ids in the audit trail, as deleted."""
    with house.database.read() as session:
        return [
            row.record_id for row in session.query(AuditRecord).filter_by(action="record_deleted")
        ]


def let_time_pass(house: House, run_id: int) -> None:
    """As a minute and a half later: what was sent may be looked up, and every claim has expired."""
    step = timedelta(seconds=90)
    with house.database.write() as session:
        run = session.get_one(UndoRun, run_id)
        for name in ("claimed_until", "due_at"):
            if getattr(run, name) is not None:
                setattr(run, name, now(session) - step)
        session.execute(
            update(UndoItem)
            .where(UndoItem.sent_at.is_not(None))
            .values(sent_at=now(session) - step)
        )
    house.pass_time(0)
