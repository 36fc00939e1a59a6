"""The pages: one blueprint, made anew for each app."""

from __future__ import annotations

from flask import Blueprint

from keeping_plugin.blueprints import (
    conversation_ids,
    errors,
    guards,
    headers,
    notices,
    oauth,
    settings,
    settings_activity,
    settings_audit,
    settings_automation,
    settings_backfill,
    settings_fields,
    settings_skip,
    settings_try,
    sidebar,
    tile,
)

_PARTS = (
    conversation_ids,
    guards,
    headers,
    notices,
    errors,
    oauth,
    settings,
    settings_fields,
    settings_automation,
    settings_skip,
    settings_try,
    settings_backfill,
    settings_activity,
    settings_audit,
    tile,
    sidebar,
)


def create_blueprint(name: str) -> Blueprint:
    """A blueprint with every route, template and static file of the plugin."""
    blueprint = Blueprint(
        name,
        "keeping_plugin",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    for part in _PARTS:
        part.register(blueprint)
    return blueprint
