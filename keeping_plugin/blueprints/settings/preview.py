"""What the rules would say: of one address, and of a mailbox's last 30 days. Nothing is written."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from keeping_plugin.addresses import address_key
from keeping_plugin.blueprints.settings.automation import of_mailbox, page
from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards
from keeping_plugin.errors import InvalidInput, NotFound
from keeping_plugin.models import Connection
from keeping_plugin.services.automation import preview as dry_run
from keeping_plugin.services.connection import connect
from keeping_plugin.services.people import policy
from keeping_plugin.services.people.limits import what_holds
from keeping_plugin.services.people.predict import predict
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Agent
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
    would, limit = None, ""
    if tried.adds and (connection := _connection(agent)) is not None:
        would = predict(runtime, agent, connection, chosen.id, [key])
        limit = _limit(connection, chosen.id, key)
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


def _connection(agent: Agent) -> Connection | None:
    with current_runtime().database.read() as session:
        return connect.current(session, agent.company_id)


def _limit(connection: Connection, mailbox_id: str, address: str) -> str:
    """What the limits would make of a person who is to be added; "" where none is set."""
    runtime = current_runtime()
    with runtime.database.read() as session:
        code = what_holds(
            session,
            connection.id,
            policy.load(session, connection.company_id).of(mailbox_id),
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
    connection = _connection(agent)
    would = None
    if connection is not None and found.added:
        would = predict(runtime, agent, connection, chosen.id, found.added)
    return render_template(
        "keeping/settings/preview.html",
        mailbox=chosen,
        preview=found,
        connected=connection is not None,
        would=would,
        words=words,
        error_sentence=error_sentence,
        tabs=tabs("automation"),
    )
