"""The others on a conversation (in Cc, earlier senders), whose cards the panel shows on request."""

from __future__ import annotations

from itertools import islice

from sqlalchemy import select

from keeping_plugin.addresses import address_key, domain_of, parent_domains, salesforce_key
from keeping_plugin.errors import HelpDeskFailed
from keeping_plugin.models import SkippedDomain, listed
from keeping_plugin.ports import HelpDesk
from keeping_plugin.services.asked_helpdesk import guarded
from keeping_plugin.services.automation.host_lists import domain_keys, internal_keys
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Address, Agent, Conversation

MAX_OTHERS = 50
_MAX_READ = 500  # addresses of the host's answer


def others(runtime: Runtime, agent: Agent, conversation: Conversation) -> tuple[Address, ...]:
    """The external people on a conversation besides its customer, each once, in the host's order.
    Leaves out the company's agents and mailboxes, and domains of the skip lists. None if the host
    does not provide them or fails (then logged). Calls the host; the caller ends its
    transaction."""
    host = guarded(runtime.helpdesk)
    if not hasattr(host, "participants"):
        return ()
    try:
        told = host.participants(agent.company_id, conversation.id)
        customer = [conversation.customer] if conversation.customer is not None else []
        people = _once([*customer, *islice(told, _MAX_READ)])
        if conversation.customer is not None:
            people.pop(salesforce_key(conversation.customer.email) or "", None)
        if not people:
            return ()
        ours = _ours(host, agent, conversation)
        skipped = domain_keys(host.skipped_domains(agent.company_id))
    except HelpDeskFailed:
        return ()
    skipped |= _own_list(runtime, agent.company_id, people)
    left_out = ours | skipped
    external = (one for one in people.values() if _covered(one).isdisjoint(left_out))
    return tuple(islice(external, MAX_OTHERS))


def _once(told: list[Address]) -> dict[str, Address]:
    """By the key that Salesforce compares addresses by: the first spelling, with the first name."""
    found: dict[str, Address] = {}
    for one in told:
        key = salesforce_key(one.email)
        if key is not None and (key not in found or (one.name and not found[key].name)):
            found[key] = Address(found[key].email if key in found else one.email, one.name)
    return found


def _ours(host: HelpDesk, agent: Agent, conversation: Conversation) -> frozenset[str]:
    company_id = agent.company_id
    agents = [agent, *([conversation.assignee] if conversation.assignee is not None else [])]
    if hasattr(host, "agents"):
        agents += host.agents(company_id)
    addresses = [one.email for one in agents]
    addresses += [box.address for box in host.mailboxes(company_id)]
    keys = {key for each in addresses if (key := address_key(each)) is not None}
    return internal_keys(host.internal_addresses(company_id)) | keys


def _own_list(runtime: Runtime, company_id: str, people: dict[str, Address]) -> frozenset[str]:
    domains = {each for one in people.values() for each in _covered(one) if "@" not in each}
    with runtime.database.read() as session:
        return frozenset(
            session.scalars(
                select(SkippedDomain.domain).where(
                    SkippedDomain.company_id == company_id,
                    SkippedDomain.domain.in_(select(listed(session, domains))),
                )
            )
        )


def _covered(one: Address) -> frozenset[str]:
    """The address and the domains that cover it."""
    key = address_key(one.email) or ""
    return frozenset({key, *parent_domains(domain_of(key))})
