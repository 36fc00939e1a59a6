"""Asking the host from a worker: what it raises is told as what it is, with the place.

A host's own code may need a request that a worker does not have, or a store that is away. That is
the operator's to mend, so it must not look like something that Salesforce said. When one message of
several cannot be read, the others are asked for one by one.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import select

from keeping_plugin.errors import HelpDeskFailed
from keeping_plugin.models import SyncEntry
from keeping_plugin.ports import HelpDesk
from keeping_plugin.services.delivery.batch import Batch
from keeping_plugin.services.delivery.parts import Delivery
from keeping_plugin.types import Agent, Conversation, Mailbox, Message

log = logging.getLogger("keeping_plugin.delivery")

FEW = 5  # messages that could not be read, and none that could: is it the host?
OTHERS = 3  # messages of before that are asked for to tell
_FRAMES = 6


class AskedHelpDesk:
    """A HelpDesk whose errors are HelpDeskFailed; `interrupts` pass as they are."""

    def __init__(self, helpdesk: HelpDesk, interrupts: tuple[type[Exception], ...]) -> None:
        self._helpdesk = helpdesk
        self._interrupts = interrupts

    @contextmanager
    def _asked(self, question: str) -> Iterator[None]:
        try:
            yield
        except self._interrupts:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the host's code raises
            failed = HelpDeskFailed(question, error=type(error).__name__, where=place_of(error))
            log.error(  # noqa: TRY400 - its text may hold people's data
                "helpdesk_failed",
                extra={"question": question, "error": failed.error, "where": failed.where},
            )
            raise failed from None

    def current_agent(self) -> Agent | None:
        with self._asked("current_agent"):
            return self._helpdesk.current_agent()

    def mailboxes(self, company_id: str) -> Sequence[Mailbox]:
        with self._asked("mailboxes"):
            return list(self._helpdesk.mailboxes(company_id))

    def conversation(self, company_id: str, conversation_id: str) -> Conversation | None:
        with self._asked("conversation"):
            return self._helpdesk.conversation(company_id, conversation_id)

    def messages(self, company_id: str, message_ids: Sequence[str]) -> Iterator[Message]:
        with self._asked("messages"):
            following = iter(self._helpdesk.messages(company_id, message_ids))
        while True:
            with self._asked("messages"):
                message = next(following, None)
            if message is None:
                return
            yield message

    def message_ids(
        self,
        company_id: str,
        mailbox_id: str,
        since: datetime,
        after: str | None = None,
        limit: int = 500,
    ) -> Sequence[str]:
        with self._asked("message_ids"):
            return list(self._helpdesk.message_ids(company_id, mailbox_id, since, after, limit))

    def internal_addresses(self, company_id: str) -> Collection[str]:
        with self._asked("internal_addresses"):
            return list(self._helpdesk.internal_addresses(company_id))

    def skipped_domains(self, company_id: str) -> Collection[str]:
        with self._asked("skipped_domains"):
            return list(self._helpdesk.skipped_domains(company_id))

    def may_view(self, agent: Agent, conversation: Conversation) -> bool:
        with self._asked("may_view"):
            return self._helpdesk.may_view(agent, conversation)


def place_of(error: BaseException) -> str:
    """`file:line function` of the last calls that led to an error, without its text."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return "; ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)


class Mail:
    """The messages of a batch with their conversations; `unread` are those for which the host
    raised, while it answered for others."""

    def __init__(self, parts: Delivery, batch: Batch) -> None:
        self._parts = parts
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
            self._parts.end_host_transaction()
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
                self._parts.end_host_transaction()
                self.unread.add(message_id)
                if not answers and len(self.unread) == FEW:
                    answers = self._others(message_ids)
                    if not answers:
                        raise
        if not answers and not self._others(message_ids):
            raise failed

    def _ask(self, message_ids: Sequence[str]) -> Iterator[tuple[Message, Conversation | None]]:
        helpdesk = self._parts.helpdesk
        for message in helpdesk.messages(self._company_id, message_ids):
            key = message.conversation_id
            if key not in self._conversations:
                self._conversations[key] = helpdesk.conversation(self._company_id, key)
            yield message, self._conversations[key]

    def _others(self, message_ids: Sequence[str]) -> int:
        """How many of a few messages outside this batch the host answers for."""
        with self._parts.database.read() as session:
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
                self._parts.end_host_transaction()
        return answers
