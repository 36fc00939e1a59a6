"""The tile of a host's page of integrations: `{% include "keeping/tile.html" %}`."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, url_for
from markupsafe import Markup

from keeping_plugin.forms import csrf
from keeping_plugin.services.admin.overview import Standing, standing
from keeping_plugin.services.connection import connect
from keeping_plugin.state import current_runtime
from keeping_plugin.wording.connection import STANDING_TAGS, Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """What the tile shows to this agent. Addresses are whole, whatever the host's page is."""

    standing: Standing
    tag: Tag | None
    org_name: str
    is_sandbox: bool
    is_admin: bool
    settings_url: str
    connect_url: str
    status_url: str
    stylesheets: tuple[str, ...]
    script: str
    csrf_field: Markup


def register(bp: Blueprint) -> None:
    """Give every template of the app `keeping_tile()`."""
    bp.app_context_processor(lambda: {"keeping_tile": tile})


def tile() -> Tile | None:
    """The tile for whoever is logged in; None when nobody is."""
    runtime = current_runtime()
    agent = runtime.helpdesk.current_agent()
    if agent is None:
        return None
    with runtime.database.read() as session:
        found = connect.latest(session, agent.company_id)

    def static(name: str) -> str:
        return url_for(f"{runtime.name}.static", filename=name)

    how = standing(found)
    return Tile(
        standing=how,
        tag=STANDING_TAGS.get(how),
        org_name=found.org_name if found and found.current else "",
        is_sandbox=bool(found and found.is_sandbox),
        is_admin=agent.is_admin,
        settings_url=url_for(f"{runtime.name}.settings"),
        connect_url=url_for(f"{runtime.name}.connect"),
        status_url=url_for(f"{runtime.name}.connect_status"),
        stylesheets=(static("keeping.css"), static("settings.css")),
        script=static("settings.js"),
        csrf_field=csrf.hidden_field(),
    )
