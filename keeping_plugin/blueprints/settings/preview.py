"""What the rules would say: of one address, and of a mailbox's last 30 days. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template, request
from flask.typing import ResponseReturnValue

from keeping_plugin.addresses import address_key
from keeping_plugin.blueprints.settings.automation import of_mailbox, page
from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards
from keeping_plugin.errors import InvalidInput, NotFound
from keeping_plugin.services.automation import preview as dry_run
from keeping_plugin.services.connection import connect
from keeping_plugin.services.people import policy
from keeping_plugin.services.people.limits import what_holds
from keeping_plugin.services.people.predict import Predicted, predict
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Agent, Mailbox
from keeping_plugin.wording import people as words
from keeping_plugin.wording.activity import LIMITS
from keeping_plugin.wording.errors import error_sentence


def try_address() -> ResponseReturnValue:
    """The verdict of every rule on a first message from `?address=` in `?mailbox=`."""
    agent, mailboxes, chosen = of_mailbox()
    runtime = current_runtime()
    typed = request.args.get("address", "")
    if chosen is None:
        raise NotFound("There is no mailbox to test with.")
    try:
        tried = dry_run.try_address(
            runtime.database, runtime.helpdesk, agent.company_id, chosen.id, typed
        )
    except InvalidInput as error:
        guards.end_host_transaction()
        return page(agent, mailboxes, chosen, typed_address=typed, try_problem=str(error)), 422
    guards.end_host_transaction()
    key = address_key(typed.strip()) or ""
    would = _predicted(agent, chosen, [key]) if tried.adds else None
    limit = _limit(agent, chosen.id, key) if tried.adds else ""
    return page(
        agent,
        mailboxes,
        chosen,
        typed_address=typed,
        tried=tried,
        would=would,
        limit=limit,
        error_sentence=error_sentence,
    )


def _predicted(agent: Agent, mailbox: Mailbox, keys: Sequence[str]) -> Predicted | None:
    """What would become of these addresses in Salesforce; None where none is connected."""
    with current_runtime().database.read() as session:
        connection = connect.current(session, agent.company_id)
    if connection is None or not keys:
        return None
    return predict(current_runtime(), agent, connection, mailbox.id, keys)


def _limit(agent: Agent, mailbox_id: str, address: str) -> str:
    """What the limits would make of a person who is to be added; "" where none is set."""
    runtime = current_runtime()
    with runtime.database.read() as session:
        connection = connect.current(session, agent.company_id)
        if connection is None:
            return ""
        code = what_holds(
            session,
            connection.id,
            policy.load(session, agent.company_id).of(mailbox_id),
            mailbox_id=mailbox_id,
            address=address,
            times=runtime.times,
        )
    return LIMITS.get(code, "")


def preview() -> ResponseReturnValue:
    """The last 30 days of `?mailbox=`, as if both automations had been on."""
    agent, _, chosen = of_mailbox()
    runtime = current_runtime()
    if chosen is None:
        raise NotFound("There is no mailbox to preview.")
    with runtime.database.read() as session:
        limits = policy.load(session, agent.company_id).of(chosen.id)
    found = dry_run.what_would_have_happened(
        runtime.database,
        runtime.helpdesk,
        agent.company_id,
        chosen.id,
        until=runtime.clock.now(),
        limits=limits,
    )
    guards.end_host_transaction()
    with runtime.database.read() as session:
        connected = connect.current(session, agent.company_id) is not None
    would = _predicted(agent, chosen, found.added)
    return render_template(
        "keeping/settings/preview.html",
        mailbox=chosen,
        preview=found,
        connected=connected,
        would=would,
        words=words,
        error_sentence=error_sentence,
        tabs=tabs("automation"),
    )
