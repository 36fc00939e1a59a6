"""Starting an undo, and stopping it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.errors import InvalidInput, NotFound
from keeping_plugin.models import Database, ItemState, UndoRun, UndoState, now
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.corrections import choice, items
from keeping_plugin.services.corrections.choice import Choice
from keeping_plugin.types import Agent


def start(database: Database, agent: Agent, chosen: Choice) -> int:
    """A new run, due at once, with the first of its items: the job adds the others. Raises
    NotConnected, NotFound, and InvalidInput while another run is under way or when there is nothing
    to undo."""
    with database.read() as session:
        connection = choice.live_connection(session, agent.company_id)
        choice.check_theirs(session, agent.company_id, chosen)
        run = UndoRun(
            connection_id=connection.id,
            epoch=connection.epoch,
            company_id=agent.company_id,
            chosen_by=chosen.by,
            value=chosen.value,
            started_by=agent.id,
            started_at=now(session),
        )
        found = items.find(session, run)
        counted = choice.counted(session, connection.id, chosen)
    if not found:
        raise InvalidInput("There is nothing left to undo.")
    with database.write() as session:
        connection = choice.live_connection(session, agent.company_id, lock=True)
        if choice.under_way(session, agent.company_id) is not None:
            raise InvalidInput("Another undo is still under way.")
        run.connection_id, run.epoch, run.due_at = connection.id, connection.epoch, now(session)
        session.add(run)
        session.flush()
        items.add(session, run, found)
        number = sum(counted.records.values())
        audit.record_by(
            session,
            agent,
            Audited.UNDO_STARTED,
            connection_id=connection.id,
            detail=f"{run.id} {chosen.by} {number - counted.more}{'+' * counted.more}",
        )
        return run.id


def stop(session: Session, agent: Agent, run_id: int) -> None:
    """Delete nothing more; the job leaves what does not fit into this transaction. What was sent is
    still looked up, so that the list is true. Raises NotFound, InvalidInput."""
    run = session.scalars(
        select(UndoRun)
        .where(UndoRun.id == run_id, UndoRun.company_id == agent.company_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if run is None:
        raise NotFound("This undo does not exist.")
    if run.state != UndoState.RUNNING:
        raise InvalidInput("This undo has ended.")
    run.state, run.due_at = UndoState.STOPPING, now(session)
    items.leave(session, run_id, "stopped", state=ItemState.CHOSEN)
    audit.record_by(
        session, agent, Audited.UNDO_STOPPED, connection_id=run.connection_id, detail=str(run_id)
    )
