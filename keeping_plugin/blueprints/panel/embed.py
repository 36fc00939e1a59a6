"""How a host places the panel beside a conversation: `{{ keeping_panel(conversation.id) }}`."""

from __future__ import annotations

from flask import Flask, render_template, url_for
from markupsafe import Markup

from keeping_plugin.forms import csrf
from keeping_plugin.services.connection import connect
from keeping_plugin.state import current_runtime


def register(app: Flask) -> None:
    """Give every template of the host `keeping_panel(conversation_id)`, and `keeping_csrf_token()`
    for one that draws its own panel."""
    app.jinja_env.globals.setdefault("keeping_panel", panel_markup)
    app.jinja_env.globals.setdefault("keeping_csrf_token", csrf.token)


def panel_markup(conversation_id: str) -> Markup:
    """The panel's place for one conversation, stylesheet and script included; it loads beside the
    page, or without JavaScript is a link to it. Empty while Salesforce is not connected and when
    nobody is logged in. Asks the database once, Salesforce never."""
    runtime = current_runtime()
    agent = runtime.helpdesk.current_agent()
    if agent is None:
        return Markup()
    with runtime.database.read() as session:
        if connect.current(session, agent.company_id) is None:
            return Markup()
    return Markup(  # noqa: S704  the template escapes
        render_template(
            "keeping/panel/embed.html",
            url=url_for(f"{runtime.name}.panel", conversation_id=conversation_id),
            known=url_for(f"{runtime.name}.panel", conversation_id=conversation_id, known=1),
            css=url_for(f"{runtime.name}.static", filename="keeping.css"),
            js=url_for(f"{runtime.name}.static", filename="keeping.js"),
        )
    )
