"""The help desk in memory keeps the contract that hosts are held to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from keeping_plugin.testing import FakeHelpDesk
from keeping_plugin.testing.contracts import HelpDeskCase, HelpDeskContract
from keeping_plugin.types import Address, Agent, Conversation, Direction, Message

SINCE = datetime(2026, 5, 1, tzinfo=UTC)


def desk_with_messages() -> FakeHelpDesk:
    desk = FakeHelpDesk()
    customer = Address("jane@example.com", "Jane")
    for company in ("acme", "other"):
        desk.add_conversation(
            company,
            Conversation(f"{company}-c", f"{company}-m", "Hello", "/c/1", customer=customer),
        )
        # Two were sent in the same second; ids then decide.
        for number, minutes in enumerate((5, 0, 5, 9, -10_000)):
            desk.add_message(
                Message(
                    company_id=company,
                    mailbox_id=f"{company}-m",
                    conversation_id=f"{company}-c",
                    message_id=f"{company}-{number}",
                    direction=Direction.INBOUND,
                    opens_conversation=number == 1,
                    customer=customer,
                    sender=customer,
                    recipients=[Address(f"{company}-m@{company}.example")],
                    sent_at=SINCE + timedelta(minutes=minutes),
                    subject="Hello",
                    text=f"Body {number}",
                )
            )
    desk.company("acme").internal.append("acme.example")
    desk.company("acme").skipped.append("spam.example")
    return desk


class TestTheFakeKeepsTheContract(HelpDeskContract):
    @pytest.fixture
    def case(self) -> HelpDeskCase:
        return HelpDeskCase(
            helpdesk=desk_with_messages(),
            company_id="acme",
            other_company_id="other",
            mailbox_id="acme-m",
            conversation_id="acme-c",
            message_ids=("acme-1", "acme-0", "acme-2", "acme-3"),
            since=SINCE,
            agent=Agent("a", "acme", "Ann"),
            stranger=Agent("e", "other", "Eve", is_admin=True),
        )


def test_bodies_are_fetched_one_at_a_time() -> None:
    desk = desk_with_messages()
    found = desk.messages("acme", ["acme-0", "acme-1"])
    assert desk.bodies_read == []
    next(found)
    assert desk.bodies_read == ["acme-0"]


def test_a_hidden_conversation_is_for_admins() -> None:
    desk = desk_with_messages()
    desk.hidden.add("acme-c")
    conversation = desk.conversation("acme", "acme-c")
    assert conversation is not None
    assert not desk.may_view(Agent("a", "acme", "Ann"), conversation)
    assert desk.may_view(Agent("b", "acme", "Bob", is_admin=True), conversation)
