"""How agents find people: the search of the whole org, and which records they chose."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards, notices
from keeping_plugin.objects import record_page
from keeping_plugin.services.connection import connect
from keeping_plugin.services.people import finding, picks
from keeping_plugin.state import current_runtime


def finding_page() -> ResponseReturnValue:
    """Show the switch and the choices; change one of them."""
    agent = guards.admin()
    guards.end_host_transaction()
    database = current_runtime().database
    if request.method == "POST":
        address = request.form.get("remove", "")
        with database.write() as session:
            row = connect.current(session, agent.company_id)
            if not address:
                wanted = "search" in request.form
                finding.allow_search(session, agent, wanted)
                text = "Agents can search Salesforce." if wanted else "The search is off."
                notices.add_notice(text)
            elif row is not None and picks.take_back(session, agent, row.id, address):
                notices.add_notice("The choice was removed. This address is found by Email again.")
        return redirect(url_for(".finding"), 303)
    sought = request.args.get("q", "").strip()[:255]
    with database.read() as session:
        row = connect.current(session, agent.company_id)
        chosen, count = finding.choices(session, row.id, sought) if row is not None else ([], 0)
        search = finding.may_search(session, agent.company_id)
    instance = row.instance_url if row is not None else ""
    return render_template(
        "keeping/settings/finding.html",
        tabs=tabs("settings"),
        search=search,
        chosen=[(each, record_page(instance, each.object, each.record_id)) for each in chosen],
        count=count,
        q=sought,
    )
