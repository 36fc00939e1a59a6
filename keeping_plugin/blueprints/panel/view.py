"""The panel beside a conversation: see, pick, search."""

from __future__ import annotations

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.panel.answer import show
from keeping_plugin.blueprints.panel.conversation import load_conversation
from keeping_plugin.blueprints.web.form_input import sent
from keeping_plugin.blueprints.web.rendering import Wanted, wanted
from keeping_plugin.services.panel.open import FRESH, known
from keeping_plugin.services.panel.picks import pick as remember
from keeping_plugin.state import current_runtime


def panel(conversation_id: str) -> ResponseReturnValue:
    """Whom Salesforce knows by the customer's address, and what stands around them."""
    place = load_conversation(conversation_id)
    return show(place, place.open_panel())


def pick(conversation_id: str) -> ResponseReturnValue:
    """Remember which of several records is meant."""
    place = load_conversation(conversation_id)
    runtime = current_runtime()
    view = known(
        runtime,
        place.agent,
        place.customer,
        no_older_than=FRESH,
        mailbox_id=place.mailbox_id,
        subject=place.conversation.subject,
    )
    object, _, record_id = str(sent().get("record", "")).partition("/")
    remember(runtime, place.agent, view, object, record_id)
    if wanted() is Wanted.JSON:
        return panel(conversation_id)
    return redirect(url_for(".panel", conversation_id=conversation_id), 303)
