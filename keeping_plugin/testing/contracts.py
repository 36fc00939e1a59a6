"""The contract suite for a host's HelpDesk: subclass it in your tests. It only reads.

class TestOurHelpDesk(HelpDeskContract):
    @pytest.fixture
    def case(self, app) -> HelpDeskCase:
        return HelpDeskCase(helpdesk=..., company_id="7", ...)
"""

# ruff: noqa: S101 - these are tests
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime

import pytest

from keeping_plugin.ports import HelpDesk
from keeping_plugin.types import (
    Address,
    Agent,
    Conversation,
    Direction,
    Message,
    MessageArrived,
)

__all__ = ["HelpDeskCase", "HelpDeskContract"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpDeskCase:
    """A help desk and known data in it.

    `message_ids`: at least three messages of one mailbox, oldest first, none older than `since`.
    `agent` belongs to the company and may view the conversation; `stranger` belongs to the other
    company.
    """

    helpdesk: HelpDesk
    company_id: str
    other_company_id: str
    mailbox_id: str
    conversation_id: str
    message_ids: tuple[str, ...]
    since: datetime
    agent: Agent
    stranger: Agent


class HelpDeskContract:
    """What every `HelpDesk` must do. Subclass it and provide a `case` fixture."""

    @pytest.fixture
    def case(self) -> HelpDeskCase:
        raise NotImplementedError("provide a `case` fixture")

    def _conversation(self, case: HelpDeskCase) -> Conversation:
        found = case.helpdesk.conversation(case.company_id, case.conversation_id)
        assert found is not None
        return found

    def test_a_company_sees_its_mailboxes(self, case: HelpDeskCase) -> None:
        mailboxes = case.helpdesk.mailboxes(case.company_id)
        assert case.mailbox_id in [mailbox.id for mailbox in mailboxes]
        assert all("@" in mailbox.address for mailbox in mailboxes)

    def test_no_company_sees_another_ones_mailboxes(self, case: HelpDeskCase) -> None:
        others = case.helpdesk.mailboxes(case.other_company_id)
        assert case.mailbox_id not in [mailbox.id for mailbox in others]

    def test_a_conversation_is_found_by_its_company_alone(self, case: HelpDeskCase) -> None:
        found = self._conversation(case)
        assert found.id == case.conversation_id
        assert case.helpdesk.conversation(case.other_company_id, case.conversation_id) is None

    @pytest.mark.parametrize("unknown", ["no-such-id", "0", "x" * 255, "'; --"])
    def test_an_unknown_conversation_is_none(self, case: HelpDeskCase, unknown: str) -> None:
        assert case.helpdesk.conversation(case.company_id, unknown) is None

    def test_messages_come_with_their_text_and_missing_ones_are_left_out(
        self, case: HelpDeskCase
    ) -> None:
        wanted = [*case.message_ids, "no-such-id"]
        found = list(case.helpdesk.messages(case.company_id, wanted))
        assert {message.message_id for message in found} == set(case.message_ids)
        assert all(isinstance(message, Message) for message in found)
        assert all(message.company_id == case.company_id for message in found)

    def test_messages_of_another_company_are_left_out(self, case: HelpDeskCase) -> None:
        assert not list(case.helpdesk.messages(case.other_company_id, case.message_ids))

    def test_message_facts_are_the_messages_without_their_text(self, case: HelpDeskCase) -> None:
        ask = getattr(case.helpdesk, "message_facts", None)
        if ask is None:
            pytest.skip("this help desk has no message_facts")
        names = [each.name for each in fields(MessageArrived)]

        def seen(messages: Iterable[MessageArrived]) -> dict[str, list[object]]:
            return {each.message_id: [getattr(each, name) for name in names] for each in messages}

        wanted = [*case.message_ids, "no-such-id"]
        told = seen(ask(case.company_id, wanted))
        assert told == seen(case.helpdesk.messages(case.company_id, wanted))
        assert not list(ask(case.other_company_id, case.message_ids))

    def test_agents_are_the_company_s_own(self, case: HelpDeskCase) -> None:
        ask = getattr(case.helpdesk, "agents", None)
        if ask is None:
            pytest.skip("this help desk has no agents")
        found = list(ask(case.company_id))
        assert all(agent.company_id == case.company_id for agent in found)
        assert len({agent.id for agent in found}) == len(found)
        theirs = {agent.id for agent in ask(case.other_company_id)}
        assert theirs.isdisjoint(agent.id for agent in found)

    def test_participants_are_those_of_the_company_s_own_conversation(
        self, case: HelpDeskCase
    ) -> None:
        ask = getattr(case.helpdesk, "participants", None)
        if ask is None:
            pytest.skip("this help desk has no participants")
        found = list(ask(case.company_id, case.conversation_id))
        assert all(isinstance(one, Address) for one in found)
        senders = {
            message.sender.email
            for message in case.helpdesk.messages(case.company_id, case.message_ids)
            if message.conversation_id == case.conversation_id and message.sender is not None
        }
        assert senders <= {one.email for one in found}
        assert not list(ask(case.other_company_id, case.conversation_id))
        assert not list(ask(case.company_id, "no-such-id"))

    def test_the_latest_message_is_the_customer_s_last(self, case: HelpDeskCase) -> None:
        ask = getattr(case.helpdesk, "latest_message", None)
        if ask is None:
            pytest.skip("this help desk has no latest message")
        found = ask(case.company_id, case.conversation_id)
        inbound = [
            message
            for message in case.helpdesk.messages(case.company_id, case.message_ids)
            if message.conversation_id == case.conversation_id
            and message.direction is Direction.INBOUND
        ]
        if inbound:
            last = max(inbound, key=lambda message: message.sent_at)
            assert (found.message_id, found.text) == (last.message_id, last.text)
        assert ask(case.other_company_id, case.conversation_id) is None
        assert ask(case.company_id, "no-such-id") is None

    def test_times_are_aware(self, case: HelpDeskCase) -> None:
        for message in case.helpdesk.messages(case.company_id, case.message_ids):
            assert message.sent_at.tzinfo is not None

    def test_message_ids_are_oldest_first(self, case: HelpDeskCase) -> None:
        found = case.helpdesk.message_ids(case.company_id, case.mailbox_id, case.since)
        ours = [message_id for message_id in found if message_id in case.message_ids]
        assert ours == list(case.message_ids)

    def test_message_ids_are_paged_by_the_last_id(self, case: HelpDeskCase) -> None:
        ids = case.helpdesk.message_ids
        whole = ids(case.company_id, case.mailbox_id, case.since)
        pages: list[str] = []
        after: str | None = None
        while page := ids(case.company_id, case.mailbox_id, case.since, after, 2):
            assert len(page) <= 2
            pages += page
            after = page[-1]
        assert pages == list(whole)

    def test_message_ids_of_another_company_are_not_told(self, case: HelpDeskCase) -> None:
        assert not case.helpdesk.message_ids(case.other_company_id, case.mailbox_id, case.since)

    def test_addresses_and_domains_are_texts(self, case: HelpDeskCase) -> None:
        for told in (case.helpdesk.internal_addresses, case.helpdesk.skipped_domains):
            assert all(entry.strip() == entry != "" for entry in told(case.company_id))

    def test_an_agent_may_view_a_conversation_of_their_company(self, case: HelpDeskCase) -> None:
        assert case.helpdesk.may_view(case.agent, self._conversation(case)) is True

    def test_a_stranger_may_not(self, case: HelpDeskCase) -> None:
        assert case.helpdesk.may_view(case.stranger, self._conversation(case)) is False
