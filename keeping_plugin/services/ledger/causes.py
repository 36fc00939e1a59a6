"""Why entries failed, so that an admin who has mended one thing tries that again and nothing else.

A cause is our reason code, and where Salesforce refused, also its error code, the fields it named
and its words: two flows that refuse are two causes. What differs from row to row (ids, long
numbers, moments, addresses) is left out of the words, and of codes whose words quote what was sent
the words are left out altogether. As text it reads `rejected`,
`rejected:STRING_TOO_LONG:LastName`, or
`rejected:FIELD_CUSTOM_VALIDATION_EXCEPTION::A Task needs a region.`
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, func, literal_column, select, type_coerce
from sqlalchemy.orm import Session

from keeping_plugin.errors import Complaint
from keeping_plugin.models import Connection, EntryState, SyncEntry, listed
from keeping_plugin.refusals import QUOTING
from keeping_plugin.types import Action
from keeping_plugin.wording.entries import entry_sentence
from keeping_plugin.wording.salesforce_errors import ErrorSentence, explained

# Literal, so that both databases see that the partial index of models/ledger fits.
FAILED: ColumnElement[bool] = SyncEntry.state == literal_column("'failed'")

_MAX_WORDS: Final = 255  # a validation rule's message is no longer; of a trigger's, the start
_READ: Final = 2_000  # characters of the words that are looked at
MAX_LENGTH: Final = 1_000  # characters of a cause

_VARYING = re.compile(
    r"[^\s@'\"<>(){}\[\],;:]{1,320}@[^\s@'\"<>(){}\[\],;:]{1,320}"  # an address
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b(?=[A-Za-z]{0,17}\d)[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\b"  # a record's id
    r"|\b\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b"  # a date
    r"|\b\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,6})?\b"  # a time
    r"|\b\d[\d.,-]{3,}\d\b"  # a number of five digits or more, the number of an error
    r"|(?<=\brow )\d+\b"  # "First exception on row 17"
)


def cause_of(reason: str, words: Any) -> str:
    """The cause of an entry as it is kept: its reason, and Salesforce's complaints."""
    if not words:
        return reason
    code, message, fields = words[0]
    # On one line: a browser sends other line ends than it was given.
    text = "" if code in QUOTING else " ".join(_VARYING.sub("…", message[:_READ]).split())
    parts = [reason, code, ",".join(fields), text[:_MAX_WORDS]]
    while not parts[-1]:
        parts.pop()
    cause = ":".join(parts)
    return cause if len(cause) <= MAX_LENGTH else reason


def has_cause(session: Session, company_id: str, cause: str) -> ColumnElement[bool]:
    """Entries of one cause; of a bare reason, all that ended for it, whatever Salesforce said. The
    words of a cause are compared here, not by the database: it reads the company's failures for
    that code, once."""
    reason, code, *_ = (*cause.split(":", 3), "")
    condition = SyncEntry.reason == reason
    if not code:
        return condition
    words = type_coerce(SyncEntry.words, Text)
    like = words.startswith(f"[[{json.dumps(code)},", autoescape=True)
    told = session.scalars(
        select(words).where(SyncEntry.company_id == company_id, FAILED, condition, like).distinct()
    )
    same = [text for text in told if text and cause_of(reason, json.loads(text)) == cause]
    return condition & words.in_(select(listed(session, same)))


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

    def number(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(condition)

    rows = session.execute(
        select(
            SyncEntry.reason,
            SyncEntry.words,
            number(SyncEntry.action == Action.ADD_CONTACT),
            number(SyncEntry.action != Action.ADD_CONTACT),
            func.count().filter(Connection.is_live),
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
