"""What became of each message of a conversation, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.errors import NotFound
from keeping_plugin.models import Connection, Decision, EntryState, SyncEntry
from keeping_plugin.services.admin.entry_line import Line, line_of, refused_lines
from keeping_plugin.services.automation.by_hand import ByHand
from keeping_plugin.services.automation.decisions import verdicts_of
from keeping_plugin.services.ledger.copies import logged_copies
from keeping_plugin.types import Action
from keeping_plugin.wording.actions import TITLES
from keeping_plugin.wording.entries import COUNTED, TOO_LATE

_SENT = frozenset({EntryState.SENDING, EntryState.DONE})
_MAX_MESSAGES = 200  # messages of one conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedMessage:
    """One message on one occasion. `inbound` is None when its facts are no longer kept."""

    message_id: str
    decided_at: datetime
    occasion: str
    inbound: bool | None
    lines: tuple[Line, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "message_id": self.message_id,
            "decided_at": self.decided_at.isoformat(),
            "occasion": self.occasion,
            "inbound": self.inbound,
            "actions": [line.as_json() for line in self.lines],
        }


class LogFace(NamedTuple):
    """A conversation's log in one line: how many messages are logged, waiting and so on, each with
    its tone, and why the latest that is not logged is not ("" when all are)."""

    counts: tuple[tuple[str, str], ...]
    why: str


def face_of(messages: Sequence[LoggedMessage]) -> LogFace:
    """Count messages, each as it stands after its latest decision. A Contact that could not be
    added counts as a failure of its message."""
    lines: dict[str, Line] = {}
    for message in messages:
        logging = [line for line in message.lines if line.action == TITLES[Action.LOG_TASK]]
        failed = [line for line in message.lines if line.state == EntryState.FAILED]
        for line in (*failed, *logging)[:1]:
            lines.setdefault(message.message_id, line)
    states = Counter(line.state for line in lines.values())
    counts = [
        (sum(states[state] for state in counted), text, tone) for counted, text, tone in COUNTED
    ]
    open_first = sorted(lines.values(), key=lambda line: line.state != EntryState.FAILED)
    why = next((_why(line) for line in open_first if line.state != EntryState.DONE), "")
    return LogFace(tuple((f"{count} {text}", tone) for count, text, tone in counts if count), why)


def _why(line: Line) -> str:
    """Salesforce's own words, else the first of ours."""
    told = [complaint.message for complaint, _ in line.complaints]
    return next(iter((*told, *line.reasons)), "")


def entry_of(session: Session, company_id: str, conversation_id: str, entry_id: int) -> SyncEntry:
    """An entry of this conversation. Raises NotFound."""
    entry = session.scalar(
        select(SyncEntry).where(
            SyncEntry.id == entry_id,
            SyncEntry.company_id == company_id,
            SyncEntry.conversation_id == conversation_id,
        )
    )
    if entry is None:
        raise NotFound("This entry is not part of this conversation.")
    return entry


def conversation_log(
    session: Session, company_id: str, conversation_id: str, by_hand: ByHand
) -> Sequence[LoggedMessage]:
    """The latest messages of a conversation that the rules have evaluated, newest first. What an
    agent may decide about a message is on its latest decision."""
    decisions = session.scalars(
        select(Decision)
        .where(Decision.company_id == company_id, Decision.conversation_id == conversation_id)
        .order_by(Decision.id.desc())
        .limit(_MAX_MESSAGES)
    ).all()
    rows = session.execute(
        select(SyncEntry, Connection)
        .join(Connection, Connection.id == SyncEntry.connection_id)
        .where(SyncEntry.company_id == company_id, SyncEntry.conversation_id == conversation_id)
    ).all()
    copies = logged_copies(session, [entry for entry, _ in rows])
    lines = {
        (entry.connection_id, entry.message_id, entry.action): line_of(
            entry, connection, copies.get(entry.id)
        )
        for entry, connection in rows
    }
    latest = {decision.message_id: decision.id for decision in reversed(decisions)}
    return [
        _message(decision, lines, by_hand, latest[decision.message_id] == decision.id)
        for decision in decisions
    ]


def _message(
    decision: Decision,
    known: Mapping[tuple[int, str, str], Line],
    by_hand: ByHand,
    is_latest: bool,
) -> LoggedMessage:
    refused = {line.action: line for line in refused_lines(decision)}
    lines = []
    for verdict in verdicts_of(decision):
        key = (decision.connection_id, decision.message_id, verdict.action)
        line = known.get(key) or refused.get(TITLES[verdict.action])
        if line is not None:
            line = replace(
                line,
                loggable=line.loggable and is_latest and by_hand.may_log,
                stoppable=line.stoppable and is_latest and by_hand.may_keep_out,
            )
            kept_out = by_hand.kept_out.get(decision.message_id)
            if kept_out is not None and line.state in _SENT and verdict.action == Action.LOG_TASK:
                too_late = TOO_LATE.format(agent=kept_out.agent)
                line = replace(line, reasons=(*line.reasons, too_late))
            lines.append(line)
    facts = decision.facts or {}
    return LoggedMessage(
        message_id=decision.message_id,
        decided_at=decision.decided_at,
        occasion=decision.occasion,
        inbound=facts.get("inbound"),
        lines=tuple(lines),
    )
