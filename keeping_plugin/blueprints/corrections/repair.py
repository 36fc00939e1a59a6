"""People without an Account, below the Connection tab: look, attach, take back."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards, notices
from keeping_plugin.blueprints.web.form_input import row_id
from keeping_plugin.blueprints.web.reader import number_text
from keeping_plugin.errors import InvalidInput, NotConnected, NotFound, SalesforceError
from keeping_plugin.services.corrections import choice
from keeping_plugin.services.corrections import repair as repairing
from keeping_plugin.services.corrections.account_writes import PAGE
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Agent
from keeping_plugin.wording.corrections import STEPS, told_sentence
from keeping_plugin.wording.errors import error_sentence


def repair() -> ResponseReturnValue:
    """A page of the people added who have no Account; `?after=` names where it begins,
    `?skip=` how many of what was attached are left out. Or `attach`
    those that were chosen, or `take_back` what was attached."""
    agent = guards.admin()
    if request.method == "POST":
        _act(agent)
        return redirect(url_for(".repair", after=request.args.get("after") or None), 303)
    runtime = current_runtime()
    after, skip = (row_id(request.args.get(name, "")) for name in ("after", "skip"))
    found, why, failure = None, None, ""
    with runtime.database.read() as session:
        try:
            connection = choice.live_connection(session, agent.company_id)
        except NotConnected:
            notices.add_notice("Salesforce is not connected.", good=False)
            return redirect(url_for(".settings"), 303)
        why = repairing.why_not(session, connection.id)
    if why is None:
        try:
            found = repairing.look(runtime, agent, after=after, skip=skip or 0)
        except SalesforceError as error:
            failure = error_sentence(error)
    return render_template(
        "keeping/settings/repair.html",
        tabs=tabs("settings"),
        found=found,
        why=why,
        failure=failure,
        first=after is None,
        skip=skip or 0,
        steps=STEPS,
        most=PAGE,
    )


def _act(agent: Agent) -> None:
    runtime, what = current_runtime(), request.form.get("do", "")
    if what not in ("attach", "take_back"):
        raise NotFound("Unknown action.")
    try:
        if what == "attach":
            pairs = (text.partition(":") for text in request.form.getlist("attach"))
            told = repairing.attach(runtime, agent, {key: value for key, _, value in pairs})
        else:
            told = repairing.take_back(runtime, agent, request.form.getlist("attached"))
    except InvalidInput as error:
        notices.add_notice(str(error), good=False)
    except SalesforceError as error:
        notices.add_notice(error_sentence(error), good=False)
    else:
        sentence = told_sentence(
            what,
            done=told.done,
            refused=told.refused,
            left=told.left,
            unclear=told.unclear,
            count=number_text,
        )
        notices.add_notice(sentence, good=not (told.refused or told.left or told.unclear))
