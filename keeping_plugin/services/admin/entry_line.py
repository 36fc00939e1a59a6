"""One action of one message as people read it, in the panel and on the Activity page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keeping_plugin.errors import Complaint
from keeping_plugin.models import Connection, Decision, EntryState, SyncEntry
from keeping_plugin.objects import LEAD, PEOPLE, TASK, record_page
from keeping_plugin.rules import GIVES_WAY
from keeping_plugin.services.automation.decisions import verdicts_of
from keeping_plugin.services.automation.explain import refusals
from keeping_plugin.services.ledger.copies import LoggedCopy
from keeping_plugin.services.ledger.outcome import MADE
from keeping_plugin.types import Action
from keeping_plugin.wording.actions import TITLES
from keeping_plugin.wording.entries import BY_HAND, LEAD_CREATED, NOTES, entry_sentence
from keeping_plugin.wording.pauses import Pause, pause_of
from keeping_plugin.wording.salesforce_errors import ErrorSentence, explained

REFUSED = "refused"  # the state of what the rules did not grant
OUTCOME_UNKNOWN = "outcome_unknown"
_GONE = frozenset({"message_deleted", "mailbox_deleted"})  # there is nothing left to log

# The first characters of a Salesforce id tell its object: an address that "exists" may be a Lead's.
_OBJECTS: Mapping[str, str] = {row.prefix: row.name for row in (*PEOPLE, TASK)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One action of one message. `state` is an EntryState or `refused`; `reasons` are sentences;
    `url` leads to the record that was made or found. `retryable`: a person may try it again;
    `unsettled`: nobody knows whether it arrived, and a person may say so; `undoable`: an admin may
    have its record deleted again. `pause` is why it waits with every other message of the
    connection: a page says so once, JSON beside each. `copy` is where the same mail was logged, if
    it was not logged here. `loggable`: an agent may have it logged by hand; `stoppable`: an agent
    may choose not to."""

    entry_id: int | None
    action: str
    state: str
    reason: str = ""
    reasons: tuple[str, ...] = ()
    complaints: tuple[tuple[Complaint, ErrorSentence | None], ...] = ()
    url: str = ""
    retryable: bool = False
    unsettled: bool = False
    pause: Pause | None = None
    copy: LoggedCopy | None = None
    undoable: bool = False
    loggable: bool = False
    stoppable: bool = False

    @property
    def tag(self) -> str:
        """Its key in wording.entries.STATE_TAGS."""
        return "held" if self.reason == "held" else self.state

    @property
    def stranded(self) -> bool:
        """Failed, and nobody can try it again: its connection is no longer live."""
        return self.state == EntryState.FAILED and not self.retryable

    def as_json(self) -> dict[str, Any]:
        return {
            "entry_id": self.entry_id,
            "action": self.action,
            "state": self.state,
            "reason": self.reason or None,
            "reasons": [*self.reasons, *([self.pause.sentence] if self.pause else ())],
            "complaints": [
                complaint.message
                for complaint, _ in self.complaints or (self.pause.complaints if self.pause else ())
            ],
            "url": self.url or None,
            "retryable": self.retryable,
            "loggable": self.loggable,
            "stoppable": self.stoppable,
        }


def line_of(entry: SyncEntry, connection: Connection, copy: LoggedCopy | None = None) -> Line:
    """An entry, given the connection it belongs to and the copy that was logged in its place."""
    words = tuple(Complaint(code, text, tuple(names)) for code, text, names in entry.words or ())
    sentence = entry_sentence(entry.reason, entry.state)
    if entry.reason == "created" and (entry.record_id or "").startswith(LEAD.prefix):
        sentence = LEAD_CREATED
    unsettled = entry.state in (EntryState.PENDING, EntryState.SENDING, EntryState.WAITING)
    pause = pause_of(connection.pause_reason, connection.pause_words) if unsettled else None
    if pause is not None and entry.reason in ("", pause.reason):
        sentence = "Waiting: logging is paused."
    retryable = connection.is_live and entry.state == EntryState.FAILED
    by_hand = BY_HAND.format(agent=entry.by_agent) if entry.by_agent else ""
    logs = entry.action == Action.LOG_TASK
    return Line(
        entry_id=entry.id,
        action=TITLES[Action(entry.action)],
        state=entry.state,
        reason=entry.reason,
        reasons=tuple(filter(None, (sentence, NOTES.get(entry.note or "", ""), by_hand))),
        complaints=tuple(explained(words)),
        url=record_url(connection.instance_url, entry.record_id or entry.contact_id),
        retryable=retryable,
        unsettled=retryable and entry.reason == OUTCOME_UNKNOWN,
        pause=pause,
        copy=copy,
        undoable=connection.is_live and entry.state == EntryState.DONE and entry.reason in MADE,
        loggable=logs
        and entry.state == EntryState.CANCELLED
        and entry.sent_at is None
        and entry.reason not in _GONE,
        stoppable=logs and entry.state in (EntryState.PENDING, EntryState.WAITING),
    )


def record_url(instance_url: str, record_id: str | None) -> str:
    """Where Salesforce shows a Contact, Lead or Task; "" for none, and for another kind of id."""
    object = _OBJECTS.get(record_id[:3]) if record_id else None
    return record_page(instance_url, object, record_id) if object and record_id else ""


def refused_lines(decision: Decision) -> tuple[Line, ...]:
    """What the rules did not grant of a message, each with every reason."""
    facts = decision.facts or {}
    agent = facts.get("asked_by") or facts.get("kept_out_by")
    by_hand = (BY_HAND.format(agent=agent),) if agent else ()
    return tuple(
        Line(
            entry_id=None,
            action=TITLES[verdict.action],
            state=REFUSED,
            reasons=(*refusals(verdict), *(by_hand if verdict.action == Action.LOG_TASK else ())),
            loggable=verdict.action == Action.LOG_TASK and GIVES_WAY.issuperset(verdict.reasons),
        )
        for verdict in verdicts_of(decision)
        if verdict.reasons
    )
