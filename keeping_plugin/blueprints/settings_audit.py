"""The Audit tab: who did what in this company, newest first."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints import guards
from keeping_plugin.blueprints.tabs import tabs
from keeping_plugin.forms.activity import place_text, read_place
from keeping_plugin.services.audit_trail import trail
from keeping_plugin.state import current_state


def register(bp: Blueprint) -> None:
    """Add the tab."""
    bp.add_url_rule("/settings/audit", "audit", audit)


def audit() -> ResponseReturnValue:
    """One page of the trail; `?after=` names where it begins."""
    agent = guards.admin()
    guards.end_host_transaction()
    after = read_place(request.args.get("after", ""))
    with current_state().database.read() as session:
        found = trail(session, agent.company_id, after=after)
    following = found.following
    return render_template(
        "keeping/settings/audit.html",
        tabs=tabs("audit"),
        agent=agent,
        deeds=found.deeds,
        first=after is None,
        older=url_for(".audit", after=place_text(following)) if following else "",
    )
