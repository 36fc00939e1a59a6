"""What became of each message of a conversation, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.errors import Complaint, NotFound
from keeping_plugin.models import Connection, Decision, EntryState, SyncEntry
from keeping_plugin.services.decisions import verdicts_of
from keeping_plugin.services.entry_sentences import entry_sentence
from keeping_plugin.services.error_sentences import ErrorSentence, explained
from keeping_plugin.services.explain import TITLES, refusals
from keeping_plugin.types import Action

_MOST = 200  # messages of one conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One action of one message. `state` is an EntryState or `refused`; `reasons` are sentences;
    `url` leads to the record that was made."""

    entry_id: int | None
    action: str
    state: str
    reason: str = ""
    reasons: tuple[str, ...] = ()
    complaints: tuple[tuple[Complaint, ErrorSentence | None], ...] = ()
    url: str = ""
    retryable: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "entry_id": self.entry_id,
            "action": self.action,
            "state": self.state,
            "reason": self.reason or None,
            "reasons": list(self.reasons),
            "complaints": [complaint.message for complaint, _ in self.complaints],
            "url": self.url or None,
            "retryable": self.retryable,
        }


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
        raise NotFound("There is no such entry in this conversation.")
    return entry


def conversation_log(
    session: Session, company_id: str, conversation_id: str
) -> Sequence[LoggedMessage]:
    """The latest messages of a conversation that the rules have seen, newest first."""
    decisions = session.scalars(
        select(Decision)
        .where(Decision.company_id == company_id, Decision.conversation_id == conversation_id)
        .order_by(Decision.id.desc())
        .limit(_MOST)
    ).all()
    rows = session.execute(
        select(SyncEntry, Connection.instance_url, Connection.current, Connection.status)
        .join(Connection, Connection.id == SyncEntry.connection_id)
        .where(SyncEntry.company_id == company_id, SyncEntry.conversation_id == conversation_id)
    ).all()
    entries: dict[tuple[int, str, str], Any] = {
        (entry.connection_id, entry.message_id, entry.action): (entry, url, current)
        for entry, url, current, _ in rows
    }
    return [_message(decision, entries) for decision in decisions]


def _message(decision: Decision, entries: dict[tuple[int, str, str], Any]) -> LoggedMessage:
    lines = []
    for verdict in verdicts_of(decision):
        found = entries.get((decision.connection_id, decision.message_id, verdict.action))
        if found is not None:
            lines.append(_line(*found))
        elif verdict.reasons:
            reasons = refusals(verdict)
            action = TITLES[verdict.action]
            lines.append(Line(entry_id=None, action=action, state="refused", reasons=reasons))
    facts = decision.facts or {}
    return LoggedMessage(
        message_id=decision.message_id,
        decided_at=decision.decided_at,
        occasion=decision.occasion,
        inbound=facts.get("inbound"),
        lines=tuple(lines),
    )


def _line(entry: SyncEntry, instance_url: str, current: bool) -> Line:
    object = "Contact" if entry.action == Action.ADD_CONTACT else "Task"
    made = entry.state == EntryState.DONE and entry.record_id
    words = tuple(Complaint(code, text, tuple(names)) for code, text, names in entry.words or ())
    return Line(
        entry_id=entry.id,
        action=TITLES[Action(entry.action)],
        state=entry.state,
        reason=entry.reason,
        reasons=(entry_sentence(entry.reason),) if entry.reason else (),
        complaints=tuple(explained(words)),
        url=f"{instance_url}/lightning/r/{object}/{entry.record_id}/view" if made else "",
        retryable=current and entry.state == EntryState.FAILED,
    )
