"""The help desk of every host here: in memory, but for the one part each host does its own way."""

from __future__ import annotations

from collections.abc import Callable

from keeping_plugin import Address, Agent, Conversation
from keeping_plugin.testing import FakeHelpDesk

ADMIN = Agent("ada", "acme", "Ada Admin", is_admin=True)
AGENT = Agent("gus", "acme", "Gus Agent")
PEOPLE = {agent.id: agent for agent in (ADMIN, AGENT)}
CUSTOMER = Address("customer@example.com", "Cora Customer")
CONVERSATION = Conversation(
    "c-1", "support", "Where is my order?", "/conversations/c-1", customer=CUSTOMER
)


class Desk(FakeHelpDesk):
    """`whose_request` says which of PEOPLE makes the request."""

    def __init__(self, whose_request: Callable[[], str | None]) -> None:
        super().__init__()
        self._whose_request = whose_request
        self.add_conversation("acme", CONVERSATION)

    def current_agent(self) -> Agent | None:
        agent_id = self._whose_request()
        return None if agent_id is None else PEOPLE[agent_id]
