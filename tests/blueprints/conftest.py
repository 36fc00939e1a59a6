"""The agents' routes on an org in memory, the admins' in front of simulated orgs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.blueprints.admin_side import side
from tests.blueprints.inbox import CUSTOMER, Inbox, open_inbox

__all__ = ["side"]


@pytest.fixture
def unconnected(sqlite_url: str) -> Iterator[Inbox]:
    """The inbox before an admin has connected it."""
    with open_inbox(sqlite_url) as inbox:
        yield inbox


@pytest.fixture
def inbox(unconnected: Inbox) -> Inbox:
    """The inbox, connected and described."""
    unconnected.connect()
    return unconnected


@pytest.fixture
def jane(inbox: Inbox) -> str:
    """A Contact with the customer's address; its id."""
    return inbox.salesforce.add(
        "Contact", FirstName="Jane", LastName="Doe", Email=CUSTOMER.email, Phone="+31 20 555 0100"
    )
