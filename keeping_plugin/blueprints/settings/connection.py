"""The connection page: what Salesforce is connected, is it well, and how to end it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flask import (
    Response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards, notices
from keeping_plugin.blueprints.web.rendering import fragment
from keeping_plugin.errors import ConnectionBarred, KeepingError, NotFound
from keeping_plugin.fieldtypes import field_type
from keeping_plugin.services.admin.overview import ObjectChange, Overview, overview
from keeping_plugin.services.connection import barred, connect
from keeping_plugin.services.people import preflight as people
from keeping_plugin.services.schema import describe, preflight
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Agent
from keeping_plugin.wording.barred import barred_sentence
from keeping_plugin.wording.connection import STANDING_TAGS, Revocation, revocation
from keeping_plugin.wording.schema_changes import ChangeText, change_text, refresh_failure


def settings() -> ResponseReturnValue:
    """The page itself. It asks the database only: Salesforce may be as slow as it likes."""
    agent = guards.admin()
    with current_runtime().database.read() as session:
        page = overview(session, agent.company_id)
    return render_template(
        "keeping/settings/connection.html",
        page=page,
        agent=agent,
        tabs=tabs("settings"),
        standing_tag=STANDING_TAGS.get(page.standing),
        revocation=_revocation(page),
        **_schema_texts(page),
    )


def _revocation(page: Overview) -> Revocation | None:
    done = page.disconnect_summary
    last = done.revocation if done is not None else None
    return revocation(last.state, last.reason) if last is not None else None


def _schema_texts(page: Overview) -> Mapping[str, Any]:
    """What the region of the fields says about changes and about a refresh that failed."""
    schema = page.schema
    if schema is None:
        return {}
    return {
        "changes": [(item, _change_text(item)) for item in schema.changes],
        "failure": refresh_failure(schema.load.failed)
        if schema.load and schema.load.failed
        else "",
    }


def _change_text(item: ObjectChange) -> ChangeText:
    change = item.change
    return change_text(
        change.kind,
        shown=item.shown,
        finds=item.finds,
        was_required=change.required,
        label=item.label,
        was=field_type(change.was).label,
        now=field_type(change.now).label,
    )


def disconnect() -> ResponseReturnValue:
    """Ask first; then stop everything at once."""
    agent = guards.admin()
    if request.method == "POST":
        # Pressed twice, or done by somebody else meanwhile: the summary is the answer to both.
        with suppress(NotFound):
            connect.disconnect(current_runtime(), agent)
        return redirect(url_for(".settings"), 303)
    with current_runtime().database.read() as session:
        page = overview(session, agent.company_id)
    if page.connection is None:
        return redirect(url_for(".settings"), 303)
    return render_template("keeping/settings/disconnect.html", page=page, tabs=tabs("settings"))


def run_preflight() -> ResponseReturnValue:
    """Look at the org's rights now."""
    agent = guards.admin()
    connection_id = _connection_id(agent)
    if connection_id is None:
        return redirect(url_for(".settings"), 303)
    try:
        with current_runtime().turn(agent):
            # Whoever presses the button has mended something, or wants to know.
            barred.try_now(current_runtime().database, connection_id)
            preflight.check(
                current_runtime(), agent, connection_id, people.lines(current_runtime())
            )
    except ConnectionBarred as error:
        words = barred_sentence(error.reason, str(error))
        notices.add_notice(f"Salesforce still refuses the connection. {words}", good=False)
    except KeepingError as error:
        notices.add_notice(f"The check could not be completed. {error}", good=False)
    return redirect(url_for(".settings", _anchor="k-preflight"), 303)


def refresh_schema() -> ResponseReturnValue:
    """Have the schema described again, by the job."""
    agent = guards.admin()
    connection_id = _connection_id(agent)
    if connection_id is None:
        return redirect(url_for(".settings"), 303)
    runtime = current_runtime()
    runtime.rate.hit(agent.company_id, agent.id)
    describe.refresh(runtime, agent, connection_id)
    return redirect(url_for(".settings", _anchor="k-schema"), 303)


def schema_progress() -> Response:
    """How far the describe is and what it found: the region that the connection page polls."""
    agent = guards.admin()
    with current_runtime().database.read() as session:
        page = overview(session, agent.company_id)
    return fragment("keeping/settings/org_state.html", page=page, **_schema_texts(page))


def _connection_id(agent: Agent) -> int | None:
    """The live connection. None when there is none any more, which the next page then says: the
    button was pressed on a page opened before."""
    with current_runtime().database.read() as session:
        found = connect.current(session, agent.company_id)
    if found is None:
        notices.add_notice("Salesforce is no longer connected, so nothing was checked.", good=False)
        return None
    if found.lost_at is not None:
        notices.add_notice("The connection is lost, so nothing was checked.", good=False)
        return None
    return found.id
