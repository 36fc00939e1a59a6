"""The Activity tab: what the automations did, what failed and what a person may do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.settings.activity_chart import LABELS, chart, day_text
from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards, notices
from keeping_plugin.blueprints.web.form_input import row_id
from keeping_plugin.errors import InvalidInput, NotFound
from keeping_plugin.forms.activity import ActivityForm, place_text, read_place
from keeping_plugin.rules import CHECKS
from keeping_plugin.services.admin import activity as activities
from keeping_plugin.services.admin.activity import MAX_DAYS, Count, Outcome, Period
from keeping_plugin.services.admin.activity_list import listed
from keeping_plugin.services.admin.api_budget import budget
from keeping_plugin.services.admin.held import people_held
from keeping_plugin.services.admin.overview import standing
from keeping_plugin.services.connection import connect
from keeping_plugin.services.ledger import retry
from keeping_plugin.services.ledger.causes import Cause, causes, sentence
from keeping_plugin.services.metering import FEATURES
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Agent, Mailbox
from keeping_plugin.wording.actions import TITLES
from keeping_plugin.wording.activity import PRESSED, retry_all_label
from keeping_plugin.wording.connection import INTERRUPTIONS
from keeping_plugin.wording.entries import STATE_TAGS


@dataclass(frozen=True, slots=True)
class Reason:
    """A choice of the filter."""

    code: str
    sentence: str


def activity() -> ResponseReturnValue:
    """Show what the address's filter lets through, or do what one of its buttons says."""
    agent = guards.admin()
    mailboxes = list(current_runtime().helpdesk.mailboxes(agent.company_id))
    guards.end_host_transaction()
    form = ActivityForm.read(request.args, datetime.now(UTC).date())
    if request.method == "POST":
        current_runtime().rate.hit(agent.company_id, agent.id)
        _act(agent, request.form.get("do", ""))
        return redirect(_url(form.args(), "k-list"), 303)
    return _page(agent, mailboxes, form), 422 if form.problems else 200


def _page(agent: Agent, mailboxes: Sequence[Mailbox], form: ActivityForm) -> str:
    runtime, company_id = current_runtime(), agent.company_id
    wanted = form.filter
    if wanted.reason in CHECKS:
        wanted = replace(wanted, outcome=Outcome.REFUSED)
    after = read_place(request.args.get("after", ""))
    with runtime.database.read() as session:
        found = connect.current(session, company_id)
        counts = activities.counts(session, company_id, wanted.period)
        failures = causes(session, company_id)
        page = listed(session, company_id, wanted, after=after)
        held = people_held(session, found.id) if found else 0
        allowance = budget(session, found, share=runtime.config.budget_share) if found else None
    names = _names(mailboxes, counts)
    if wanted.mailbox_id and wanted.mailbox_id not in names:
        raise NotFound("This mailbox does not exist.")
    named = [row.conversation_id for row in page.rows]
    named += [line.copy.conversation_id for row in page.rows for line in row.lines if line.copy]
    return render_template(
        "keeping/settings/activity.html",
        tabs=tabs("activity"),
        connected=found is not None,
        interruption=INTERRUPTIONS.get(standing(found)),
        form=form,
        wanted=wanted,
        chart=chart(counts, wanted.period),
        day_text=day_text,
        link=lambda **changes: _url(form.args(**changes), "k-list"),
        ranges=_ranges(form),
        total=sum(count.number for count in counts if count.passes(wanted)),
        mailboxes=names,
        outcomes=LABELS,
        actions=TITLES,
        reasons=_reasons(counts),
        causes=failures,
        held=held,
        since=_since,
        rows=page.rows,
        conversations=guards.visible(agent, named),
        later=place_text(page.following) if page.following else "",
        first=after is None,
        budget=allowance,
        features=FEATURES,
        tags=STATE_TAGS,
        retry_all_label=retry_all_label,
    )


def _url(args: Mapping[str, str], anchor: str | None = None) -> str:
    values: dict[str, Any] = dict(args)
    return url_for(".activity", **values, _anchor=anchor)


def _names(mailboxes: Iterable[Mailbox], counts: Iterable[Count]) -> dict[str, str]:
    """Mailboxes by id, those too that were deleted since."""
    names = {mailbox.id: mailbox.name for mailbox in mailboxes}
    for count in counts:
        names.setdefault(count.mailbox_id, f"Deleted mailbox ({count.mailbox_id})")
    return names


def _ranges(form: ActivityForm) -> list[tuple[str, str, bool]]:
    """The usual periods: label, address, whether it is this one."""
    period, today = form.filter.period, datetime.now(UTC).date()
    ranges = []
    for days in (14, 30):
        first = today - timedelta(days=days - 1)
        address = _url(form.args(**{"from": first.isoformat(), "to": None}))
        ranges.append((f"{days} days", address, period == Period(first, today)))
    return ranges


def _reasons(counts: Iterable[Count]) -> tuple[list[Reason], list[Reason]]:
    """The reasons of a period that may be chosen: of entries, and of the rules' refusals."""
    of_entries: set[str] = set()
    of_rules: set[str] = set()
    for count in counts:
        (of_rules if count.outcome is Outcome.REFUSED else of_entries).update(count.codes)
    return (
        sorted((Reason(code, sentence(code)) for code in of_entries), key=_by_sentence),
        [Reason(code, check.refusal) for code, check in CHECKS.items() if code in of_rules],
    )


def _by_sentence(reason: Reason) -> str:
    return reason.sentence


def _since(cause: Cause) -> str:
    """The day from which the list shows a cause."""
    earliest = datetime.now(UTC).date() - timedelta(days=MAX_DAYS - 1)
    return max(cause.oldest.date(), earliest).isoformat()


def _act(agent: Agent, do: str) -> None:
    """`again`, `there` and `send` are about one entry, `all` about one cause."""
    what, _, name = do.partition(":")
    if what == "all":
        _try_all(agent, name)
        return
    runtime, entry_id = current_runtime(), row_id(name)
    if what not in PRESSED or entry_id is None:
        raise NotFound("Unknown action.")
    try:
        with runtime.database.write() as session:
            if what == "there":
                retry.it_is_there(session, agent, entry_id)
                rung = []
            elif what == "send":
                rung = [retry.send_again(session, agent, entry_id)]
            else:
                rung = [retry.try_again(session, agent, entry_id)]
    except InvalidInput as error:  # it changed since the page was loaded
        notices.add_notice(str(error), good=False)
        return
    runtime.queue.ring(rung)
    notices.add_notice(PRESSED[what])


def _try_all(agent: Agent, cause: str) -> None:
    runtime = current_runtime()
    rung = retry.try_all_again(runtime.database, agent, cause)
    if rung is not None:
        runtime.queue.ring([rung])
        notices.add_notice(PRESSED["all"])
    else:
        notices.add_notice("There is nothing left to try again.", good=False)
