"""What the automations did, for the settings' Activity page: counts by day and mailbox, and lists.

An entry counts for the day (UTC) on which its message was judged, so that a Task logged after a
week of waiting stands beside the message it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, case, func, literal_column, null, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from keeping_plugin.models import Decision, EntryState, SyncEntry
from keeping_plugin.services.ledger.causes import FAILED, cause_of
from keeping_plugin.services.ledger.copies import ELSEWHERE
from keeping_plugin.types import Action

MAX_DAYS = 92  # of one look: a page is read, not exported


class Outcome(StrEnum):
    """What became of an action, in the words of an admin; REFUSED is of a whole message."""

    CREATED = "created"
    LOGGED = "logged"
    REFUSED = "refused"
    WAITING = "waiting"
    FAILED = "failed"
    HELD = "held"
    ON_ITS_WAY = "on_its_way"
    NOTHING_TO_ADD = "nothing_to_add"
    NOT_SENT = "not_sent"
    UNDONE = "undone"


REFUSED = text("keeping_decision.refused")  # as a column SQLite would be asked for "= 1"

CONDITIONS: Mapping[Outcome, ColumnElement[bool]] = {
    Outcome.CREATED: (SyncEntry.state == EntryState.DONE) & (SyncEntry.reason == "created"),
    Outcome.LOGGED: (SyncEntry.state == EntryState.DONE)
    & (SyncEntry.action != Action.ADD_CONTACT)
    & SyncEntry.reason.not_in((ELSEWHERE, "undone")),
    Outcome.NOTHING_TO_ADD: (SyncEntry.state == EntryState.DONE)
    & (
        (SyncEntry.action == Action.ADD_CONTACT) & SyncEntry.reason.not_in(("created", "undone"))
        | (SyncEntry.reason == ELSEWHERE)
    ),
    Outcome.HELD: (SyncEntry.state == EntryState.PENDING) & (SyncEntry.reason == "held"),
    Outcome.ON_ITS_WAY: SyncEntry.state.in_((EntryState.PENDING, EntryState.SENDING))
    & (SyncEntry.reason != "held"),
    Outcome.WAITING: SyncEntry.state == EntryState.WAITING,
    Outcome.FAILED: FAILED,
    Outcome.NOT_SENT: SyncEntry.state == EntryState.CANCELLED,
    Outcome.UNDONE: (SyncEntry.state == EntryState.DONE) & (SyncEntry.reason == "undone"),
}


def outcome_of(action: str, state: str, reason: str) -> Outcome:
    """The outcome of an entry, as its condition above says it."""
    match state:
        case EntryState.DONE if reason == "created":
            return Outcome.CREATED
        case EntryState.DONE if reason == "undone":
            return Outcome.UNDONE
        case EntryState.DONE:
            adds = action == Action.ADD_CONTACT
            return Outcome.NOTHING_TO_ADD if adds or reason == ELSEWHERE else Outcome.LOGGED
        case EntryState.WAITING:
            return Outcome.WAITING
        case EntryState.PENDING if reason == "held":
            return Outcome.HELD
        case EntryState.FAILED:
            return Outcome.FAILED
        case EntryState.CANCELLED:
            return Outcome.NOT_SENT
        case _:
            return Outcome.ON_ITS_WAY


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in UTC, both ends included."""

    first: date
    last: date

    @property
    def days(self) -> tuple[date, ...]:
        count = (self.last - self.first).days + 1
        return tuple(self.first + timedelta(days=number) for number in range(count))

    def holds(self, column: InstrumentedAttribute[datetime]) -> ColumnElement[bool]:
        """A time within the period."""
        since = datetime.combine(self.first, time.min, UTC)
        until = datetime.combine(self.last + timedelta(days=1), time.min, UTC)
        return (column >= since) & (column < until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is listed. Empty texts leave out that question; `reason` is a code or a whole cause
    (services/causes). `outcome` REFUSED lists the messages of which the rules granted nothing,
    `reason` is then a check's code."""

    period: Period
    mailbox_id: str = ""
    outcome: Outcome | None = None
    action: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """So many actions of one day and mailbox ended alike; of REFUSED, so many messages, of no one
    action, with every code that refused them."""

    day: str
    mailbox_id: str
    outcome: Outcome
    number: int
    action: str
    codes: frozenset[str]

    def passes(self, wanted: Filter) -> bool:
        """Whether the filter lets these through, its period aside."""
        return (
            wanted.mailbox_id in ("", self.mailbox_id)
            and self.outcome in ({wanted.outcome} if wanted.outcome else CONDITIONS)
            and (not wanted.action or self.action in ("", wanted.action))
            and (not wanted.reason or wanted.reason in self.codes)
        )


def counts(session: Session, company_id: str, period: Period) -> Sequence[Count]:
    """Everything of a period, counted: two grouping queries."""
    return [*_entry_counts(session, company_id, period), *_refused(session, company_id, period)]


def _day(session: Session, column: InstrumentedAttribute[datetime]) -> ColumnElement[str]:
    if session.get_bind().dialect.name == "sqlite":
        return func.substr(column, 1, 10)  # 2026-05-06 09:30:00.000000, UTC
    return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD")


def _entry_counts(session: Session, company_id: str, period: Period) -> Iterator[Count]:
    keys = (
        _day(session, SyncEntry.created_at).label("day"),
        SyncEntry.mailbox_id,
        SyncEntry.action,
        SyncEntry.state,
        SyncEntry.reason,
        # What Salesforce said, of failures only: it tells their causes apart.
        case((FAILED, SyncEntry.words), else_=null()),
    )
    rows = session.execute(
        select(*keys, func.count())
        .where(SyncEntry.company_id == company_id, period.holds(SyncEntry.created_at))
        .group_by(literal_column("1"), *keys[1:-1], literal_column("6"))
    )
    for day, mailbox_id, action, state, reason, words, number in rows:
        outcome = outcome_of(action, state, reason)
        codes = frozenset({reason, cause_of(reason, words)} - {""})
        yield Count(day, mailbox_id, outcome, number, action, codes)


def _refused(session: Session, company_id: str, period: Period) -> Iterator[Count]:
    # Grouped by the verdicts as they stand: there are few combinations of reasons.
    keys = (
        _day(session, Decision.decided_at).label("day"),
        Decision.mailbox_id,
        Decision.verdicts,
    )
    rows = session.execute(
        select(*keys, func.count())
        .where(Decision.company_id == company_id, REFUSED, period.holds(Decision.decided_at))
        .group_by(literal_column("1"), *keys[1:])
    )
    for day, mailbox_id, verdicts, number in rows:
        codes = frozenset(code for _, reasons in verdicts for code in reasons)
        yield Count(day, mailbox_id, Outcome.REFUSED, number, "", codes)
