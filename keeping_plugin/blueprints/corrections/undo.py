"""Undo, below the Activity tab: choose, look at what would go, and watch it go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards, notices
from keeping_plugin.blueprints.web.form_input import row_id
from keeping_plugin.blueprints.web.reader import reader
from keeping_plugin.blueprints.web.rendering import fragment
from keeping_plugin.errors import InvalidInput, NotConnected, NotFound, SalesforceError
from keeping_plugin.models import BackfillRun
from keeping_plugin.objects import TASK
from keeping_plugin.services.connection import connect
from keeping_plugin.services.corrections import choice as choices
from keeping_plugin.services.corrections import progress, runs
from keeping_plugin.services.corrections.choice import By, Choice
from keeping_plugin.services.corrections.progress import Progress
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Agent
from keeping_plugin.wording.corrections import (
    RECORDS,
    STATES,
    ended_text,
    left_sentence,
    waits_sentence,
)
from keeping_plugin.wording.errors import error_sentence


def undo() -> ResponseReturnValue:
    """What can be chosen, earlier runs, and the addresses that are not added again."""
    return _page(guards.admin())


def _page(agent: Agent, error: InvalidInput | None = None) -> ResponseReturnValue:
    mailboxes = {
        each.id: each.name for each in current_runtime().helpdesk.mailboxes(agent.company_id)
    }
    guards.end_host_transaction()
    with current_runtime().database.read() as session:
        connection = connect.current(session, agent.company_id)
        imports = choices.imports(session, agent.company_id, connection.id) if connection else []
        earlier = progress.runs(session, agent.company_id)
        after = request.args.get("after", "")
        addresses, more = progress.blocked(session, agent.company_id, after=after)
    page = render_template(
        "keeping/settings/undo.html",
        tabs=tabs("activity"),
        connected=connection is not None,
        imports=[(each, _import_text(each, mailboxes)) for each in imports],
        runs=[(each.run, each, choice_text(each.choice)) for each in earlier],
        states=STATES,
        addresses=addresses,
        after=after,
        more=more,
        typed=request.args,
        problem={error.field: str(error)} if error else {},
    )
    return page, 422 if error else 200


def _import_text(run: BackfillRun, mailboxes: Mapping[str, str]) -> str:
    name = mailboxes.get(run.mailbox_id, f"Deleted mailbox ({run.mailbox_id})")
    day = reader().day
    return f"{name}: mail since {day(run.since)}, started {day(run.started_at)}"


def choice_text(choice: Choice) -> str:
    """What was chosen, as the rest of "Undo …"."""
    match choice.by:
        case By.ENTRY:
            return "one action"
        case By.RUN:
            return "an import of earlier mail"
        case By.HOUR:
            day = reader().day(choice.hour)
            return f"what was created from {day}, {choice.hour:%H:%M} UTC, for one hour"
        case By.DOMAIN:
            return f"people and mail of {choice.value}"


def confirm() -> ResponseReturnValue:
    """Count what would go; then begin."""
    agent = guards.admin()
    try:
        choice = choices.read_choice(request.args)
    except InvalidInput as error:
        return _page(agent, error)
    runtime = current_runtime()
    if request.method == "POST":
        runtime.rate.hit(agent.company_id, agent.id)
        try:
            run_id = runs.start(runtime.database, agent, choice)
        except InvalidInput as problem:  # somebody else was quicker
            notices.add_notice(str(problem), good=False)
            return redirect(url_for(".undo"), 303)
        runtime.queue.enqueue("undo", run_id)
        return redirect(url_for(".undo_run", run_id=run_id), 303)
    return _confirmation(agent, choice)


def _confirmation(agent: Agent, choice: Choice) -> ResponseReturnValue:
    runtime = current_runtime()
    with runtime.database.read() as session:
        choices.check_theirs(session, agent.company_id, choice)
        try:
            connection = choices.live_connection(session, agent.company_id)
        except NotConnected:
            notices.add_notice("Salesforce is not connected, so nothing can be undone.", good=False)
            return redirect(url_for(".undo"), 303)
        counted = choices.counted(session, connection.id, choice)
        under_way = choices.under_way(session, agent.company_id)
    counts = dict(counted.records)
    unknown = counts.pop("", 0)
    missing: list[str] = []
    failure = ""
    if counts and under_way is None:
        try:
            undeletable = progress.undeletable(runtime, agent, connection)
            missing = [name for name in counts if name in undeletable]
        except SalesforceError as error:
            failure = error_sentence(error)
    going = {name: number for name, number in counts.items() if name not in missing}
    return render_template(
        "keeping/settings/undo_confirm.html",
        tabs=tabs("activity"),
        choice=choice,
        what=choice_text(choice),
        counts=[(RECORDS[name][1], number) for name, number in sorted(counts.items())],
        total=sum(going.values()),
        people=sum(number for name, number in going.items() if name != TASK.name),
        unknown=unknown,
        more=counted.more,
        missing=missing,
        failure=failure,
        under_way=under_way,
        username=connection.username,
    )


def run(run_id: int) -> ResponseReturnValue:
    """How far a run is, and what it leaves."""
    agent = guards.admin()
    return render_template(
        "keeping/settings/undo_run.html", tabs=tabs("activity"), **_of_run(agent, run_id)
    )


def run_progress(run_id: int) -> Response:
    """The region of that page which is polled while the run is under way."""
    agent = guards.admin()
    return fragment("keeping/settings/undo_progress.html", **_of_run(agent, run_id))


def _of_run(agent: Agent, run_id: int) -> Mapping[str, Any]:
    after = row_id(request.args.get("after", "")) or 0
    with current_runtime().database.read() as session:
        found: Progress = progress.run(session, agent.company_id, run_id)
        left, more = progress.left(session, agent.company_id, run_id, after=after)
    return {
        "progress": found,
        "run": found.run,
        "what": choice_text(found.choice),
        "left": left,
        "after": after,
        "more": more,
        "states": STATES,
        "left_sentence": left_sentence,
        "ended": ended_text(found.run.state, found.run.reason),
        "waits": waits_sentence(found.run.reason) if found.open else "",
    }


def stop(run_id: int) -> ResponseReturnValue:
    """Delete nothing more."""
    agent = guards.admin()
    runtime = current_runtime()
    try:
        with runtime.database.write() as session:
            runs.stop(session, agent, run_id)
    except InvalidInput as error:  # it ended since the page was loaded
        notices.add_notice(str(error), good=False)
    else:
        runtime.queue.enqueue("undo", run_id)
    return redirect(url_for(".undo_run", run_id=run_id), 303)


def allow() -> ResponseReturnValue:
    """Let automations add an address again."""
    agent = guards.admin()
    address = request.form.get("address", "")
    try:
        with current_runtime().database.write() as session:
            choices.allow(session, agent, address)
    except NotFound as error:  # somebody else has allowed it
        notices.add_notice(str(error), good=False)
    else:
        notices.add_notice("Automations may add this address again.")
    return redirect(url_for(".undo", _anchor="k-blocked"), 303)
