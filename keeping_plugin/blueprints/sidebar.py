"""The panel beside a conversation: see, pick, search."""

from __future__ import annotations

import json
from importlib.resources import files

from flask import Blueprint, Response, jsonify, redirect, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints import (
    duplicates,
    searching,
    sidebar_create,
    sidebar_edit,
    sidebar_log,
)
from keeping_plugin.blueprints.conversation import here
from keeping_plugin.blueprints.form_input import sent
from keeping_plugin.blueprints.panel_answer import show
from keeping_plugin.blueprints.rendering import Wanted, wanted
from keeping_plugin.services.panel import open as panels
from keeping_plugin.services.panel.picks import pick as remember
from keeping_plugin.state import current_state


def register(bp: Blueprint) -> None:
    """Add the agent's routes."""
    at = "/conversations/<conversation_id>"
    bp.add_url_rule(at, "panel", panel)
    bp.add_url_rule(f"{at}/pick", "pick", pick, methods=["POST"])
    bp.add_url_rule("/openapi.json", "openapi", openapi)
    duplicates.register(bp)
    searching.register(bp)
    sidebar_create.register(bp)
    sidebar_edit.register(bp)
    sidebar_log.register(bp)


def panel(conversation_id: str) -> ResponseReturnValue:
    """Whom Salesforce knows by the customer's address, and what stands around them."""
    place = here(conversation_id)
    parts = current_state().panels
    view = panels.open_panel(parts, place.agent, place.customer, mailbox_id=place.mailbox_id)
    return show(place, view)


def pick(conversation_id: str) -> ResponseReturnValue:
    """Remember which of several records is meant."""
    place = here(conversation_id)
    parts = current_state().panels
    view = panels.known(
        parts,
        place.agent,
        place.customer,
        no_older_than=panels.FRESH,
        mailbox_id=place.mailbox_id,
    )
    object, _, record_id = str(sent().get("record", "")).partition("/")
    remember(parts, place.agent, view, object, record_id)
    if wanted() is Wanted.JSON:
        return panel(conversation_id)
    return redirect(url_for(".panel", conversation_id=conversation_id), 303)


def openapi() -> Response:
    """What the JSON of these URLs looks like, for the prefix at which this host mounted them."""
    document = json.loads((files("keeping_plugin") / "static" / "openapi.json").read_text("utf-8"))
    document["servers"] = [{"url": url_for(".openapi").removesuffix("/openapi.json") or "/"}]
    return jsonify(document)
