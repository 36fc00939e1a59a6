"""The pages: one blueprint, made anew for each app."""

from __future__ import annotations

from flask import Blueprint

from keeping_plugin.blueprints.routes import ROUTES
from keeping_plugin.blueprints.settings import tile
from keeping_plugin.blueprints.web import conversation_ids, errors, guards, headers, notices, reader


def create_blueprint(name: str) -> Blueprint:
    """A blueprint with every route, template and static file of the plugin."""
    blueprint = Blueprint(
        name,
        "keeping_plugin",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    for part in (conversation_ids, guards, headers, notices, reader, errors, tile):
        part.register(blueprint)
    for rule, endpoint, view, methods in ROUTES:
        blueprint.add_url_rule(rule, endpoint, view, methods=methods)
    return blueprint
