"""What becomes of a batch whose questions were not answered, by Salesforce or by the host.

Nothing was sent for it, so no unmarked row fails. A clear refusal of a question is no row's doing:
the connection pauses with Salesforce's words. A marked row, of which nobody can say whether it
arrived, waits for its look; after 24 h of a live connection it is a person's, whatever refuses.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import or_
from sqlalchemy.orm import Session

from keeping_plugin.errors import (
    BatchRefused,
    HelpDeskFailed,
    NotConnected,
    NotReady,
    PermissionDenied,
    RecordNotFound,
    RecordRejected,
    SalesforceError,
    SchemaStale,
)
from keeping_plugin.models import ConnectionStatus, EntryState, SyncEntry, now
from keeping_plugin.refusals import Advice, advice
from keeping_plugin.services.connection import barred
from keeping_plugin.services.delivery import pauses
from keeping_plugin.services.delivery.outcomes import backoff
from keeping_plugin.services.ledger import claims, entries
from keeping_plugin.services.ledger.batch import (
    ASK_AGAIN,
    Batch,
    release_rows,
    retry_in_smaller_batch,
)
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.services.ledger.outcome import Outcome
from keeping_plugin.services.ledger.settle import settle
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import describe
from keeping_plugin.times import ATTEMPTS, PAUSES, UNKNOWN_LIMIT, Times

# Clear refusals of a question: every other error is about the connection, or passes.
REFUSALS = (SchemaStale, PermissionDenied, RecordNotFound, RecordRejected, BatchRefused)


def is_about_rights(error: SalesforceError | NotReady) -> bool:
    """What the connected user may do, or the whole org: the same for every question."""
    return isinstance(error, SchemaStale | PermissionDenied | RecordNotFound) or (
        isinstance(error, SalesforceError) and advice(error.complaints) is Advice.PAUSE
    )


def read_failed(runtime: Runtime, batch: Batch, error: SalesforceError | NotReady) -> None:
    """Salesforce did not answer a question, or refused it."""
    connection_id, news = batch.connection.id, False
    with runtime.database.write() as session:
        if isinstance(error, REFUSALS):
            news = pauses.read_refused(session, connection_id, error, runtime.times)
        elif not isinstance(error, NotConnected):
            pauses.record_failure(session, connection_id, error, runtime.times)
        if isinstance(error, REFUSALS) and not is_about_rights(error):
            # It may be about one address: find it without failing anybody.
            retry_in_smaller_batch(session, batch, batch.row_ids, times=runtime.times, counts=False)
            _put_off(session, batch, runtime.times)
        else:
            release_rows(session, batch, batch.row_ids, unmark=False)
        if not isinstance(error, NotConnected):
            give_up_unknown(session, batch, runtime.times)
        claims.release_unsent(session, org_id=batch.connection.org_id, owner=batch.token)
    if news:
        describe_soon(runtime, connection_id)


def describe_soon(
    runtime: Runtime, connection_id: int, *, at_most_every: float | None = None
) -> None:
    """What the user sees has changed: the panel and the settings should know it, too.
    `at_most_every` (seconds): not if it was read so recently."""
    span = None if at_most_every is None else runtime.times.span(at_most_every)
    if describe.refresh_soon(runtime.database, connection_id, at_most_every=span):
        runtime.queue.enqueue("describe", connection_id)


def host_failed(runtime: Runtime, batch: Batch, error: HelpDeskFailed) -> None:
    """The host raised for every message that it was asked for, so it is no message's doing: rows
    keep their attempts, say why they wait, and the connection pauses."""
    with runtime.database.write() as session:
        pauses.host_failed(session, batch.connection.id, runtime.times)
        entries.happen(
            session,
            Event.POSTPONED,
            *entries.of_batch(batch.row_ids, batch.token),
            SyncEntry.sent_at.is_(None),
            reason=error.code,
            words=None,
        )
        release_rows(session, batch, batch.row_ids, unmark=False)
        give_up_unknown(session, batch, runtime.times)
        claims.release_unsent(session, org_id=batch.connection.org_id, owner=batch.token)


def put_off_unread(runtime: Runtime, batch: Batch, unread: Collection[str]) -> Batch:
    """The batch without the messages for which the host raised although it answered for others.
    Three times, and an unmarked row has failed; a marked one is asked about again, for a day."""
    if not unread:
        return batch
    put_off = {row.id: _unread(row) for row in batch.rows if row.message_id in unread}
    with runtime.database.write() as session:
        settle(session, batch, put_off, times=runtime.times)
        give_up_unknown(session, batch, runtime.times)
    return replace(batch, rows=[row for row in batch.rows if row.id not in put_off])


def _unread(row: SyncEntry) -> Outcome:
    reason = HelpDeskFailed.code
    if row.sent_at is not None:
        return Outcome(EntryState(row.state), reason, ASK_AGAIN, marked=True)
    if row.attempts + 1 >= ATTEMPTS:
        return Outcome(EntryState.FAILED, reason, attempted=True)
    return Outcome(EntryState.PENDING, reason, PAUSES[row.attempts], attempted=True)


def give_up_unknown(session: Session, batch: Batch, times: Times) -> None:
    """Marked rows of the connection, sent before 24 h in which Salesforce could be asked, of which
    its look could not tell what became."""
    connection = connection_first(session, batch.connection.id)
    time = now(session)
    if connection is None or connection.status != ConnectionStatus.LIVE:
        return
    limit = barred.asked_since(connection, time, times.span(UNKNOWN_LIMIT))
    if limit is None:
        return
    entries.happen(
        session,
        Event.GIVEN_UP,
        SyncEntry.connection_id == connection.id,
        SyncEntry.sent_at < limit,
        or_(
            SyncEntry.claim.is_(None),
            SyncEntry.claim == batch.token,
            SyncEntry.claimed_until < time,
        ),
        settled_at=time,
        claim=None,
        claimed_until=None,
    )


def _put_off(session: Session, batch: Batch, times: Times) -> None:
    """A row alone whose question was refused comes behind the others, later each time."""
    if not batch.alone:
        return
    retries = max(row.retries for row in batch.rows)
    entries.happen(
        session,
        Event.POSTPONED,
        SyncEntry.id.in_(batch.row_ids),
        SyncEntry.claim.is_(None),
        retries=SyncEntry.retries + 1,
        reason=pauses.READ_REFUSED,
        due_at=now(session) + times.span(backoff(retries)),
    )
