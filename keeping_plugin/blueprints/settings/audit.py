"""The Audit tab: who did what in this company, newest first."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards
from keeping_plugin.errors import InvalidInput
from keeping_plugin.forms.activity import place_text, read_place
from keeping_plugin.services.admin.audit_trail import ActorFilter, trail
from keeping_plugin.state import current_runtime

_LABELS = {
    ActorFilter.ALL: "Everything",
    ActorFilter.PEOPLE: "People",
    ActorFilter.AUTOMATIC: "Automatic",
    ActorFilter.REFUSED: "Refused",
}


def audit() -> ResponseReturnValue:
    """One page of the trail; `?whose=` is an ActorFilter, `?after=` names where it begins."""
    agent = guards.admin()
    guards.end_host_transaction()
    whose = _whose(request.args.get("whose", ""))
    after = read_place(request.args.get("after", ""))
    with current_runtime().database.read() as session:
        found = trail(session, agent.company_id, whose=whose, after=after)
    following = found.following
    return render_template(
        "keeping/settings/audit.html",
        tabs=tabs("audit"),
        agent=agent,
        deeds=found.deeds,
        keep_days=current_runtime().config.keep_days,
        filters=[(label, _url(each), each is whose) for each, label in _LABELS.items()],
        newest=_url(whose) if after is not None else "",
        older=_url(whose, after=place_text(following)) if following else "",
    )


def _whose(text: str) -> ActorFilter:
    try:
        return ActorFilter(text)
    except ValueError as error:
        raise InvalidInput(
            "The filter must be people, automatic or refused, or left out."
        ) from error


def _url(whose: ActorFilter, *, after: str | None = None) -> str:
    return url_for(".audit", whose=whose.value or None, after=after)
