"""Messages that the inbox does not show: deleted, or not to be seen yet where it reads.

A host may answer from a replica that is behind its own commit, or from one that is away. So that a
message or a mailbox is gone is believed only of an entry older than ten minutes, after two answers
a minute apart; until then nothing is sent for it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from keeping_plugin.models import EntryState, SyncEntry
from keeping_plugin.services.delivery.batch import Batch
from keeping_plugin.services.delivery.plan import MESSAGE_MISSING, Outcome
from keeping_plugin.services.delivery.settle import settle
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import GONE_AFTER, GONE_AGAIN, LAG, Times


def is_believed(row: SyncEntry, time: datetime, times: Times) -> bool:
    """Whether an answer of this moment that the row's message is not there settles the matter."""
    if row.reason != MESSAGE_MISSING or row.due_at is None:
        return False
    # Due since the last answer plus what was waited then: for a minute, unless the row was young.
    grown = row.due_at >= row.created_at + times.span(2 * GONE_AGAIN)
    return grown and time >= row.created_at + times.span(GONE_AFTER)


def ask_again(row: SyncEntry, time: datetime, times: Times) -> Outcome:
    """Not sent, and asked for again: soon while the message has only just come."""
    young = time < row.created_at + times.span(GONE_AGAIN)
    return Outcome(EntryState.PENDING, MESSAGE_MISSING, LAG if young else GONE_AGAIN)


def put_off(runtime: Runtime, batch: Batch, missing: Collection[int]) -> Batch:
    """The batch without these rows, which are asked for again. Those with a mark stay: whether
    they were sent is looked up whatever the inbox says."""
    rows = [row for row in batch.rows if row.id in missing and row.sent_at is None]
    if not rows:
        return batch
    outcomes = {row.id: ask_again(row, batch.began_at, runtime.times) for row in rows}
    with runtime.database.write() as session:
        settle(session, batch, outcomes, times=runtime.times)
    return replace(batch, rows=[row for row in batch.rows if row.id not in outcomes])
