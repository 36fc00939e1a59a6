"""Which of several records with one address an agent chose."""

from __future__ import annotations

from keeping_plugin.errors import NotFound
from keeping_plugin.models import Pick, now, upsert
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.panel import cards
from keeping_plugin.services.panel.view import PanelView
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Agent


def pick(runtime: Runtime, agent: Agent, view: PanelView, object: str, record_id: str) -> None:
    """Remember the choice for this address. Raises NotFound when it is none of those offered, and
    what kept the panel from telling."""
    link = view.linked
    if view.error is not None and not view.found:
        raise view.error
    people = [cards.person(found) for found in view.found]
    if link is None or not any(
        (person.object, person.id) == (object, record_id) for person in people
    ):
        raise NotFound("This record does not have the customer's address.")
    with runtime.database.write() as session:
        at = now(session)
        row = {
            "connection_id": link.connection_id,
            "address": view.address,
            "object": object,
            "record_id": record_id,
            "picked_by": agent.id,
            "picked_at": at,
        }
        upsert(session, Pick, row, key=("connection_id", "address"))
        audit.record_by(
            session,
            agent,
            Audited.RECORD_PICKED,
            at=at,
            connection_id=link.connection_id,
            object=object,
            record_id=record_id,
        )
