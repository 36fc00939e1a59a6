"""The Audit tab: who did what in this company, newest first."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards
from keeping_plugin.blueprints.web.reader import number_text
from keeping_plugin.errors import InvalidInput
from keeping_plugin.forms.activity import place_text, read_place
from keeping_plugin.forms.days import UNREADABLE, read_day
from keeping_plugin.services.admin.audit_trail import ActorFilter, AuditFilter, trail
from keeping_plugin.state import current_runtime

_LABELS = {
    ActorFilter.ALL: "Everything",
    ActorFilter.PEOPLE: "People",
    ActorFilter.AUTOMATIC: "Automatic",
    ActorFilter.REFUSED: "Refused",
}
# A record's id, or the address of its page.
_RECORD = re.compile(r"(?:.*/)?([A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?)(?:/view)?/?", re.ASCII)


def audit() -> ResponseReturnValue:
    """One page of the trail; `?whose=` is an ActorFilter, `?person=` an agent's id, `?day=` a day
    in UTC, `?record=` a record's id or its page in Salesforce; `?after=` names where it begins."""
    agent = guards.admin()
    runtime = current_runtime()
    mailboxes = {box.id: box.name for box in runtime.helpdesk.mailboxes(agent.company_id)}
    guards.end_host_transaction()
    typed = {name: request.args.get(name, "").strip()[:255] for name in ("person", "day", "record")}
    problems: dict[str, str] = {}
    wanted = AuditFilter(
        whose=_whose(request.args.get("whose", "")),
        agent_id=typed["person"],
        day=_day(typed["day"], problems),
        record_id=_record(typed["record"], problems),
    )
    after = read_place(request.args.get("after", ""))
    with runtime.database.read() as session:
        found = trail(
            session,
            agent.company_id,
            wanted=wanted,
            after=after,
            mailboxes=mailboxes,
            count=number_text,
        )
    following = found.following
    page = render_template(
        "keeping/settings/audit.html",
        tabs=tabs("audit"),
        agent=agent,
        deeds=() if problems else found.deeds,
        people=found.people,
        typed=typed,
        whose=wanted.whose,
        problems=problems,
        narrowed=any(typed.values()),
        keep_days=runtime.config.keep_days,
        filters=[
            (label, _url(each, typed), each is wanted.whose) for each, label in _LABELS.items()
        ],
        newest=_url(wanted.whose, typed) if after is not None else "",
        older=_url(wanted.whose, typed, after=place_text(following)) if following else "",
    )
    return page, 422 if problems else 200


def _whose(text: str) -> ActorFilter:
    try:
        return ActorFilter(text)
    except ValueError as error:
        raise InvalidInput(
            "The filter must be people, automatic or refused, or left out."
        ) from error


def _day(text: str, problems: dict[str, str]) -> date | None:
    if not text:
        return None
    day = read_day(text)
    if day is None:
        problems["day"] = UNREADABLE
    return day


def _record(text: str, problems: dict[str, str]) -> str:
    if not text:
        return ""
    found = _RECORD.fullmatch(text)
    if found is None:
        problems["record"] = "Enter the id of a record, or the address of its page in Salesforce."
        return ""
    return found[1]


def _url(whose: ActorFilter, typed: dict[str, str], *, after: str | None = None) -> str:
    kept: dict[str, Any] = {name: value for name, value in typed.items() if value}
    return url_for(".audit", whose=whose.value or None, after=after, **kept)
