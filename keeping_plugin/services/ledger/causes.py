"""Why entries failed, so that an admin who has mended one thing tries that again and nothing else.

A cause is our reason code, and where Salesforce refused, also its error code and the fields it
named. Of a refusal in the org's own words (a validation rule, a trigger) those words tell it from
others. As text it reads `rejected`, `rejected:STRING_TOO_LONG:LastName`, or
`rejected:FIELD_CUSTOM_VALIDATION_EXCEPTION::A Task needs a region.`
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, func, literal_column, select, type_coerce
from sqlalchemy.orm import Session

from keeping_plugin.errors import Complaint
from keeping_plugin.models import Connection, ConnectionStatus, EntryState, SyncEntry
from keeping_plugin.types import Action
from keeping_plugin.wording.entries import entry_sentence
from keeping_plugin.wording.salesforce_errors import ErrorSentence, explained

# Literal, so that both databases see that the partial index of models/ledger fits.
FAILED: ColumnElement[bool] = SyncEntry.state == literal_column("'failed'")

_OWN_WORDS: Final = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
_LONGEST_WORDS: Final = 255  # a validation rule's message is no longer; of a trigger's, the start
LONGEST: Final = 1_000  # characters of a cause


def cause_of(reason: str, words: Any) -> str:
    """The cause of an entry as it is kept: its reason, and Salesforce's complaints."""
    if not words:
        return reason
    code, message, fields = words[0]
    own = message[:_LONGEST_WORDS] if code == _OWN_WORDS else ""
    parts = [reason, code, ",".join(fields), own]
    while not parts[-1]:
        parts.pop()
    cause = ":".join(parts)
    return cause if len(cause) <= LONGEST else reason


def has_cause(cause: str) -> ColumnElement[bool]:
    """Entries of one cause; of a bare reason, all that ended for it, whatever Salesforce said."""
    reason, code, fields, message = (*cause.split(":", 3), "", "", "")[:4]
    condition = SyncEntry.reason == reason
    if not code:
        return condition
    words = type_coerce(SyncEntry.words, Text)
    named = _json(fields.split(",") if fields else [])
    if message:
        whole = f"[[{_json(code)},{_json(message)},{named}]"
        cut = f"[[{_json(code)},{_json(message)[:-1]}"
        told = whole if len(message) < _LONGEST_WORDS else cut
        return condition & words.startswith(told, autoescape=True)
    condition &= words.startswith(f"[[{_json(code)},", autoescape=True)
    return condition & words.contains(f",{named}]", autoescape=True)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))  # as models/base writes it


def sentence(cause: str) -> str:
    """A cause in plain words, with Salesforce's code and fields where it has them."""
    reason, code, fields, message = (*cause.split(":", 3), "", "", "")[:4]
    plain = entry_sentence(reason, EntryState.FAILED)
    if not code:
        return plain
    about = f" ({fields.replace(',', ', ')})" if fields else ""
    return f"{plain} {message or code}{about}"


@dataclass(frozen=True, slots=True)
class Cause:
    """Entries that failed for one cause: how many since when, how many of them may be tried again,
    and what Salesforce said of the last of them."""

    cause: str
    reason: str
    sentence: str
    complaints: tuple[tuple[Complaint, ErrorSentence | None], ...]
    contacts: int
    tasks: int
    retryable: int
    oldest: datetime


def causes(session: Session, company_id: str) -> Sequence[Cause]:
    """Every cause of a failure that stands, however old, the most frequent first."""
    live = Connection.current & (Connection.status == ConnectionStatus.LIVE)

    def number(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(condition)

    rows = session.execute(
        select(
            SyncEntry.reason,
            SyncEntry.words,
            number(SyncEntry.action == Action.ADD_CONTACT),
            number(SyncEntry.action == Action.LOG_TASK),
            number(live),
            func.min(SyncEntry.created_at),
        )
        .join(Connection, Connection.id == SyncEntry.connection_id)
        .where(SyncEntry.company_id == company_id, FAILED)
        .group_by(SyncEntry.reason, SyncEntry.words)
    )
    found: dict[str, Cause] = {}
    for reason, words, contacts, tasks, retryable, oldest in rows:
        cause = cause_of(reason, words)
        one = found.get(cause)
        found[cause] = Cause(
            cause,
            reason,
            entry_sentence(reason, EntryState.FAILED),
            tuple(explained([Complaint(*_complaint(words[0]))])) if words else (),
            contacts + (one.contacts if one else 0),
            tasks + (one.tasks if one else 0),
            retryable + (one.retryable if one else 0),
            min(oldest, one.oldest) if one else oldest,
        )
    return sorted(found.values(), key=lambda each: (-each.contacts - each.tasks, each.cause))


def _complaint(words: Sequence[Any]) -> tuple[str, str, tuple[str, ...]]:
    code, message, fields = words
    return code, message, tuple(fields)
