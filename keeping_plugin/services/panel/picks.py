"""Which of several records with one address an agent chose."""

from __future__ import annotations

from keeping_plugin.errors import NotFound
from keeping_plugin.services.panel import cards
from keeping_plugin.services.panel.view import PanelView
from keeping_plugin.services.people import picks
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
        released = picks.keep(session, agent, link.connection_id, view.address, object, record_id)
    if released:
        runtime.queue.ring([link.connection_id])
