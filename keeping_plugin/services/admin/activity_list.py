"""The Activity page's list: messages, newest first, with what became of each of their actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import ColumnElement, Text, or_, select, true, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from keeping_plugin.models import Connection, Decision, SyncEntry
from keeping_plugin.services.admin.activity import CONDITIONS, REFUSED, Filter, Outcome
from keeping_plugin.services.admin.entry_line import Line, line_of, refused_lines
from keeping_plugin.services.automation.decisions import is_backfill
from keeping_plugin.services.ledger.causes import has_cause
from keeping_plugin.services.ledger.copies import LoggedCopy, logged_copies
from keeping_plugin.types import Action
from keeping_plugin.wording.actions import TITLES

PAGE = 50  # rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One message: what became of each of its actions. `customer` is "" when it names none, or
    when its facts are no longer kept."""

    at: datetime
    mailbox_id: str
    conversation_id: str
    message_id: str
    customer: str
    backfilled: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list begins: behind this row."""

    at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, newest first; `following` is where the next page begins, None at the end."""

    rows: Sequence[Activity]
    following: Place | None


def listed(
    session: Session, company_id: str, wanted: Filter, *, after: Place | None = None
) -> Page:
    """One page of what the filter lets through. The entries of one message that stand on one page
    are one row."""
    if wanted.outcome is Outcome.REFUSED:
        return _refused(session, company_id, wanted, after)
    at = SyncEntry.created_at
    query = (
        select(SyncEntry, Connection)
        .join(Connection, Connection.id == SyncEntry.connection_id)
        .where(
            SyncEntry.company_id == company_id,
            wanted.period.holds(at),
            CONDITIONS[wanted.outcome] if wanted.outcome else true(),
            SyncEntry.mailbox_id == wanted.mailbox_id if wanted.mailbox_id else true(),
            SyncEntry.action == wanted.action if wanted.action else true(),
            has_cause(session, company_id, wanted.reason) if wanted.reason else true(),
            behind(at, SyncEntry.id, after),
        )
        .order_by(at.desc(), SyncEntry.id.desc())
        .limit(PAGE + 1)
    )
    found = [(entry, connection) for entry, connection in session.execute(query)]
    last = found[PAGE - 1][0] if len(found) > PAGE else None
    copies = logged_copies(session, [entry for entry, _ in found[:PAGE]])
    messages = groupby(found[:PAGE], key=lambda row: (row[0].connection_id, row[0].message_id))
    return Page(
        [_of_entries(list(rows), copies) for _, rows in messages],
        Place(last.created_at, last.id) if last is not None else None,
    )


def behind(
    at: InstrumentedAttribute[datetime], id: InstrumentedAttribute[int], after: Place | None
) -> ColumnElement[bool]:
    """The rows of a list, newest first, that stand behind this place; all for None."""
    if after is None:
        return true()
    # The first half is what lets an index begin in the right place.
    return (at <= after.at) & or_(at < after.at, id < after.id)


def _of_entries(
    rows: Sequence[tuple[SyncEntry, Connection]], copies: Mapping[int, LoggedCopy]
) -> Activity:
    first = rows[0][0]
    lines = [line_of(entry, connection, copies.get(entry.id)) for entry, connection in rows]
    return Activity(
        at=first.created_at,
        mailbox_id=first.mailbox_id,
        conversation_id=first.conversation_id,
        message_id=first.message_id,
        customer=first.address,
        backfilled=first.run_id is not None,
        lines=tuple(sorted(lines, key=lambda line: line.action)),
    )


def _refused(session: Session, company_id: str, wanted: Filter, after: Place | None) -> Page:
    at = Decision.decided_at
    verdicts = type_coerce(Decision.verdicts, Text)
    query = (
        select(Decision)
        .where(
            Decision.company_id == company_id,
            REFUSED,
            wanted.period.holds(at),
            Decision.mailbox_id == wanted.mailbox_id if wanted.mailbox_id else true(),
            verdicts.contains(f'"{wanted.reason}"', autoescape=True) if wanted.reason else true(),
            behind(at, Decision.id, after),
        )
        .order_by(at.desc(), Decision.id.desc())
        .limit(PAGE + 1)
    )
    found = session.scalars(query).all()
    last = found[PAGE - 1] if len(found) > PAGE else None
    return Page(
        [_of_decision(decision, wanted.action) for decision in found[:PAGE]],
        Place(last.decided_at, last.id) if last is not None else None,
    )


def _of_decision(decision: Decision, action: str) -> Activity:
    lines = refused_lines(decision)
    if action:
        lines = tuple(line for line in lines if line.action == TITLES[Action(action)])
    return Activity(
        at=decision.decided_at,
        mailbox_id=decision.mailbox_id,
        conversation_id=decision.conversation_id,
        message_id=decision.message_id,
        customer=(decision.facts or {}).get("customer", ""),
        backfilled=is_backfill(decision),
        lines=lines,
    )
