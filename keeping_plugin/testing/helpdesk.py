"""An in-memory help desk, for tests without a host."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from keeping_plugin.types import (
    Address,
    Agent,
    Conversation,
    Direction,
    Mailbox,
    Message,
    MessageArrived,
)


@dataclass(slots=True)
class FakeCompany:
    """One company's data; change it freely between calls."""

    mailboxes: list[Mailbox] = field(default_factory=list)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    agents: list[Agent] = field(default_factory=list)
    internal: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


class FakeHelpDesk:
    """`ports.HelpDesk` in memory. `agent` is the agent making the request; `hidden` has the ids of
    conversations that only admins may see, `bodies_read` those of messages whose text was
    read."""

    def __init__(self) -> None:
        self.agent: Agent | None = None
        self.companies: dict[str, FakeCompany] = {}
        self.hidden: set[str] = set()
        self.bodies_read: list[str] = []

    def company(self, company_id: str) -> FakeCompany:
        """The company; created on first use."""
        return self.companies.setdefault(company_id, FakeCompany())

    def add_conversation(self, company_id: str, conversation: Conversation) -> Conversation:
        """Add a conversation; its mailbox is created if the company does not have it."""
        company = self.company(company_id)
        if all(mailbox.id != conversation.mailbox_id for mailbox in company.mailboxes):
            address = f"{conversation.mailbox_id}@{company_id}.example"
            name = conversation.mailbox_id.title()
            company.mailboxes.append(Mailbox(conversation.mailbox_id, name, address))
        company.conversations[conversation.id] = conversation
        return conversation

    def add_message(self, message: Message) -> Message:
        """Add a message to its company."""
        self.company(message.company_id).messages[message.message_id] = message
        return message

    def current_agent(self) -> Agent | None:
        return self.agent

    def mailboxes(self, company_id: str) -> Sequence[Mailbox]:
        return tuple(self.company(company_id).mailboxes)

    def agents(self, company_id: str) -> Sequence[Agent]:
        return tuple(self.company(company_id).agents)

    def conversation(self, company_id: str, conversation_id: str) -> Conversation | None:
        return self.company(company_id).conversations.get(conversation_id)

    def messages(self, company_id: str, message_ids: Sequence[str]) -> Iterator[Message]:
        kept = self.company(company_id).messages
        for message_id in message_ids:
            if message_id in kept:
                self.bodies_read.append(message_id)
                yield kept[message_id]

    def message_facts(
        self, company_id: str, message_ids: Sequence[str]
    ) -> Iterator[MessageArrived]:
        kept = self.company(company_id).messages
        for message_id in message_ids:
            if message_id in kept:
                told = kept[message_id]
                names = (each.name for each in fields(MessageArrived))
                yield MessageArrived(**{name: getattr(told, name) for name in names})

    def participants(self, company_id: str, conversation_id: str) -> Sequence[Address]:
        kept = self.company(company_id).messages.values()
        mine = [each for each in kept if each.conversation_id == conversation_id]
        mine.sort(key=lambda each: each.sent_at, reverse=True)
        told = [(each.sender, *each.recipients) for each in mine]
        return [one for people in told for one in people if one is not None]

    def latest_message(self, company_id: str, conversation_id: str) -> Message | None:
        kept = self.company(company_id).messages.values()
        inbound = [
            each
            for each in kept
            if each.conversation_id == conversation_id and each.direction is Direction.INBOUND
        ]
        latest = sorted(inbound, key=lambda each: each.sent_at)[-1:]
        return next(self.messages(company_id, [each.message_id for each in latest]), None)

    def message_ids(
        self,
        company_id: str,
        mailbox_id: str,
        since: datetime,
        after: str | None = None,
        limit: int = 500,
    ) -> Sequence[str]:
        kept = self.company(company_id).messages
        found = sorted(
            (message.sent_at, message.message_id)
            for message in kept.values()
            if message.mailbox_id == mailbox_id and message.sent_at >= since
        )
        if after is not None and after in kept:
            found = [entry for entry in found if entry > (kept[after].sent_at, after)]
        return [message_id for _, message_id in found[:limit]]

    def internal_addresses(self, company_id: str) -> Collection[str]:
        return tuple(self.company(company_id).internal)

    def skipped_domains(self, company_id: str) -> Collection[str]:
        return tuple(self.company(company_id).skipped)

    def may_view(self, agent: Agent, conversation: Conversation) -> bool:
        ours = self.company(agent.company_id).conversations.get(conversation.id)
        return ours is not None and (agent.is_admin or conversation.id not in self.hidden)
