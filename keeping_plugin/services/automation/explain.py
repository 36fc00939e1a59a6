"""Why, or why not: every rule with its checks, for `flask keeping explain`, the panel and the
settings alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.models import Decision, SyncEntry
from keeping_plugin.ports import HelpDesk
from keeping_plugin.rules import CHECKS, RULES, RULES_VERSION, Facts, Rule, Verdict
from keeping_plugin.services.automation.decisions import facts_of, rules_of, verdicts_of
from keeping_plugin.services.automation.policy import read_policy, read_switches
from keeping_plugin.types import Action, MessageArrived
from keeping_plugin.wording.actions import TITLES
from keeping_plugin.wording.terminal import escaped


@dataclass(frozen=True, slots=True)
class ExplainedCheck:
    """One requirement: `sentence` says what holds, or why it refuses."""

    code: str
    holds: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class ExplainedVerdict:
    """One rule's verdict with every check of the rule, in the table's order."""

    action: Action
    title: str
    on: str
    granted: bool
    checks: tuple[ExplainedCheck, ...]


def explained(facts: Facts, rules: Iterable[Rule] = RULES) -> tuple[ExplainedVerdict, ...]:
    """What each rule makes of these facts."""
    return tuple(_explained(rule, facts) for rule in rules)


def _explained(rule: Rule, facts: Facts) -> ExplainedVerdict:
    checks = []
    for check in rule.require:
        holds = check.holds(facts)
        checks.append(ExplainedCheck(check.code, holds, check.sentence if holds else check.refusal))
    granted = all(check.holds for check in checks)
    return ExplainedVerdict(rule.action, TITLES[rule.action], rule.on, granted, tuple(checks))


def refusals(verdict: Verdict) -> tuple[str, ...]:
    """The sentences of a verdict's reasons; a code that an older release knew stands for itself."""
    return tuple(CHECKS[code].refusal if code in CHECKS else code for code in verdict.reasons)


def judge_now(session: Session, helpdesk: HelpDesk, message: MessageArrived) -> Facts:
    """The facts of a message, real or made up, under today's policy. Nothing is written."""
    database = session.connection()
    switches = read_switches(database, message.company_id, message.mailbox_id)
    policy = read_policy(
        database, helpdesk, [message], company_id=message.company_id, switches=switches
    )
    return Facts.of(message, policy)


def explain_message(
    session: Session, helpdesk: HelpDesk, company_id: str, message_id: str
) -> list[str]:
    """Plain lines: how a message was judged each time, what became of it, and how it would be
    judged now; none when there is no such message and no Decision."""
    decisions = session.scalars(
        select(Decision)
        .where(Decision.company_id == company_id, Decision.message_id == message_id)
        .order_by(Decision.id)
    ).all()
    entries = session.scalars(
        select(SyncEntry)
        .where(SyncEntry.company_id == company_id, SyncEntry.message_id == message_id)
        .order_by(SyncEntry.id)
    ).all()
    lines: list[str] = []
    for decision in decisions:
        lines += [*_decided(decision), ""]
    lines += [*map(_entry, entries), ""] if entries else []
    for message in helpdesk.messages(company_id, [message_id]):
        if message.message_id == message_id:
            if not decisions:
                lines += [
                    "No decision is stored: the company was not connected when it arrived.",
                    "",
                ]
            return [*lines, *explain_facts(judge_now(session, helpdesk, message), "Evaluated now")]
    if not decisions:
        return []
    return [*lines, "The inbox no longer has this message."]


def explain_made_up(session: Session, helpdesk: HelpDesk, message: MessageArrived) -> list[str]:
    """The same for a message that nobody sent. Nothing is written."""
    return explain_facts(judge_now(session, helpdesk, message), "Example message")


def explain_facts(facts: Facts, heading: str, rules: Iterable[Rule] = RULES) -> list[str]:
    """Every fact, every rule, every check."""
    lines = [f"{heading} (rule set {RULES_VERSION})", "", "Facts", *_fact_lines(facts)]
    for verdict in explained(facts, rules):
        lines += ["", f"{verdict.title}: {'YES' if verdict.granted else 'NO'} ({verdict.on})"]
        width = max(len(check.code) for check in verdict.checks)
        lines += [
            f"  {'ok' if check.holds else 'NO'}  {check.code:{width}}  {check.sentence}"
            for check in verdict.checks
        ]
    return lines


def _fact_lines(facts: Facts) -> list[str]:
    width = max(map(len, Facts._fields))
    return [
        f"  {name:{width}}  {_plain(value)}"
        for name, value in zip(Facts._fields, facts, strict=True)
    ]


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value != "" else "-"


def _decided(decision: Decision) -> Sequence[str]:
    heading = f"Evaluated {_time(decision.decided_at)}, {decision.occasion}"
    facts = facts_of(decision)
    if facts is not None and decision.rules_version == RULES_VERSION:
        return explain_facts(facts, heading, rules_of(decision))
    lines = [f"{heading} (rule set {decision.rules_version}, today's is {RULES_VERSION})"]
    if decision.facts is None:
        lines.append("  Its facts have been deleted.")
    for verdict in verdicts_of(decision):
        lines.append(f"{TITLES[verdict.action]}: {'YES' if verdict.granted else 'NO'}")
        lines += [
            f"  NO  {code}  {sentence}"
            for code, sentence in zip(verdict.reasons, refusals(verdict), strict=True)
        ]
    return lines


def _entry(entry: SyncEntry) -> str:
    parts = [f"{TITLES[Action(entry.action)]}: {entry.state}"]
    parts += [f"({entry.reason})"] if entry.reason else []
    parts += [f"by hand: {escaped(entry.by_agent)}"] if entry.by_agent else []
    parts += [f"record {entry.record_id}"] if entry.record_id else []
    if entry.due_at is not None and entry.settled_at is None:
        parts.append(f"due {_time(entry.due_at)}")
    if entry.sent_at is not None:
        parts.append(f"sent {_time(entry.sent_at)}, outcome not known yet")
    return " ".join(parts)


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
