"""The messages of a batch, as the host gives them: all at once, or one by one when one of several
cannot be read.

A host may answer from a replica that is behind its own commit, or from one that is away. So a
message or a mailbox that the inbox does not show is believed to be gone only of an entry older than
ten minutes, after two answers a minute apart; until then nothing is sent for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from keeping_plugin.errors import HelpDeskFailed
from keeping_plugin.models import EntryState, SyncEntry
from keeping_plugin.services.delivery.plan import MESSAGE_MISSING
from keeping_plugin.services.ledger.batch import Batch
from keeping_plugin.services.ledger.outcome import Outcome
from keeping_plugin.services.ledger.settle import settle
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import GONE_AFTER, GONE_AGAIN, LAG, Times
from keeping_plugin.types import Conversation, Message

FEW = 5  # messages that could not be read, and none that could: is it the host?
OTHERS = 3  # messages of before that are asked for to tell


class Mail:
    """The messages of a batch with their conversations; `unread` are those for which the host
    raised, while it answered for others."""

    def __init__(self, runtime: Runtime, batch: Batch) -> None:
        self._runtime = runtime
        self._batch = batch
        self._company_id = batch.connection.company_id
        self._conversations: dict[str, Conversation | None] = {}
        self.unread: set[str] = set()

    def read(self, message_ids: Sequence[str]) -> Iterator[tuple[Message, Conversation | None]]:
        """Each as the host gives it. Raises HelpDeskFailed when it answers for none."""
        read: set[str] = set()
        try:
            for found in self._ask(message_ids):
                read.add(found[0].message_id)
                yield found
        except HelpDeskFailed as error:
            failed = error
            self._runtime.end_host_transaction()
        else:
            return
        answers = len(read)
        for message_id in message_ids:
            if message_id in read:
                continue
            try:
                yield from list(self._ask([message_id]))
                answers += 1
            except HelpDeskFailed:
                self._runtime.end_host_transaction()
                self.unread.add(message_id)
                if not answers and len(self.unread) == FEW:
                    answers = self._others(message_ids)
                    if not answers:
                        raise
        if not answers and not self._others(message_ids):
            raise failed

    def _ask(self, message_ids: Sequence[str]) -> Iterator[tuple[Message, Conversation | None]]:
        helpdesk = self._runtime.helpdesk
        for message in helpdesk.messages(self._company_id, message_ids):
            key = message.conversation_id
            if key not in self._conversations:
                self._conversations[key] = helpdesk.conversation(self._company_id, key)
            yield message, self._conversations[key]

    def _others(self, message_ids: Sequence[str]) -> int:
        """How many of a few messages outside this batch the host answers for."""
        with self._runtime.database.read() as session:
            others = session.scalars(
                select(SyncEntry.message_id)
                .where(
                    SyncEntry.connection_id == self._batch.connection.id,
                    SyncEntry.message_id.not_in(list(message_ids)),
                )
                .order_by(SyncEntry.id.desc())
                .limit(2 * OTHERS)
            ).all()
        answers = 0
        for message_id in list(dict.fromkeys(others))[:OTHERS]:
            try:
                list(self._ask([message_id]))
                answers += 1
            except HelpDeskFailed:
                self._runtime.end_host_transaction()
        return answers


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


def put_off_missing(runtime: Runtime, batch: Batch, missing: Collection[int]) -> Batch:
    """The batch without these rows, which are asked for again. Those with a mark stay: whether
    they were sent is looked up whatever the inbox says."""
    rows = [row for row in batch.rows if row.id in missing and row.sent_at is None]
    if not rows:
        return batch
    outcomes = {row.id: ask_again(row, batch.began_at, runtime.times) for row in rows}
    with runtime.database.write() as session:
        settle(session, batch, outcomes, times=runtime.times)
    return replace(batch, rows=[row for row in batch.rows if row.id not in outcomes])
