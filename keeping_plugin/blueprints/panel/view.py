"""The panel beside a conversation: see, pick, search."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.panel.answer import show
from keeping_plugin.blueprints.panel.conversation import load_conversation
from keeping_plugin.blueprints.panel.find import link_and_address
from keeping_plugin.blueprints.web.form_input import sent
from keeping_plugin.blueprints.web.rendering import Wanted, wanted
from keeping_plugin.services.panel.find import choose, choose_shown
from keeping_plugin.services.panel.open import last_known
from keeping_plugin.state import current_runtime


def panel(conversation_id: str) -> ResponseReturnValue:
    """Whom Salesforce knows by the customer's address, and what stands around them. With `known`
    what was last known, without asking Salesforce: 204 when that is nothing."""
    place = load_conversation(conversation_id)
    if "known" in request.args:
        view = last_known(current_runtime(), place.agent, place.customer)
        return show(place, view) if view is not None else ("", 204)
    return show(place, place.open_panel())


def pick(conversation_id: str) -> ResponseReturnValue:
    """Remember which record is meant: one of several, or one that a search found."""
    place = load_conversation(conversation_id)
    runtime = current_runtime()
    object, _, record_id = str(sent().get("record", "")).partition("/")
    link, key = link_and_address(place)
    if not choose(runtime, place.agent, link, key, record_id):
        choose_shown(runtime, place.agent, place.known_panel(), object, record_id)
    if wanted() is Wanted.JSON:
        return panel(conversation_id)
    return redirect(url_for(".panel", conversation_id=conversation_id), 303)
