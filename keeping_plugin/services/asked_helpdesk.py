"""The host, asked from a worker: what it raises is told as what it is, with the place.

A host's own code may need a request that a worker does not have, or a store that is away. That is
the operator's to mend, so it must not look like something that Salesforce said, or like a fault of
ours.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar, cast

from keeping_plugin.errors import HelpDeskFailed
from keeping_plugin.ports import Agents, HelpDesk, MessageFacts, Participants
from keeping_plugin.types import (
    Address,
    Agent,
    Conversation,
    Mailbox,
    Message,
    MessageArrived,
)

log = logging.getLogger("keeping_plugin.delivery")

_FRAMES = 6

T = TypeVar("T")


class AskedHelpDesk:
    """A HelpDesk whose errors are HelpDeskFailed; `interrupts` pass as they are."""

    def __init__(self, helpdesk: HelpDesk, interrupts: tuple[type[Exception], ...]) -> None:
        self._helpdesk = helpdesk
        self._interrupts = interrupts
        if callable(getattr(helpdesk, "message_facts", None)):
            self.message_facts = self._message_facts  # a host need not have it
        if callable(getattr(helpdesk, "agents", None)):
            self.agents = self._agents  # nor this
        if callable(getattr(helpdesk, "participants", None)):
            self.participants = self._participants

    @contextmanager
    def _asked(self, question: str) -> Iterator[None]:
        try:
            yield
        except self._interrupts:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the host's code raises
            failed = HelpDeskFailed(question, error=type(error).__name__, where=place_of(error))
            log.error(  # noqa: TRY400 - its text may hold people's data
                "helpdesk_failed question=%s error=%s where=%s",
                question,
                failed.error,
                failed.where,
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
        return self._each("messages", lambda: self._helpdesk.messages(company_id, message_ids))

    def _message_facts(
        self, company_id: str, message_ids: Sequence[str]
    ) -> Iterator[MessageArrived]:
        host = cast(MessageFacts, self._helpdesk)
        return self._each("message_facts", lambda: host.message_facts(company_id, message_ids))

    def _agents(self, company_id: str) -> Sequence[Agent]:
        with self._asked("agents"):
            return list(cast(Agents, self._helpdesk).agents(company_id))

    def _participants(self, company_id: str, conversation_id: str) -> Sequence[Address]:
        with self._asked("participants"):
            host = cast(Participants, self._helpdesk)
            return list(host.participants(company_id, conversation_id))

    def _each(self, question: str, ask: Callable[[], Iterable[T]]) -> Iterator[T]:
        with self._asked(question):
            following = iter(ask())
        while True:
            with self._asked(question):
                found = next(following, None)
            if found is None:
                return
            yield found

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
