"""The smallest host that real workers can serve: one table of messages, any number of companies.

`flask --app benchmarks.host keeping worker` runs its workers; everything it needs stands in
BENCHMARK_HOST, as JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Flask, has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Engine, String, Text, event, select
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
)

BOX = "box"
COMPANY_HEADER = "X-Benchmark-Company"  # whose admin makes the request
LARGE = "large:"  # a text that only says how many characters it has


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)
salesforce = KeepingSalesforce()


class Mail(db.Model):  # type: ignore[name-defined,misc]
    __tablename__ = "mail"

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    company: Mapped[str] = mapped_column(String(255))
    customer: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def arrived(mail: Mail) -> dict[str, Any]:
    customer = Address(mail.customer, "")
    return {
        "company_id": mail.company,
        "mailbox_id": BOX,
        "conversation_id": f"c-{mail.id}",
        "message_id": mail.id,
        "direction": Direction.INBOUND,
        "opens_conversation": True,
        "customer": customer,
        "sender": customer,
        "recipients": (Address("sales@host.example"),),
        "sent_at": mail.at.replace(tzinfo=UTC),
        "headers": {"content-type": "text/plain; charset=utf-8"},
    }


class Desk:
    """HelpDesk over that table; every company has one mailbox."""

    def current_agent(self) -> Agent | None:
        company = request.headers.get(COMPANY_HEADER) if has_request_context() else None
        return Agent("admin", company, "Ada Admin", is_admin=True) if company else None

    def mailboxes(self, company_id: str) -> Sequence[Mailbox]:
        return [Mailbox(BOX, "Sales", "sales@host.example")]

    def conversation(self, company_id: str, conversation_id: str) -> Conversation | None:
        mail = db.session.get(Mail, conversation_id.removeprefix("c-"))
        if mail is None or mail.company != company_id:
            return None
        url = f"https://inbox.example/{conversation_id}"
        customer = Address(mail.customer, "")
        return Conversation(conversation_id, BOX, "A question", url, customer=customer)

    def messages(self, company_id: str, message_ids: Sequence[str]) -> Iterator[Message]:
        query = select(Mail).where(Mail.company == company_id, Mail.id.in_(message_ids))
        for mail in db.session.scalars(query):
            text = mail.text
            if text.startswith(LARGE):
                text = "word " * (int(text.removeprefix(LARGE)) // 5)
            yield Message(**arrived(mail), subject=f"Question {mail.id}", text=text)

    def message_ids(
        self,
        company_id: str,
        mailbox_id: str,
        since: datetime,
        after: str | None = None,
        limit: int = 500,
    ) -> Sequence[str]:
        query = select(Mail.id).where(Mail.company == company_id, Mail.id > (after or ""))
        return db.session.scalars(query.order_by(Mail.id).limit(limit)).all()

    def internal_addresses(self, company_id: str) -> Collection[str]:
        return ("host.example",)

    def skipped_domains(self, company_id: str) -> Collection[str]:
        return ()

    def may_view(self, agent: Agent, conversation: Conversation) -> bool:
        return True


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The host; without `config` as BENCHMARK_HOST says."""
    app = Flask(__name__)
    app.config.from_mapping(config or json.loads(os.environ["BENCHMARK_HOST"]))
    app.secret_key = "of a host that nobody reaches"  # noqa: S105
    db.init_app(app)
    salesforce.init_app(app, helpdesk=Desk(), db=db)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _durable_sqlite(db.engine)
    return app


def _durable_sqlite(engine: Engine) -> None:
    """As docs/guide.md tells hosts to."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def store(mails: Iterable[Mail]) -> None:
    """Messages and what the plugin makes of them, in one transaction."""
    for mail in mails:
        db.session.add(mail)
        salesforce.message_arrived(MessageArrived(**arrived(mail)))
    db.session.commit()
