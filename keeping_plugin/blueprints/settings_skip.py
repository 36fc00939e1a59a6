"""The company's list of skipped domains, on the Automation tab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from keeping_plugin.blueprints import guards, notices
from keeping_plugin.blueprints.settings_automation import mailbox_named, page
from keeping_plugin.errors import InvalidInput
from keeping_plugin.services import audit, skip_list
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.skip_list import BadLine
from keeping_plugin.state import current_state
from keeping_plugin.types import Agent

_BUTTONS = frozenset({"add", "remove", "log", "unlog"})


@dataclass(frozen=True, slots=True)
class Change:
    """The list as it was read, changed as a button says."""

    skipped: frozenset[str]
    unlogged: frozenset[str]

    def with_domains(self, domains: Sequence[str], *, skip_logging: bool) -> Change:
        """These domains in one of the two lists, and not in the other."""
        some = frozenset(domains)
        if skip_logging:
            return Change(self.skipped - some, self.unlogged | some)
        return Change(self.skipped | some, self.unlogged - some)

    def with_more(self, domains: Sequence[str], *, skip_logging: bool) -> Change:
        """As `with_domains`, but what is not logged stays so: a list pasted again weakens
        nothing."""
        known = frozenset() if skip_logging else self.unlogged
        return self.with_domains(
            [domain for domain in domains if domain not in known], skip_logging=skip_logging
        )

    def without(self, domain: str) -> Change:
        return Change(self.skipped - {domain}, self.unlogged - {domain})


def register(bp: Blueprint) -> None:
    """Add the route of the list."""
    bp.add_url_rule("/settings/automation/skip", "automation_skip", change_list, methods=["POST"])


def change_list() -> ResponseReturnValue:
    """`add` what was typed, or `remove`, `log` or `unlog` one domain. What cannot be read is said
    line by line, with everything typed still there, and nothing is added."""
    agent = guards.admin()
    mailboxes = list(current_state().helpdesk.mailboxes(agent.company_id))
    chosen = mailbox_named(mailboxes, request.args.get("mailbox"))
    what, _, domain = request.form.get("do", "add").partition(":")
    if what not in _BUTTONS:
        raise InvalidInput("There is no such button on this page.", field="do")
    if what != "add":
        _change_one(agent, what, domain)
        return _back()
    typed = request.form.get("domains", "")
    skip_logging = "skip_logging" in request.form
    domains, bad = skip_list.read_lines(typed)
    problems = [_sentence(line) for line in bad]
    if not domains and not problems:
        problems = ["Type at least one domain, such as acme.com."]
    if not problems:
        try:
            _add(agent, domains, skip_logging=skip_logging)
        except InvalidInput as error:
            problems = [str(error)]
    if problems:
        typing = {"problems": problems, "typed": typed, "typed_skip_logging": skip_logging}
        return page(agent, mailboxes, chosen, **typing), 422
    count = len(domains)
    notices.say(f"{count:,} {'domain is' if count == 1 else 'domains are'} skipped now.")
    return _back()


def _back() -> ResponseReturnValue:
    mailbox = request.args.get("mailbox")
    return redirect(url_for(".automation", mailbox=mailbox, _anchor="k-skip"), 303)


def _sentence(line: BadLine) -> str:
    return f"Line {line.number}, “{line.text}”: {line.sentence}"


def _add(agent: Agent, domains: Sequence[str], *, skip_logging: bool) -> None:
    guards.end_host_transaction()
    with current_state().database.write() as session:
        change = _kept(session, agent).with_more(domains, skip_logging=skip_logging)
        _save(session, agent, change, detail=f"added {len(domains)}")


def _change_one(agent: Agent, what: str, domain: str) -> None:
    guards.end_host_transaction()
    with current_state().database.write() as session:
        kept = _kept(session, agent)
        if domain not in kept.skipped | kept.unlogged:
            return  # somebody else took it off meanwhile
        if what == "remove":
            change = kept.without(domain)
        else:
            change = kept.with_domains([domain], skip_logging=what == "unlog")
        _save(session, agent, change, detail=what)


def _kept(session: Session, agent: Agent) -> Change:
    found = skip_list.read(session, agent.company_id)
    return Change(frozenset(found.skipped), frozenset(found.unlogged))


def _save(session: Session, agent: Agent, change: Change, *, detail: str) -> None:
    if skip_list.save(session, agent.company_id, change.skipped, change.unlogged):
        audit.record(
            session,
            Audited.SKIP_LIST_CHANGED,
            company_id=agent.company_id,
            agent_id=agent.id,
            detail=detail,
        )
