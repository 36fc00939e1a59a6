"""Earlier mail of a mailbox: what would be brought over, start, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.settings.automation import of_mailbox, page
from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards, notices
from keeping_plugin.blueprints.web.reader import reader
from keeping_plugin.blueprints.web.rendering import fragment
from keeping_plugin.errors import InvalidInput, NotFound
from keeping_plugin.forms.days import UNREADABLE, read_day
from keeping_plugin.services.automation import backfill, backfill_progress
from keeping_plugin.services.automation import preview as dry_run
from keeping_plugin.services.connection import connect
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Agent, Mailbox
from keeping_plugin.wording.backfill import ended_sentence

_STATES = {
    "pause": backfill.PAUSED,
    "resume": backfill.RUNNING,
    "cancel": backfill.CANCELLED,
}


def preview() -> ResponseReturnValue:
    """What `?mailbox=` since `?since=` would give, as it is switched now. Nothing is written."""
    agent, mailboxes, mailbox = _here()
    runtime = current_runtime()
    try:
        since = _since(request.args.get("since", ""))
    except InvalidInput as error:
        return _again(agent, mailboxes, mailbox, request.args.get("since", ""), error)
    found = dry_run.what_would_have_happened(
        runtime.database,
        runtime.helpdesk,
        agent.company_id,
        mailbox.id,
        until=runtime.clock.now(),
        since=since,
        wanted=None,
    )
    guards.end_host_transaction()
    with runtime.database.read() as session:
        connected = connect.current(session, agent.company_id) is not None
    return render_template(
        "keeping/settings/backfill_preview.html",
        mailbox=mailbox,
        since=since,
        preview=found,
        connected=connected,
        tabs=tabs("automation"),
    )


def start() -> ResponseReturnValue:
    """Bring the mailbox's mail since a day over."""
    agent, mailboxes, mailbox = _here()
    typed = request.form.get("since", "")
    try:
        since = _since(typed)
    except InvalidInput as error:
        return _again(agent, mailboxes, mailbox, typed, error)
    runtime = current_runtime()
    try:
        with runtime.database.write() as session:
            run_id = backfill.start(session, agent, mailbox_id=mailbox.id, since=since)
    except InvalidInput as error:  # somebody else was quicker
        notices.add_notice(str(error), good=False)
        return _back(mailbox)
    runtime.queue.enqueue("backfill", run_id)
    notices.add_notice(f"{mailbox.name}: importing the mail since {reader().day(since)}.")
    return _back(mailbox)


def change(run_id: int) -> ResponseReturnValue:
    """Pause, go on with or cancel a run."""
    agent, _, mailbox = _here()
    wanted = _STATES.get(request.form.get("do", ""))
    if wanted is None:
        raise NotFound("Unknown action.")
    runtime = current_runtime()
    try:
        with runtime.database.write() as session:
            backfill.change(session, agent, run_id, wanted)
    except InvalidInput as error:  # it ended since the page was loaded
        notices.add_notice(str(error), good=False)
        return _back(mailbox)
    if wanted == backfill.RUNNING:
        runtime.queue.enqueue("backfill", run_id)
    return _back(mailbox)


def progress() -> Response:
    """How far the mailbox's latest run is: the region that the Automation tab polls."""
    agent, _, mailbox = _here()
    with current_runtime().database.read() as session:
        found = backfill_progress.latest(session, agent.company_id, mailbox.id)
        connected = connect.current(session, agent.company_id) is not None
    return fragment(
        "keeping/settings/backfill.html",
        progress=found,
        mailbox=mailbox,
        connected=connected,
        ended_sentence=ended_sentence,
    )


def _here() -> tuple[Agent, Sequence[Mailbox], Mailbox]:
    agent, mailboxes, mailbox = of_mailbox()
    if mailbox is None:
        raise NotFound("There is no mailbox to import mail from.")
    return agent, mailboxes, mailbox


def _since(typed: str) -> datetime:
    """The beginning of the day, in UTC. Raises InvalidInput."""
    day = read_day(typed)
    if day is None:
        raise InvalidInput(UNREADABLE, field="since")
    if day > datetime.now(UTC).date():
        raise InvalidInput("Choose a day that is not in the future.", field="since")
    return datetime.combine(day, time.min, UTC)


def _again(
    agent: Agent, mailboxes: Sequence[Mailbox], mailbox: Mailbox, typed: str, error: InvalidInput
) -> ResponseReturnValue:
    problem = {"typed_since": typed, "since_problem": str(error)}
    return page(agent, mailboxes, mailbox, **problem), 422


def _back(mailbox: Mailbox) -> ResponseReturnValue:
    return redirect(url_for(".automation", mailbox=mailbox.id, _anchor="k-backfill"), 303)
