"""Messages as a host would hand them over, with one thing changed at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from keeping_plugin.types import Address, Direction, MessageArrived

ANNA = Address("anna@customer.example", "Anna Smith")
OURS = Address("sales@acme.example", "Acme Sales")


def arrived(**changes: Any) -> MessageArrived:
    """The first message of a new conversation, from a customer, unless changed."""
    values: dict[str, Any] = {
        "company_id": "acme",
        "mailbox_id": "sales",
        "conversation_id": "c1",
        "message_id": "m1",
        "direction": Direction.INBOUND,
        "opens_conversation": True,
        "customer": ANNA,
        "sender": ANNA,
        "recipients": (OURS,),
        "sent_at": datetime(2026, 5, 6, 9, 30, tzinfo=UTC),
        "headers": {"content-type": "text/plain; charset=utf-8", "return-path": "<anna@x.example>"},
    }
    return MessageArrived(**{**values, **changes})
