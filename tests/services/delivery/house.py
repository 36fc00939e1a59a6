"""A company with a mailbox, a real ledger and an org in memory: what the drain's tests live in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update

from keeping_plugin.addresses import address_key
from keeping_plugin.models import (
    AddressClaim,
    Base,
    Connection,
    Database,
    Lane,
    MailboxPolicy,
    OrgLease,
    SyncEntry,
    now,
)
from keeping_plugin.services.connection.disconnect import leave_for_other_org
from keeping_plugin.services.delivery.drain import drain
from keeping_plugin.services.people import policy
from keeping_plugin.services.runtime import ClockWatch, Runtime
from keeping_plugin.testing.helpdesk import FakeHelpDesk
from keeping_plugin.testing.queue import FakeQueue
from keeping_plugin.times import Times
from keeping_plugin.types import (
    Action,
    Address,
    Agent,
    Conversation,
    Direction,
    Mailbox,
    Message,
)
from tests.fake_salesforce.org import stamp
from tests.fake_salesforce.salesforce import FakeSalesforce
from tests.services.runtimes import RealClock, make_runtime

COMPANY = "acme"
MAILBOX = Mailbox("sales", "Sales", "sales@acme.example")
JANE = "jane@customer.example"
BOTH = (Action.ADD_CONTACT, Action.LOG_TASK)

_SHIFTED: tuple[tuple[type[Base], tuple[str, ...]], ...] = (
    (
        SyncEntry,
        (
            "due_at",
            "sent_at",
            "sent_key_at",
            "claimed_until",
            "waiting_since",
            "sent_after",
            "created_at",
            "refused_since",
            "settled_at",
        ),
    ),
    (OrgLease, ("until",)),
    (AddressClaim, ("until", "sent_at")),
    (
        Connection,
        ("paused_until", "connected_at", "disconnected_at", "barred_since", "barred_until"),
    ),
)


@dataclass
class House:
    """`owe` writes entries as the intake does; `drain` is one job; `pass_time` moves everything
    that was written into the past, which is what a database's clock does when it goes on."""

    database: Database
    connection_id: int = 0
    desk: FakeHelpDesk = field(default_factory=FakeHelpDesk)
    queue: FakeQueue = field(default_factory=FakeQueue)
    renewed: list[int] = field(default_factory=list)  # connections, each time their login was
    salesforce: FakeSalesforce = field(init=False)
    runtime: Runtime = field(init=False)

    def __post_init__(self) -> None:
        self.salesforce = FakeSalesforce(RealClock())
        self.runtime = self.worker()
        self.desk.company(COMPANY).mailboxes.append(MAILBOX)
        with self.database.write() as session:
            connection = Connection(
                company_id=COMPANY,
                org_id=self.salesforce.org_id,
                instance_url="https://acme.my.salesforce.com",
                login_url="https://login.salesforce.com",
                user_id=self.salesforce.user_id,
                connected_at=now(session) - timedelta(days=30),
                renew_at=now(session) + timedelta(days=300),
                connected_by="admin",
                task_status="Completed",
            )
            policy = MailboxPolicy(
                company_id=COMPANY, mailbox_id=MAILBOX.id, add_contacts=True, log_tasks=True
            )
            session.add_all([connection, policy])
            session.flush()
            self.connection_id = connection.id

    def worker(self) -> Runtime:
        """The delivery of one worker process, old enough to take leases over."""
        clock = RealClock()
        times = Times()
        watch = ClockWatch(clock, times)
        watch._born -= 60
        return make_runtime(
            self.database,
            helpdesk=self.desk,
            gateways=self.salesforce,
            queue=self.queue,
            clock=clock,
            times=times,
            watch=watch,
            keep_login=self.renewed.append,
            end_host_transaction=lambda: None,
        )

    def add_mailbox(self, mailbox_id: str) -> None:
        """Another mailbox, with both automations."""
        box = Mailbox(mailbox_id, mailbox_id.title(), f"{mailbox_id}@acme.example")
        self.desk.company(COMPANY).mailboxes.append(box)
        with self.database.write() as session:
            session.add(
                MailboxPolicy(
                    company_id=COMPANY, mailbox_id=box.id, add_contacts=True, log_tasks=True
                )
            )

    def add_mail(
        self,
        message_id: str,
        *,
        address: str = JANE,
        name: str = "Jane Doe",
        text: str = "Hello",
        mailbox_id: str = MAILBOX.id,
        **facts: Any,
    ) -> None:
        """The inbox has a message, of which nothing is owed yet. `facts` are further fields of
        it."""
        customer = Address(address, name)
        conversation = Conversation(
            f"c-{message_id}",
            mailbox_id,
            "Where is my order?",
            "https://inbox.example/1",
            customer=customer,
        )
        self.desk.add_conversation(COMPANY, conversation)
        self.desk.add_message(
            Message(
                **{
                    "company_id": COMPANY,
                    "mailbox_id": mailbox_id,
                    "conversation_id": conversation.id,
                    "message_id": message_id,
                    "direction": Direction.INBOUND,
                    "opens_conversation": True,
                    "customer": customer,
                    "sender": customer,
                    "recipients": (Address(MAILBOX.address),),
                    "sent_at": datetime(2026, 5, 6, 9, tzinfo=UTC),
                    "subject": "Where is my order?",
                    "text": text,
                    **facts,
                }
            )
        )

    def owe(
        self,
        message_id: str,
        *actions: Action,
        address: str = JANE,
        lane: Lane = Lane.LIVE,
        mailbox_id: str = MAILBOX.id,
        **facts: Any,
    ) -> None:
        """A message and what the rules granted for it."""
        self.add_mail(message_id, address=address, mailbox_id=mailbox_id, **facts)
        with self.database.write() as session:
            connection = session.get_one(Connection, self.connection_id)
            session.add_all(
                SyncEntry(
                    connection_id=connection.id,
                    company_id=COMPANY,
                    mailbox_id=mailbox_id,
                    conversation_id=f"c-{message_id}",
                    message_id=message_id,
                    action=action,
                    lane=lane,
                    epoch=connection.epoch,
                    address=address_key(address),
                    created_at=now(session),
                    due_at=now(session),
                )
                for action in actions or BOTH
            )

    def drain(self, runtime: Runtime | None = None) -> None:
        drain(runtime or self.runtime, self.connection_id)

    def pass_time(self, seconds: float) -> None:
        step = timedelta(seconds=seconds)
        with self.database.write() as session:
            for model, columns in _SHIFTED:
                rows = session.query(model).all()
                for row in rows:
                    for column in columns:
                        value = getattr(row, column)
                        if value is not None:
                            setattr(row, column, value - step)
            for connection in session.query(Connection):
                connection.barred_before = connection.barred_before and [
                    [(datetime.fromisoformat(end) - step).isoformat() for end in bar]
                    for bar in connection.barred_before
                ]
        for made in self.salesforce.rows("Task"):
            task = self.salesforce.org.row("Task", made["Id"])
            if task is not None:
                created = datetime.fromisoformat(task["CreatedDate"]) - step
                task["CreatedDate"] = stamp(created)

    def expire_claims(self) -> None:
        """As when whoever holds a claim on an address stands still for a minute."""
        with self.database.write() as session:
            session.execute(update(AddressClaim).values(until=now(session) - timedelta(seconds=1)))

    def change(self, **values: Any) -> None:
        """Change the connection's row."""
        with self.database.write() as session:
            session.execute(
                update(Connection).where(Connection.id == self.connection_id).values(values)
            )

    def move_to_other_org(self) -> None:
        """As when an admin confirms a login to another org."""
        with self.database.write() as session:
            before = session.get_one(Connection, self.connection_id)
            leave_for_other_org(
                session, before, agent_id="ada", at=now(session), times=self.runtime.times
            )
            session.flush()
            session.add(
                Connection(
                    company_id=COMPANY,
                    org_id="00D000000000009AAA",
                    instance_url="https://other.my.salesforce.com",
                    login_url="https://login.salesforce.com",
                    user_id=before.user_id,
                    connected_at=now(session),
                    connected_by="ada",
                )
            )

    def switch(self, mailbox_id: str | None = None, **values: bool) -> None:
        with self.database.write() as session:
            statement = update(MailboxPolicy).values(values)
            if mailbox_id is not None:
                statement = statement.where(MailboxPolicy.mailbox_id == mailbox_id)
            session.execute(statement)

    def choose(self, mailbox_id: str = "", **choices: Any) -> None:
        """What an admin chooses for added people, of a mailbox or of the company."""
        agent = Agent("admin", COMPANY, "Admin", is_admin=True)
        with self.database.write() as session:
            policy.save(session, agent, mailbox_id, **choices)

    def entries(self) -> Sequence[SyncEntry]:
        with self.database.read() as session:
            return session.query(SyncEntry).order_by(SyncEntry.id).all()

    def states(self) -> list[tuple[str, str]]:
        return [(entry.state, entry.reason) for entry in self.entries()]

    def connection(self) -> Connection:
        with self.database.read() as session:
            return session.get_one(Connection, self.connection_id)

    def contacts(self, address: str = JANE) -> list[str]:
        return [row["Id"] for row in self.salesforce.rows("Contact") if row["Email"] == address]

    def tasks(self) -> list[Any]:
        return list(self.salesforce.rows("Task"))
