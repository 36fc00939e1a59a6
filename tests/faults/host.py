"""The smallest host there is, for workers that are to be killed: one table of messages.

`flask --app tests.faults.host keeping worker` runs its workers; tests.faults.processes forks them.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, current_app, url_for
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
    failpoints,
)
from keeping_plugin.state import current_runtime

COMPANY = "acme"
STALLS = "stalls for so many seconds: "  # a body that begins like this takes so long to fetch
BOX = Mailbox("box", "Sales", "sales@acme.example")
OTHER_BOX = Mailbox("other", "Support", "support@acme.example")


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)
salesforce = KeepingSalesforce()


class Mail(db.Model):  # type: ignore[name-defined,misc]
    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    company: Mapped[str] = mapped_column(String(255))
    box: Mapped[str] = mapped_column(String(255))
    customer: Mapped[str | None] = mapped_column()
    text: Mapped[str | None] = mapped_column()
    html: Mapped[str | None] = mapped_column()
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ClosedBox(db.Model):  # type: ignore[name-defined,misc]
    """A mailbox that an admin of the host has deleted."""

    id: Mapped[str] = mapped_column(String(255), primary_key=True)


def arrived(mail: Mail) -> dict[str, Any]:
    customer = None if mail.customer is None else Address(mail.customer, "")
    return {
        "company_id": mail.company,
        "mailbox_id": mail.box,
        "conversation_id": f"c-{mail.id}",
        "message_id": mail.id,
        "direction": Direction.INBOUND,
        "opens_conversation": True,
        "customer": customer,
        "sender": customer,
        "recipients": (Address(BOX.address),),
        "sent_at": mail.at.replace(tzinfo=UTC),
    }


def _is_broken(question: str) -> bool:
    """Whether HOST_BROKEN names a file that is there and names this question."""
    path = Path(current_app.config.get("HOST_BROKEN", ""))
    return path.is_file() and path.read_text() == question


class Desk:
    """HelpDesk over that table."""

    def current_agent(self) -> Agent | None:
        return None

    def mailboxes(self, company_id: str) -> Sequence[Mailbox]:
        closed = set(db.session.scalars(select(ClosedBox.id)))
        return [box for box in (BOX, OTHER_BOX) if box.id not in closed]

    def conversation(self, company_id: str, conversation_id: str) -> Conversation | None:
        mail = db.session.get(Mail, conversation_id.removeprefix("c-"))
        if mail is None or mail.company != company_id:
            return None
        if _is_broken("conversation"):
            url_for("static", filename=conversation_id)  # raises: a worker has no request
        customer = arrived(mail)["customer"]
        url = f"https://inbox.example/{conversation_id}"
        return Conversation(conversation_id, mail.box, mail.id, url, customer=customer)

    def messages(self, company_id: str, message_ids: Sequence[str]) -> Iterator[Message]:
        if _is_broken("messages"):
            raise OSError(f"the store of bodies is away: {', '.join(message_ids)}")
        query = select(Mail).where(Mail.company == company_id, Mail.id.in_(message_ids))
        # As a replica that is behind: what was stored a moment ago is not there yet.
        seen = datetime.now(UTC) - timedelta(seconds=current_app.config.get("HOST_LAG", 0.0))
        for mail in db.session.scalars(query).all():
            if mail.at.replace(tzinfo=UTC) > seen:
                continue
            text = _decoded(mail.text)
            if text is not None and text.startswith(STALLS):
                db.session.rollback()  # the body's store stands still, not the database
                threading.Event().wait(float(text.removeprefix(STALLS)))
            body = {"text": text, "html": _decoded(mail.html)}
            yield Message(**arrived(mail), subject=mail.id, **body)

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


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Without `config`, everything it needs stands in HOST_CONFIG, as JSON."""
    app = Flask(__name__)
    app.config.from_mapping(config or json.loads(os.environ["HOST_CONFIG"]))
    app.testing = True
    db.init_app(app)
    salesforce.init_app(app, helpdesk=Desk(), db=db)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _prepare_sqlite(db.engine)
    return app


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        # Processes are killed here, machines are not: no commit waits for the disk.
        # Nor does anybody give up a lock because this machine is busy with other tests.
        for pragma in ("journal_mode=WAL", "synchronous=OFF", "busy_timeout=60000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def add(
    mail_id: str,
    customer: str | None,
    *,
    company: str = COMPANY,
    box: str = BOX.id,
    text: str | None = "Hello",
    html: str | None = None,
) -> None:
    """A message and our rows, in the transaction now open; nothing is committed."""
    mail = Mail(
        id=mail_id,
        company=company,
        box=box,
        customer=customer,
        text=_encoded(text),
        html=_encoded(html),
        at=datetime.now(UTC),
    )
    db.session.add(mail)
    salesforce.message_arrived(MessageArrived(**arrived(mail)))


def store(mail_id: str, customer: str | None, **more: Any) -> None:
    """What a host does when mail comes in: one transaction for its message and our rows."""
    try:
        add(mail_id, customer, **more)
        failpoints.reach("host.stored")
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise


# What a database cannot hold as text (NUL, lone surrogates) a host keeps in a form of its own.
def _encoded(body: str | None) -> str | None:
    return None if body is None else json.dumps(body)


def _decoded(body: str | None) -> str | None:
    return None if body is None else json.loads(body)


def serve(orders: Iterable[Mapping[str, Any]], say: Callable[[str], Any]) -> None:
    """Store each mail and say its id once it is committed; `ask` asks Salesforce something."""
    app = create_app()
    if "KEEPING_FAILPOINT" in os.environ:
        failpoints.arm_from(os.environ["KEEPING_FAILPOINT"])
    with app.app_context():
        for order in orders:
            if "ask" in order:
                current_runtime().gateways(1).limits()
                say("ready")
            else:
                store(**order)
                say(order["mail_id"])
