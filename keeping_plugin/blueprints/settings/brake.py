"""What limits the automations of a company, on the Automation tab."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.settings.automation import mailbox_named
from keeping_plugin.blueprints.web import guards, notices
from keeping_plugin.services.people import policy
from keeping_plugin.services.people.policy import COMPANY
from keeping_plugin.state import current_runtime


def log_once() -> ResponseReturnValue:
    """Log a mail that comes to several mailboxes once, or in each."""
    agent = guards.admin()
    mailbox = mailbox_named(
        list(current_runtime().helpdesk.mailboxes(agent.company_id)), request.args.get("mailbox")
    )
    guards.end_host_transaction()
    wanted = "once_per_mail" in request.form
    with current_runtime().database.write() as session:
        policy.save(session, agent, COMPANY, once_per_mail=wanted)
    notices.add_notice(
        "The same mail is now logged once."
        if wanted
        else "The same mail is now logged from each mailbox."
    )
    return redirect(
        url_for(".automation", mailbox=mailbox.id if mailbox else None, _anchor="k-copies"), 303
    )
