"""What Salesforce's answer to one row means for that row: pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from keeping_plugin.errors import (
    Complaint,
    DuplicatesFound,
    OutcomeUnclear,
    PermissionDenied,
    RateLimited,
    RecordRejected,
    RowLocked,
    SalesforceError,
    SalesforceUnavailable,
    SchemaStale,
)
from keeping_plugin.models import EntryState, SyncEntry
from keeping_plugin.refusals import Advice, advice, is_locked
from keeping_plugin.services.ledger.outcome import Outcome, done, later, unknown
from keeping_plugin.times import SETTLE
from keeping_plugin.types import Action, Saved

# Retries of one row, in unscaled seconds: doubled each time, spread by half, at most 15 minutes.
FIRST_RETRY, LAST_RETRY = 5.0, 900.0

# A refusal that passes is a person's after a day of it, and after so many tries: a connection that
# paused meanwhile has tried less.
TRIES = 10
SOMETHING_BROKE = "internal_error"

# The org's own field for our Tasks is gone, or takes nothing any more: they are sent without it.
KEY_FIELD_GONE = "key_field_gone"

PERSON_GONE = frozenset({"INVALID_CROSS_REFERENCE_KEY", "ENTITY_IS_DELETED"})


def backoff(retries: int) -> float:
    """Seconds until the next try, with jitter so that rows refused together come back apart."""
    plain: float = min(LAST_RETRY, FIRST_RETRY * 2.0 ** min(retries, 10))
    return plain * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret


def words(complaints: Sequence[Complaint]) -> Any:
    """Salesforce's own words, as the ledger keeps them."""
    return [[each.code, each.message, list(each.fields)] for each in complaints] or None


def advice_for(error: SalesforceError) -> Advice:
    """What to do about one refused row."""
    match error:
        case OutcomeUnclear():
            return Advice.AGAIN
        case SalesforceUnavailable():
            return Advice.WAIT
        case SalesforceError(complaints=()):
            return Advice.WAIT if isinstance(error, RateLimited) else Advice.NEVER
    return advice(error.complaints)


def key_field_gone() -> Outcome:
    """A Task that was refused for the sake of the field that only we need."""
    return Outcome(EntryState.PENDING, KEY_FIELD_GONE, 0.0)


def read(
    row: SyncEntry,
    answer: Saved | SalesforceError,
    *,
    key_field: str | None,
    contact_id: str | None,
    candidates: int = 0,
    refused_before: datetime | None = None,
) -> Outcome:
    """The outcome of a row that was sent; for a Task, on `contact_id`, one of `candidates`. What
    was refused since `refused_before` or longer for something that passes is a person's."""
    adding = row.action == Action.ADD_CONTACT
    match answer:
        case Saved(id=record_id):
            reason = "created" if adding else "logged"
            return done(reason, record_id, contact_id=contact_id, candidates=candidates)
        case OutcomeUnclear(complaints=()):
            return unknown()
        case OutcomeUnclear() | SalesforceUnavailable() | RateLimited():
            return _passing(row, answer, refused_before)
        case DuplicatesFound() if adding:
            return done("duplicate_rule", None, words=words(answer.complaints))
        case RecordRejected() if adding and "DUPLICATES_DETECTED" in answer.codes:
            return done("duplicate_rule", None, words=words(answer.complaints))
        case SalesforceError() if not adding and _already_there(answer, key_field):
            return done("logged", None, contact_id=contact_id, candidates=candidates)
        case SalesforceError() if (
            not adding and answer.codes & PERSON_GONE and row.reason != "person_gone"
        ):
            return Outcome(EntryState.PENDING, "person_gone", 0.0)
        case SalesforceError() if advice_for(answer) is Advice.WAIT:
            return _passing(row, answer, refused_before)
        case SchemaStale():
            return later(answer.code, backoff(row.retries)) if row.retries < 5 else _failed(answer)
        case PermissionDenied() | RecordRejected() | SalesforceError():
            return _failed(answer)


def _passing(row: SyncEntry, error: SalesforceError, refused_before: datetime | None) -> Outcome:
    """Due again, later and later. What may have been written keeps its mark, and is looked for
    first."""
    unclear = isinstance(error, OutcomeUnclear)
    reason = SOMETHING_BROKE if unclear else _why_for_now(error)
    told = words(error.complaints)
    if (
        refused_before is not None
        and row.refused_since is not None
        and row.refused_since < refused_before
        and row.retries >= TRIES
    ):
        return Outcome(EntryState.FAILED, reason, words=told, marked=unclear)
    wait = backoff(row.retries + 3 if isinstance(error, RateLimited) else row.retries)
    return Outcome(
        EntryState.SENDING if unclear else EntryState.PENDING,
        reason,
        max(SETTLE, wait) if unclear else wait,
        words=told,
        marked=unclear,
        retried=True,
        refused=True,
    )


def _why_for_now(error: SalesforceError) -> str:
    if is_locked(error.complaints):
        return RowLocked.code
    known = isinstance(error, SalesforceUnavailable | RateLimited)
    return error.code if known else SalesforceUnavailable.code


def _failed(error: SalesforceError) -> Outcome:
    return Outcome(EntryState.FAILED, error.code, words=words(error.complaints))


def _already_there(error: SalesforceError, key_field: str | None) -> bool:
    # "duplicate value found: Keeping_Key__c duplicates value on record with id: 00T..." (REFERENCE
    # 4.1): only this field's being taken says that our own Task is there.
    return key_field is not None and any(
        each.code == "DUPLICATE_VALUE"
        and (key_field.lower() in each.message.lower() or key_field in each.fields)
        for each in error.complaints
    )


def after_contact(outcome: Outcome, follower: SyncEntry) -> Outcome | None:
    """What the outcome of its address's ADD_CONTACT means for a row that waited for it; None: the
    Contact is there (outcome.record_id), a Task can be sent."""
    adding = follower.action == Action.ADD_CONTACT
    if outcome.state == EntryState.DONE and outcome.record_id is not None:
        return done("exists", outcome.record_id) if adding else None
    if outcome.state == EntryState.SENDING:
        return later(outcome.reason, outcome.wait or SETTLE)
    if adding:
        return outcome
    if outcome.state == EntryState.PENDING:
        return later(outcome.reason, outcome.wait or 0.0)
    return Outcome(EntryState.WAITING, "no_contact")
