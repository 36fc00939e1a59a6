"""The smallest host there is, for workers that are to be killed: one table of messages.

`flask --app tests.faults.host keeping worker` runs its workers; `python -m tests.faults.host` reads
lines of JSON, stores a message for each and says its id once it is committed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Engine, String, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from keeping_plugin import (
    Address,
    Agent,
    Conversation,
    Direction,
    KeepingSalesforce,
    Mailbox,
    Message,
    MessageArrived,
    OpenedBy,
    failpoints,
)

COMPANY = "acme"
BOX = Mailbox("box", "Sales", "sales@acme.example")


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)
salesforce = KeepingSalesforce()


class Mail(db.Model):  # type: ignore[name-defined,misc]
    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    company: Mapped[str] = mapped_column(String(255))
    customer: Mapped[str] = mapped_column(String(320))
    text: Mapped[str] = mapped_column()
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def arrived(mail: Mail) -> dict[str, Any]:
    customer = Address(mail.customer, "")
    return {
        "company_id": mail.company,
        "mailbox_id": BOX.id,
        "conversation_id": f"c-{mail.id}",
        "message_id": mail.id,
        "direction": Direction.INBOUND,
        "opens_conversation": True,
        "customer": customer,
        "sender": customer,
        "recipients": (Address(BOX.address),),
        "sent_at": mail.at.replace(tzinfo=UTC),
    }


class Desk:
    """HelpDesk over that table."""

    def current_agent(self) -> Agent | None:
        return None

    def mailboxes(self, company_id: str) -> Sequence[Mailbox]:
        return (BOX,)

    def conversation(self, company_id: str, conversation_id: str) -> Conversation | None:
        mail = db.session.get(Mail, conversation_id.removeprefix("c-"))
        if mail is None or mail.company != company_id:
            return None
        customer = Address(mail.customer, "")
        url = f"https://inbox.example/{conversation_id}"
        return Conversation(conversation_id, BOX.id, mail.id, url, OpenedBy.CUSTOMER, customer)

    def messages(self, company_id: str, message_ids: Sequence[str]) -> Iterator[Message]:
        query = select(Mail).where(Mail.company == company_id, Mail.id.in_(message_ids))
        for mail in db.session.scalars(query):
            yield Message(**arrived(mail), subject=mail.id, text=mail.text)

    def message_ids(
        self,
        company_id: str,
        mailbox_id: str,
        since: datetime,
        after: str | None = None,
        limit: int = 500,
    ) -> Sequence[str]:
        query = select(Mail.id).where(Mail.company == company_id).order_by(Mail.id).limit(limit)
        return db.session.scalars(query.where(Mail.id > (after or ""))).all()

    def internal_addresses(self, company_id: str) -> Collection[str]:
        return ()

    def skipped_domains(self, company_id: str) -> Collection[str]:
        return ()

    def may_view(self, agent: Agent, conversation: Conversation) -> bool:
        return False


def create_app() -> Flask:
    """Everything it needs stands in HOST_CONFIG, as JSON."""
    app = Flask(__name__)
    app.config.from_mapping(json.loads(os.environ["HOST_CONFIG"]))
    app.testing = True
    db.init_app(app)
    salesforce.init_app(app, helpdesk=Desk(), db=db)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _durable_sqlite(db.engine)
    return app


def _durable_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def store(mail_id: str, customer: str, *, company: str = COMPANY, text: str = "Hello") -> None:
    """What a host does when mail comes in: one transaction for its message and our rows."""
    mail = Mail(id=mail_id, company=company, customer=customer, text=text, at=datetime.now(UTC))
    db.session.add(mail)
    salesforce.message_arrived(MessageArrived(**arrived(mail)))
    failpoints.reach("host.stored")
    db.session.commit()


def main() -> None:
    """Store what standard input names, one JSON object a line; say each id when it is committed."""
    app = create_app()
    if "KEEPING_FAILPOINT" in os.environ:
        failpoints.arm_from(os.environ["KEEPING_FAILPOINT"])
    with app.app_context():
        for line in sys.stdin:
            store(**json.loads(line))
            print(json.loads(line)["mail_id"], flush=True)


if __name__ == "__main__":
    main()
