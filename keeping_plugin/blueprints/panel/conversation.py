"""Who asks about which conversation: answered by the host, as values, before anything else."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g

from keeping_plugin.blueprints.web import guards
from keeping_plugin.errors import NotFound
from keeping_plugin.services.panel.open import FRESH, known, open_panel
from keeping_plugin.services.panel.view import PanelView
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Address, Agent, Conversation


@dataclass(frozen=True, slots=True)
class ConversationContext:
    """An agent at a conversation that they may see."""

    agent: Agent
    conversation: Conversation

    @property
    def customer(self) -> Address | None:
        return self.conversation.customer

    @property
    def mailbox_id(self) -> str:
        return self.conversation.mailbox_id

    def open_panel(self) -> PanelView:
        """Ask Salesforce for what this conversation's panel shows."""
        return open_panel(
            current_runtime(),
            self.agent,
            self.customer,
            mailbox_id=self.mailbox_id,
            subject=self.conversation.subject,
        )

    def known_panel(self) -> PanelView:
        """What this conversation's panel shows already, else a fresh one."""
        return known(
            current_runtime(),
            self.agent,
            self.customer,
            no_older_than=FRESH,
            mailbox_id=self.mailbox_id,
            subject=self.conversation.subject,
        )


def load_conversation(conversation_id: str) -> ConversationContext:
    """Ask the host, then end its transaction: what follows may talk to Salesforce. Raises
    NotLoggedIn, and NotFound for a conversation that is not there, of another company, or not for
    this agent to see."""
    runtime = current_runtime()
    agent = guards.agent()
    conversation = None
    if 0 < len(conversation_id) <= 255 and "\x00" not in conversation_id:
        conversation = runtime.helpdesk.conversation(agent.company_id, conversation_id)
    allowed = conversation is not None and runtime.helpdesk.may_view(agent, conversation)
    guards.end_host_transaction()
    if conversation is None or not allowed:
        raise NotFound("This conversation does not exist, or you do not have access to it.")
    g.keeping_conversation = conversation.id
    return ConversationContext(agent, conversation)
