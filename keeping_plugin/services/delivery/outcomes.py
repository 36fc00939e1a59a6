"""What Salesforce's answer to one row means for that row: pure."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime

from keeping_plugin.errors import (
    OutcomeUnclear,
    RateLimited,
    RowLocked,
    SalesforceError,
    SalesforceUnavailable,
    SchemaStale,
)
from keeping_plugin.models import EntryState, SyncEntry
from keeping_plugin.objects import CONTACT
from keeping_plugin.refusals import Advice, advice, is_locked
from keeping_plugin.services.delivery.actions import ACCOUNT_REFUSED, CHOSEN_DOUBTED, spec_of
from keeping_plugin.services.ledger.outcome import Outcome, done, later, unknown, words
from keeping_plugin.services.people.making import WITHOUT_ACCOUNT
from keeping_plugin.services.people.owners import REFUSED as OWNER_REFUSED
from keeping_plugin.times import SETTLE
from keeping_plugin.types import Saved

# Retries of one row, in unscaled seconds: doubled each time, spread by half, at most 15 minutes.
FIRST_RETRY, LAST_RETRY = 5.0, 900.0

# A refusal that passes is a person's after a day of it, and after so many tries: a connection that
# paused meanwhile has tried less.
TRIES = 10
SOMETHING_BROKE = "internal_error"

# The org's own field for our Tasks is gone, or takes nothing any more: they are sent without it.
KEY_FIELD_GONE = "key_field_gone"

OF_PERSON = frozenset({OWNER_REFUSED, ACCOUNT_REFUSED, CHOSEN_DOUBTED, WITHOUT_ACCOUNT})


def backoff(retries: int) -> float:
    """Seconds until the next try, with jitter so that rows refused together come back apart."""
    plain: float = min(LAST_RETRY, FIRST_RETRY * 2.0 ** min(retries, 10))
    return plain * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret


def is_stale(error: SalesforceError) -> bool:
    """The describe at hand no longer matches the org: a field is gone, or its list has lost the
    value that was sent. A fresh one leaves chosen values of them out."""
    return isinstance(error, SchemaStale) or any(
        each.code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" for each in error.complaints
    )


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


def account_refused(row: SyncEntry, *, doubted: bool) -> Outcome:
    """A Contact whose Account is found once more, then one that is sent without. A chosen Account
    that is `doubted` would be found again: it is left out at once."""
    if row.reason == ACCOUNT_REFUSED:
        again = WITHOUT_ACCOUNT
    else:
        again = CHOSEN_DOUBTED if doubted else ACCOUNT_REFUSED
    return Outcome(EntryState.PENDING, again, 0.0)


def owner_refused() -> Outcome:
    """A record that is sent once more at once, without its owner."""
    return Outcome(EntryState.PENDING, OWNER_REFUSED, 0.0)


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
    spec = spec_of(row)
    match answer:
        case Saved(id=record_id):
            return done(spec.made, record_id, contact_id=contact_id, candidates=candidates)
        case OutcomeUnclear(complaints=()):
            return unknown()
        case OutcomeUnclear() | SalesforceUnavailable() | RateLimited():
            return _passing(row, answer, refused_before)
    own = spec.read(row, answer, key_field)
    if own is not None:
        return replace(own, contact_id=contact_id, candidates=candidates)
    if advice_for(answer) is Advice.WAIT:
        return _passing(row, answer, refused_before)
    if is_stale(answer) and row.retries < 5:
        return later(SchemaStale.code, backoff(row.retries))
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


def after_contact(outcome: Outcome, follower: SyncEntry) -> Outcome | None:
    """What the outcome of its address's ADD_CONTACT means for a row that waited for it; None: the
    Contact is there (outcome.record_id), a Task can be sent."""
    adding = spec_of(follower).adds_person
    if outcome.state == EntryState.DONE and outcome.record_id is not None:
        if adding:
            return done("exists", outcome.record_id)
        if outcome.record_id.startswith(CONTACT.prefix):
            return None
    if outcome.state == EntryState.SENDING:
        return later(outcome.reason, outcome.wait or SETTLE)
    if adding:
        return outcome
    if outcome.state == EntryState.PENDING:
        # The owner or the Account of the Contact was refused, nothing of its Task.
        reason = "contact_first" if outcome.reason in OF_PERSON else outcome.reason
        return later(reason, outcome.wait or 0.0)
    return Outcome(EntryState.WAITING, "no_contact")
