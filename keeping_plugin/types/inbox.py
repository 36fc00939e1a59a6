"""Values that the host's inbox provides."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class OpenedBy(StrEnum):
    """Deprecated together with `Conversation.opened_by`; not used."""

    CUSTOMER = "customer"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Address:
    """An email address as written in the message, with its display name ("" if it had none)."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Agent:
    """A person who works in the inbox. Admins are agents who may change the settings.

    `email` matches the agent to a Salesforce user. `locale` ("de-CH") and `timezone` (an IANA name)
    decide how numbers and times are read and shown; "" leaves that to the browser.
    """

    id: str
    company_id: str
    name: str
    is_admin: bool = False
    email: str = ""
    locale: str = ""
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class Mailbox:
    id: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """`customer` is the external person: the sender of inbound or recipient of outbound mail, or
    None. `assignee` is the agent who looks after it, if any. `opened_by` is deprecated and ignored;
    use `MessageArrived.opens_conversation`."""

    id: str
    mailbox_id: str
    subject: str
    url: str
    opened_by: OpenedBy | None = None
    customer: Address | None = None
    assignee: Agent | None = None

    def __post_init__(self) -> None:
        if self.opened_by is not None:
            warnings.warn(
                "Conversation.opened_by is ignored; leave it out.",
                DeprecationWarning,
                stacklevel=3,  # beyond this and the generated __init__
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageArrived:
    """One stored message, inbound or outbound, without its text.

    `opens_conversation` is true for the first message of its conversation. `headers` maps
    lower-case header names to values; only those that identify automated mail are read. `author` is
    the agent who wrote an outbound message. `rfc_message_id` is its Message-ID header, with or
    without `<>`; by it one mail is recognized in several mailboxes.
    """

    company_id: str
    mailbox_id: str
    conversation_id: str
    message_id: str
    direction: Direction
    opens_conversation: bool
    customer: Address | None
    sender: Address | None
    recipients: Sequence[Address]
    sent_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    author: Agent | None = None
    rfc_message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(MessageArrived):
    """A message with its text, as `HelpDesk.messages` yields it."""

    subject: str | None = None
    text: str | None = None
    html: str | None = None


class Action(StrEnum):
    """What an automation may do with a message."""

    ADD_CONTACT = "add_contact"
    LOG_TASK = "log_task"
