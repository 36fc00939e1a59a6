"""What limits the automations of a company, on the Automation tab, and what the limits hold for
review, beside the Activity tab."""

from __future__ import annotations

from dataclasses import replace

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.addresses import shown_domain
from keeping_plugin.blueprints.settings.automation import of_mailbox, page
from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards, notices
from keeping_plugin.blueprints.web.form_input import row_id
from keeping_plugin.blueprints.web.reader import number_text
from keeping_plugin.errors import InvalidInput, NotFound
from keeping_plugin.forms.brake import NAMES, BrakeForm
from keeping_plugin.services.admin import held
from keeping_plugin.services.connection import connect
from keeping_plugin.services.people import policy
from keeping_plugin.services.people.policy import COMPANY
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Agent
from keeping_plugin.wording.activity import REVIEWED
from keeping_plugin.wording.people import NO_LIMITS_YET, NOT_ONCE_YET


def set_limits() -> ResponseReturnValue:
    """Set the limits for new people, of one mailbox or of every mailbox without its own."""
    agent, mailboxes, mailbox = of_mailbox()
    if mailbox is None:
        raise NotFound("There is no mailbox yet.")
    form = BrakeForm.read(request.form, number_text)
    with current_runtime().database.read() as session:
        if form.on and policy.beside_0_1_0(session):
            form = replace(form, problems=dict.fromkeys(form.on, NO_LIMITS_YET))
    if form.problems:
        return page(agent, mailboxes, mailbox, brake=form), 422
    with current_runtime().database.write() as session:
        if form.everywhere:
            policy.follow_company(session, agent, mailbox.id, NAMES)
            policy.save(session, agent, COMPANY, **form.limits)
        else:
            policy.save(session, agent, mailbox.id, **form.limits)
    whose = "Every mailbox without its own limits" if form.everywhere else mailbox.name
    notices.add_notice(f"{whose}: saved. {_said(form)}")
    return redirect(url_for(".automation", mailbox=mailbox.id, _anchor="k-brake"), 303)


def _said(form: BrakeForm) -> str:
    if not form.on:
        return "New people are added without a limit."
    return "New people beyond the limits are held for review."


def log_once() -> ResponseReturnValue:
    """Log a mail that comes to several mailboxes once, or in each."""
    agent, _, mailbox = of_mailbox()
    wanted = "once_per_mail" in request.form
    with current_runtime().database.write() as session:
        if wanted and policy.beside_0_1_0(session):
            raise InvalidInput(NOT_ONCE_YET, field="once_per_mail")
        policy.save(session, agent, COMPANY, once_per_mail=wanted)
    notices.add_notice(
        "The same mail is now logged once."
        if wanted
        else "The same mail is now logged from each mailbox."
    )
    return redirect(
        url_for(".automation", mailbox=mailbox.id if mailbox else None, _anchor="k-copies"), 303
    )


def review() -> ResponseReturnValue:
    """Show what is held for review, or do what one of the page's buttons says."""
    agent = guards.admin()
    runtime = current_runtime()
    if request.method == "POST":
        runtime.rate.hit(agent.company_id, agent.id)
        _act(agent, request.form.get("do", ""), request.form.get("until", ""))
        return redirect(url_for(".held"), 303)
    names = {each.id: each.name for each in runtime.helpdesk.mailboxes(agent.company_id)}
    guards.end_host_transaction()
    with runtime.database.read() as session:
        found = connect.current(session, agent.company_id)
        listed = held.listed(session, found.id) if found is not None else None
    shown = listed.domains[: held.SHOWN] if listed is not None else ()
    named = (example.conversation_id for domain in shown for example in domain.examples)
    return render_template(
        "keeping/settings/held.html",
        tabs=tabs("activity"),
        held=listed,
        mailboxes=names,
        shown=held.SHOWN,
        shown_domain=shown_domain,
        conversations=guards.visible(agent, named),
    )


def _act(agent: Agent, do: str, until: str) -> None:
    """`all` and `add:<domain>` add people who were listed; `skip:<domain>` skips a domain."""
    what, _, domain = do.partition(":")
    number = row_id(until)
    if what not in REVIEWED or (what != "all" and not domain) or number is None:
        raise NotFound("Unknown action.")
    runtime = current_runtime()
    try:
        if what == "skip":
            held.skip(runtime.database, agent, domain=domain)
        else:
            wanted = None if what == "all" else domain
            rung = held.add(runtime.database, agent, domain=wanted, until=number)
            if rung is None:
                notices.add_notice("There is nothing left of this to add.", good=False)
                return
            runtime.queue.ring([rung])
    except InvalidInput as error:
        notices.add_notice(str(error), good=False)
        return
    notices.add_notice(REVIEWED[what])
