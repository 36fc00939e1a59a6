"""Two companies of one host, each connected to a Salesforce org of its own, with people in both."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import session as browser_session
from sqlalchemy import select

from keeping_plugin.forms import csrf
from keeping_plugin.jobs.worker import make_worker
from keeping_plugin.models import (
    AgentUser,
    AuditRecord,
    BackfillRun,
    Connection,
    EntryState,
    FieldSelection,
    FindingPolicy,
    MailboxPolicy,
    SyncEntry,
    UndoRun,
    now,
    upsert,
)
from keeping_plugin.services.connection import connect, grants
from keeping_plugin.services.schema import describe
from keeping_plugin.testing import FakeHelpDesk
from keeping_plugin.types import (
    Address,
    Agent,
    Conversation,
    Direction,
    Message,
    MessageArrived,
    Tokens,
)
from salesforce_simulator.process import OrgProcess, RunningOrg
from tests.blueprints.admin_side import CALLBACK, AdminSide, Visitor
from tests.hosts.desk import PEOPLE
from tests.hosts.houses import House, bare
from tests.servers.sqlite import lay_tables

# Ada and Gus of acme come with the host.
EVE = Agent("eve", "other", "Eve Elsewhere", is_admin=True)
OTTO = Agent("otto", "other", "Otto Elsewhere")
ADMINS = {"acme": "ada", "other": "eve"}
AGENTS = {"acme": "gus", "other": "otto"}
# The mailbox that agents of acme have no access to.
PRIVATE = "c-private"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """Everything of one company that has an id."""

    conversation: str
    mailbox: str
    customer: Address
    records: dict[str, str]  # by object
    entry: int
    run: int = 1  # a backfill that is over
    undo: int = 1  # an undo under way


@dataclass
class Town(AdminSide):
    """The host, its two companies and their orgs."""

    run: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    ids: dict[str, Ids] = field(default_factory=dict)

    @property
    def desk(self) -> FakeHelpDesk:
        desk = self.state.helpdesk
        assert isinstance(desk, FakeHelpDesk)
        return desk

    def org_of(self, company: str) -> RunningOrg:
        return self.orgs.production if company == "acme" else self.orgs.sandbox

    def settle_in(self) -> None:
        """Connect both companies and give each a conversation with everything around it."""
        for company, conversation in (("acme", "c-1"), ("other", "o-1")):
            self.connect(self.visitor(ADMINS[company]), org=self.org_of(company), described=False)
            found = self.current(company)
            assert found is not None
            with self.house.app.app_context():
                describe.describe(self.state, found.id)
            self.ids[company] = self.populate(company, conversation)
        private = Address(f"private-{self.run}@example.com", "Pia Private")
        self.converse("acme", PRIVATE, private, mailbox="private")
        self.desk.hidden.add(PRIVATE)
        self.forget_calls()

    def converse(
        self,
        company: str,
        conversation_id: str,
        customer: Address | None,
        *,
        mailbox: str = "",
        subject: str = "Where is my order?",
    ) -> Conversation:
        """Open a conversation, or let one be with somebody else."""
        mailbox = mailbox or f"support-{company}"
        url = f"/conversations/{conversation_id}"
        found = Conversation(conversation_id, mailbox, subject, url, customer=customer)
        return self.desk.add_conversation(company, found)

    def populate(self, company: str, conversation_id: str, **values: Any) -> Ids:
        """A conversation whose customer has one of everything in the company's org, and a failed
        entry. `values` are the Contact's."""
        customer = Address(f"{conversation_id}-{self.run}@example.com", "Cora Customer")
        conversation = self.converse(company, conversation_id, customer)
        control = self.org_of(company).control
        account = control.create("Account", Name=f"The account of {company}")
        contact = control.create(
            "Contact",
            **{
                "LastName": f"Of {company}",
                "Email": customer.email,
                "AccountId": account,
                **values,
            },
        )
        deal = control.create(
            "Opportunity",
            Name=f"The deal of {company}",
            StageName="Prospecting",
            CloseDate="2026-12-01",
            AccountId=account,
        )
        control.create("OpportunityContactRole", ContactId=contact, OpportunityId=deal)
        case = control.create("Case", Subject=f"The case of {company}", ContactId=contact)
        with self.house.app.app_context(), self.state.database.write() as session:
            policy = {
                "company_id": company,
                "mailbox_id": conversation.mailbox_id,
                "add_contacts": False,
                "log_tasks": True,
            }
            upsert(session, MailboxPolicy, policy)
            chosen = {
                "company_id": company,
                "object": "Contact",
                "fields": ["Name", "Email", "Phone", "Title", "AccountId"],
            }
            upsert(session, FieldSelection, chosen)
        self.arrive(company, conversation)
        with self.house.app.app_context(), self.state.database.write() as session:
            entry = session.scalars(
                select(SyncEntry).where(SyncEntry.conversation_id == conversation_id)
            ).one()
            entry.state, entry.reason, entry.due_at = EntryState.FAILED, "rejected", None
            at = now(session)
            run = BackfillRun(
                connection_id=entry.connection_id,
                epoch=entry.epoch,
                company_id=company,
                mailbox_id=conversation.mailbox_id,
                since=at,
                started_by=ADMINS[company],
                started_at=at,
                finished_at=at,
                state="done",
            )
            undo = UndoRun(
                connection_id=entry.connection_id,
                epoch=entry.epoch,
                company_id=company,
                chosen_by="entry",
                value=str(entry.id),
                started_by=ADMINS[company],
                started_at=at,
            )
            session.add_all([run, undo, FindingPolicy(company_id=company, search=True)])
            agent = {  # whom routes name by their id
                "connection_id": entry.connection_id,
                "agent_id": conversation.mailbox_id,
                "name": f"Agent of {company}",
                "email": "",
                "seen_at": at,
            }
            upsert(session, AgentUser, agent)
            session.flush()
            records = {"Contact": contact, "Account": account, "Opportunity": deal, "Case": case}
            return Ids(
                conversation=conversation_id,
                mailbox=conversation.mailbox_id,
                customer=customer,
                records=records,
                entry=entry.id,
                run=run.id,
                undo=undo.id,
            )

    def arrive(
        self,
        company: str,
        conversation: Conversation,
        *,
        number: int = 1,
        subject: str = "Where is my order?",
        text: str | None = "It has not come.",
        html: str | None = None,
    ) -> None:
        """A message of the conversation's customer comes in and is stored."""
        arrived: dict[str, Any] = {
            "company_id": company,
            "mailbox_id": conversation.mailbox_id,
            "conversation_id": conversation.id,
            "message_id": f"{conversation.id}-m{number}",
            "direction": Direction.INBOUND,
            "opens_conversation": number == 1,
            "customer": conversation.customer,
            "sender": conversation.customer,
            "recipients": (),
            "sent_at": datetime.now(UTC),
        }
        self.desk.add_message(Message(**arrived, subject=subject, text=text, html=html))
        with self.house.app.app_context():
            self.house.salesforce.message_arrived(MessageArrived(**arrived))
            self.house.db.session.commit()

    def csrf(self, visitor: Visitor) -> str:
        """A token that belongs to this browser's session, whoever it is."""
        secret = "f" * 40
        with visitor.client.session_transaction() as kept:
            kept["csrf"] = secret
        with self.house.app.test_request_context():
            browser_session["csrf"] = secret
            return csrf.token()

    def confirm(self, admin: Visitor, company: str) -> None:
        """Say yes to the org that a login has just led to."""
        with self.house.app.app_context(), self.state.database.read() as session:
            waiting = connect.unconfirmed(session, company)
        assert waiting is not None
        said = {"answer": "use", "connection": str(waiting.id)}
        assert admin.post("/salesforce/settings/confirm", said).status_code == 303
        now_current = self.current(company)
        assert now_current is not None
        assert now_current.id == waiting.id

    # -- what happened ---------------------------------------------------------------------------
    def calls(self, company: str) -> list[dict[str, Any]]:
        """What reached the company's org since `forget_calls`."""
        log: list[dict[str, Any]] = self.org_of(company).control.log()
        return log

    def forget_calls(self) -> None:
        for company in ADMINS:
            self.org_of(company).control.reset_log()

    def tokens(self, company: str) -> Tokens:
        """The company's grant, opened."""
        row = self.current(company)
        assert row is not None
        assert row.tokens is not None
        return grants.unseal(
            self.state.vault, row.tokens, company_id=row.company_id, org_id=row.org_id
        )

    def change_connection(self, company: str, **values: Any) -> None:
        """Write columns of the company's row, as somebody in the database could."""
        with self.house.app.app_context(), self.state.database.write() as session:
            row = session.scalars(
                select(Connection).where(Connection.company_id == company, Connection.current)
            ).one()
            for name, value in values.items():
                setattr(row, name, value)

    def audited(self, company: str | None = None) -> Sequence[AuditRecord]:
        query = select(AuditRecord).order_by(AuditRecord.id)
        if company is not None:
            query = query.where(AuditRecord.company_id == company)
        with self.house.app.app_context(), self.state.database.read() as session:
            return session.scalars(query).all()

    def work(self, *, logging_level: str = "WARNING") -> None:
        """A worker does whatever is queued."""
        with self.house.app.app_context():
            make_worker(self.house.app, self.state).work(burst=True, logging_level=logging_level)


@contextmanager
def open_town(orgs: OrgProcess, database_url: str, **config: Any) -> Iterator[Town]:
    """Its doors are open, nobody is connected yet."""
    for agent in (EVE, OTTO):
        PEOPLE[agent.id] = agent
    for org in (orgs.production, orgs.sandbox):
        org.control.allow_redirect(CALLBACK)
    house: House = bare(
        database_url,
        KEEPING_SALESFORCE_CLIENT_ID=orgs.client_id,
        KEEPING_SALESFORCE_CLIENT_SECRET=orgs.client_secret,
        KEEPING_SALESFORCE_LOGIN_URLS=(orgs.production.base_url, orgs.sandbox.base_url),
        KEEPING_SALESFORCE_ALLOW_LOOPBACK=True,
        **config,
    )
    with house.app.app_context():
        lay_tables(house.db.engine)
    try:
        yield Town(house, orgs)
    finally:
        house.close()
        for agent in (EVE, OTTO):
            PEOPLE.pop(agent.id, None)


__all__ = ["ADMINS", "AGENTS", "EVE", "OTTO", "PRIVATE", "Ids", "Town", "Visitor", "open_town"]
