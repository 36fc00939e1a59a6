"""The company's list of skipped domains, on the Automation tab."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.settings.automation import of_mailbox, page
from keeping_plugin.blueprints.web import notices
from keeping_plugin.blueprints.web.reader import number_text
from keeping_plugin.errors import InvalidInput
from keeping_plugin.services.automation import skip_list
from keeping_plugin.services.automation.skip_list import BadLine
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Agent

_WARNINGS = 5  # as many as somebody reads
_BUTTONS = frozenset({"add", "remove", "log", "unlog"})


def change_list() -> ResponseReturnValue:
    """`add` what was typed, or `remove`, `log` or `unlog` one domain. What cannot be read is said
    line by line, with everything typed still there, and nothing is added."""
    agent, mailboxes, chosen = of_mailbox()
    what, _, domain = request.form.get("do", "add").partition(":")
    if what not in _BUTTONS:
        raise InvalidInput("Unknown action.", field="do")
    if what != "add":
        _change_one(agent, what, domain)
        return _back(f"k-skip-{domain}" if what != "remove" else "k-skip")
    typed = request.form.get("domains", "")
    skip_logging = "skip_logging" in request.form
    domains, bad = skip_list.read_lines(typed)
    problems = [_sentence(line) for line in bad]
    if not domains and not problems:
        problems = ["Type at least one domain, such as acme.com."]
    if not problems:
        try:
            with current_runtime().database.write() as session:
                skip_list.add(session, agent, domains, skip_logging=skip_logging)
        except InvalidInput as error:
            problems = [str(error)]
    if problems:
        typing = {"problems": problems, "typed": typed, "typed_skip_logging": skip_logging}
        return page(agent, mailboxes, chosen, **typing), 422
    count = len(domains)
    notices.add_notice(
        f"{number_text(count)} {'domain is' if count == 1 else 'domains are'} now skipped."
    )
    for sentence in skip_list.warnings(domains)[:_WARNINGS]:
        notices.add_notice(sentence, good=False)
    return _back("k-domains")


def _back(place: str) -> ResponseReturnValue:
    """The page where the admin was: browsers focus and show what the fragment names."""
    mailbox = request.args.get("mailbox")
    return redirect(url_for(".automation", mailbox=mailbox, _anchor=place), 303)


def _sentence(line: BadLine) -> str:
    return f"Line {line.number}, “{line.text}”: {line.sentence}"


def _change_one(agent: Agent, what: str, domain: str) -> None:
    """Nothing happens to a domain that somebody else took off meanwhile."""
    with current_runtime().database.write() as session:
        if what == "remove":
            skip_list.remove(session, agent, domain)
        else:
            skip_list.set_logging(session, agent, domain, skip_logging=what == "unlog")
