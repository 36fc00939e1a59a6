"""Who asks about which conversation: answered by the host, as values, before anything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import g, url_for

from keeping_plugin.addresses import salesforce_key
from keeping_plugin.blueprints.web import guards
from keeping_plugin.blueprints.web.conversation_ids import digest, person
from keeping_plugin.errors import ConnectionLost, NotConnected, NotFound
from keeping_plugin.mail.clean import one_line
from keeping_plugin.services.panel.open import FRESH, known, open_panel
from keeping_plugin.services.panel.others import others
from keeping_plugin.services.panel.view import Linked, PanelView, linked
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Address, Agent, Conversation

_NAME = 60  # characters of a name


@dataclass(frozen=True, slots=True)
class ConversationContext:
    """An agent and a conversation that they may see. `other`: the person on it whose card they
    opened, if not its customer. `others`: all of these people, if they have been read already."""

    agent: Agent
    conversation: Conversation
    other: Address | None = None
    others: tuple[Address, ...] | None = None

    @property
    def customer(self) -> Address | None:
        """Whose panel it is."""
        return self.other or self.conversation.customer

    @property
    def mailbox_id(self) -> str:
        return self.conversation.mailbox_id

    def link(self) -> Linked:
        """The company's connection, to ask or write something now. Raises NotConnected and
        ConnectionLost."""
        with current_runtime().database.read() as session:
            found = linked(session, self.agent.company_id)
        if found is None:
            raise NotConnected("Salesforce is not connected.")
        if found.lost:
            raise ConnectionLost
        return found

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
        """The panel that this conversation already shows, else a fresh one."""
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
    people = None
    if conversation is not None and allowed and person():
        people = others(runtime, agent, conversation)
    guards.end_host_transaction()
    if conversation is None or not allowed:
        raise NotFound("This conversation does not exist, or you do not have access to it.")
    g.keeping_conversation = conversation.id
    other = next((one for one in people or () if _digest_of(one) == person()), None)
    if person() and other is None:
        g.keeping_person = ""
        raise NotFound("This person is not on the conversation.")
    return ConversationContext(agent, conversation, other, people)


def _digest_of(one: Address) -> str:
    return digest(salesforce_key(one.email) or "")


class OnConversation(NamedTuple):
    """One person on a conversation, and where their card is."""

    id: str  # in the page
    name: str
    address: str
    url: str
    current: bool
    is_customer: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "address": self.address,
            "url": self.url,
            "current": self.current,
        }


def people_on(place: ConversationContext) -> list[OnConversation]:
    """The customer and the others on the conversation; empty if the customer is alone."""
    found = place.others
    if found is None:
        found = others(current_runtime(), place.agent, place.conversation)
        guards.end_host_transaction()
    customer = place.conversation.customer
    everyone = [("", customer)] if customer is not None else []
    everyone += [(_digest_of(one), one) for one in found]
    return [
        OnConversation(
            id=f"k-with-{whose}",
            name=one_line(one.name, _NAME) or one.email,
            address=one.email,
            url=url_for(".panel", conversation_id=place.conversation.id, card_of=whose),
            current=whose == person(),
            is_customer=one is customer,
        )
        for whose, one in (everyone if found else ())
    ]
