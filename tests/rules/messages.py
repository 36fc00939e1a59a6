"""Facts as they are when everything speaks for a message, with some things changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from keeping_plugin.rules import RULES, Facts, Policy, decide
from keeping_plugin.types import Action, Address, Direction, MessageArrived

BOTH_ON = Policy(connected=True, add_contacts=True, log_tasks=True)


def arrived(**changes: Any) -> MessageArrived:
    """A person's first message to a mailbox; `sender` may be given as the bare address."""
    values: dict[str, Any] = {
        "company_id": "acme",
        "mailbox_id": "sales",
        "conversation_id": "c1",
        "message_id": "m1",
        "direction": Direction.INBOUND,
        "opens_conversation": True,
        "customer": Address("anna@customer.example", "Anna Smith"),
        "sender": Address("anna@customer.example", "Anna Smith"),
        "recipients": (Address("sales@acme.example"),),
        "sent_at": datetime(2026, 5, 6, 9, 30, tzinfo=UTC),
        **changes,
    }
    return MessageArrived(**values)


def from_(address: str, **changes: Any) -> MessageArrived:
    """A first message from this address."""
    return arrived(customer=Address(address), sender=Address(address), **changes)


def reasons(message: MessageArrived, policy: Policy = BOTH_ON) -> dict[Action, tuple[str, ...]]:
    """Every rule's reasons; an empty tuple is a grant."""
    return {verdict.action: verdict.reasons for verdict in decide(RULES, Facts.of(message, policy))}


def added(message: MessageArrived, policy: Policy = BOTH_ON) -> tuple[str, ...]:
    """What speaks against adding a Contact."""
    return reasons(message, policy)[Action.ADD_CONTACT]


def logged(message: MessageArrived, policy: Policy = BOTH_ON) -> tuple[str, ...]:
    """What speaks against logging a Task."""
    return reasons(message, policy)[Action.LOG_TASK]
