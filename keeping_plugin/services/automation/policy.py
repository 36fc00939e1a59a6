"""The policy under which a mailbox's messages are judged, and the switches it is made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection as DbConnection
from sqlalchemy import Executable, and_, bindparam, literal_column, select, union_all
from sqlalchemy.orm import Session

from keeping_plugin.addresses import address_key, domain_of, parent_domains
from keeping_plugin.models import (
    Connection,
    Decision,
    Installation,
    KeptOut,
    MailboxPolicy,
    SkippedDomain,
    upsert,
)
from keeping_plugin.ports import HelpDesk
from keeping_plugin.rules import Policy
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.automation.host_lists import domain_keys, internal_keys
from keeping_plugin.types import Agent, MessageArrived

# Kept whole, so that intake spends nothing on building them.
_SWITCHES = (
    select(
        Connection.id,
        Connection.epoch,
        MailboxPolicy.add_contacts,
        MailboxPolicy.log_tasks,
        # By the unique key of Decisions, in the statement that is asked anyway.
        select(literal_column("1"))
        .where(
            Decision.company_id == bindparam("company_id"),
            Decision.message_id == bindparam("message_id"),
        )
        .exists()
        .label("judged_before"),
        select(Installation.contract)
        .where(Installation.id == 1)
        .scalar_subquery()
        .label("contract"),
    )
    .outerjoin(
        MailboxPolicy,
        and_(
            MailboxPolicy.company_id == Connection.company_id,
            MailboxPolicy.mailbox_id == bindparam("mailbox_id"),
        ),
    )
    .where(Connection.company_id == bindparam("company_id"), Connection.current)
)
# Skipped domains, and by the primary key what agents keep out, which has a message and an agent.
_CHOSEN: Executable = union_all(
    select(
        SkippedDomain.domain.label("name"),
        SkippedDomain.skip_logging,
        literal_column("NULL").label("message_id"),
        literal_column("NULL").label("agent"),
    ).where(
        SkippedDomain.company_id == bindparam("company_id"),
        SkippedDomain.domain.in_(bindparam("domains", expanding=True)),
    ),
    select(
        KeptOut.conversation_id, literal_column("NULL"), KeptOut.message_id, KeptOut.agent
    ).where(
        KeptOut.company_id == bindparam("company_id"),
        KeptOut.conversation_id.in_(bindparam("conversations", expanding=True)),
        KeptOut.message_id.in_(bindparam("messages", expanding=True)),
    ),
)


@dataclass(frozen=True, slots=True)
class Switches:
    """A mailbox's automations, and the connection they write to (None: never connected, or
    disconnected; lost connections count, their work waits)."""

    connection_id: int | None
    epoch: int
    add_contacts: bool
    log_tasks: bool
    judged_before: bool = False
    as_0_1_0: bool = False  # processes of 0.1.0 may run beside us


def read_switches(
    database: DbConnection, company_id: str, mailbox_id: str, message_id: str = ""
) -> Switches:
    """One query. Both switches are off where there is no connection, or no choice was made.
    `judged_before` says whether there is a Decision of the message, on whatever occasion."""
    row = database.execute(
        _SWITCHES,
        {"company_id": company_id, "mailbox_id": mailbox_id, "message_id": message_id},
    ).one_or_none()
    if row is None:
        return Switches(None, 0, False, False)
    return Switches(
        row.id,
        row.epoch,
        bool(row.add_contacts),
        bool(row.log_tasks),
        bool(row.judged_before),
        row.contract == 0,
    )


def read_policy(
    database: DbConnection,
    helpdesk: HelpDesk,
    messages: Collection[MessageArrived],
    *,
    company_id: str,
    switches: Switches,
) -> Policy:
    """The policy as it concerns these messages: one query, which asks for their customers' domains
    and those above them, and for their conversations only, however long the company's lists are."""
    domains = _domains(message.customer.email for message in messages if message.customer)
    host = domain_keys(helpdesk.skipped_domains(company_id))
    own: dict[str, bool] = {}
    kept_out: dict[tuple[str, str], str] = {}
    asked = {
        "company_id": company_id,
        "domains": sorted(domains),
        "conversations": sorted({message.conversation_id for message in messages}),
        "messages": ["", *(message.message_id for message in messages)],
    }
    for row in database.execute(_CHOSEN, asked):
        if row.agent is None:
            own[row.name] = row.skip_logging
        else:
            kept_out[row.name, row.message_id] = row.agent
    return Policy(
        connected=switches.connection_id is not None,
        add_contacts=switches.add_contacts,
        log_tasks=switches.log_tasks,
        internal=internal_keys(helpdesk.internal_addresses(company_id)),
        skipped=frozenset(own) | (domains & host),
        unlogged=frozenset(domain for domain, skip_logging in own.items() if skip_logging),
        as_0_1_0=switches.as_0_1_0,
        kept_out=kept_out,
    )


def _domains(addresses: Iterable[str]) -> frozenset[str]:
    keys = (address_key(address) for address in addresses)
    return frozenset(
        domain for key in keys if key is not None for domain in parent_domains(domain_of(key))
    )


@dataclass(frozen=True, slots=True)
class MailboxAutomation:
    """A mailbox's two switches as its admin sees them."""

    add_contacts: bool = False
    log_tasks: bool = False


def mailbox_automation(session: Session, company_id: str, mailbox_id: str) -> MailboxAutomation:
    """The choice kept for a mailbox; both off when none was made. It outlives a disconnect."""
    row = session.get(MailboxPolicy, (company_id, mailbox_id))
    if row is None:
        return MailboxAutomation()
    return MailboxAutomation(row.add_contacts, row.log_tasks)


def mailbox_automations(session: Session, company_id: str) -> dict[str, MailboxAutomation]:
    """The company's choices by mailbox id; mailboxes without one are left out."""
    rows = session.scalars(select(MailboxPolicy).where(MailboxPolicy.company_id == company_id))
    return {row.mailbox_id: MailboxAutomation(row.add_contacts, row.log_tasks) for row in rows}


def set_mailbox_automation(
    session: Session, agent: Agent, mailbox_id: str, *, add_contacts: bool, log_tasks: bool
) -> bool:
    """Keep a mailbox's switches; says whether that changed anything.

    That the mailbox is the company's is the caller's business (HelpDesk.mailboxes).
    """
    wanted = MailboxAutomation(add_contacts, log_tasks)
    company_id = agent.company_id
    if mailbox_automation(session, company_id, mailbox_id) == wanted:
        return False
    upsert(
        session,
        MailboxPolicy,
        {
            "company_id": company_id,
            "mailbox_id": mailbox_id,
            "add_contacts": add_contacts,
            "log_tasks": log_tasks,
        },
    )
    audit.record_by(
        session,
        agent,
        Audited.AUTOMATION_CHANGED,
        record_id=mailbox_id,
        detail=f"add_contacts={add_contacts} log_tasks={log_tasks}".lower(),
    )
    return True


def as_switched(switches: Switches, wanted: MailboxAutomation) -> Switches:
    """The same mailbox with other switches: what would happen if they were set like this."""
    return replace(switches, add_contacts=wanted.add_contacts, log_tasks=wanted.log_tasks)
