"""How agents create a record of an object from a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """Agents create one for the person of a conversation, where an admin allows it.

    `to` says, by the object of the person, which field of the new record refers to them, `account`
    which one to the Contact's Account. With `back`, that field of the Contact gets the new record
    instead, in the same request, and only while it is empty.

    Its form begins with the fields of `first`. `subject` starts as the conversation's subject,
    `text` as what is new in the customer's latest message, `due` as tomorrow, `owner` as the
    agent's own Salesforce user; for `company` the name of the person's company is suggested.
    `assigned`: the org's assignment rules decide whose it is, unless an admin turns that off.
    """

    first: tuple[str, ...]
    to: Mapping[str, str] = field(default_factory=dict)
    account: str = ""
    back: str = ""
    subject: str = ""
    text: str = ""
    due: str = ""
    owner: str = ""
    company: str = ""
    assigned: bool = False
