"""A small inbox with the agents' routes in it, on an org in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from werkzeug.test import TestResponse

from keeping_plugin import KeepingSalesforce
from keeping_plugin.models import (
    Connection,
    ConnectionStatus,
    Database,
    FieldSelection,
    SchemaDocument,
    SchemaLoad,
    now,
    upsert,
)
from keeping_plugin.objects import DESCRIBED
from keeping_plugin.services.limits import RateLimiter
from keeping_plugin.services.panel import cards
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.testing import FakeClock, FakeHelpDesk, FakeQueue
from keeping_plugin.types import Address, Agent, Conversation, ObjectSchema
from tests.fake_salesforce import FakeSalesforce, document_of
from tests.servers.sqlite import put_tables

AGENT = Agent("gus", "acme", "Gus Agent")
ADMIN = Agent("ada", "acme", "Ada Admin", is_admin=True)
STRANGER = Agent("eve", "other", "Eve Elsewhere")
CUSTOMER = Address("jane@acme.example", "Jane Doe")
PREFIX = "/salesforce"
CONVERSATION = Conversation("c-1", "support", "Where is my order?", "/inbox/c-1", customer=CUSTOMER)
INSTANCE = "https://acme.my.salesforce.com"
FIELDS = {
    "Contact": ["Name", "Email", "Phone", "Title", "AccountId", "MailingAddress"],
    "Lead": ["Name", "Company", "Email", "Phone", "Status"],
    "Account": ["Name", "Industry", "Phone", "Website"],
    "Opportunity": ["Name", "StageName", "Amount", "CloseDate"],
    "Case": ["CaseNumber", "Subject", "Status", "Priority"],
}


@dataclass(kw_only=True)
class Inbox:
    """The host, what it is made of, and the org it is connected to."""

    app: Flask
    db: SQLAlchemy
    database: Database
    desk: FakeHelpDesk
    salesforce: FakeSalesforce
    queue: FakeQueue
    clock: FakeClock
    runtime: Runtime
    connection_id: int = 0

    def client(self, agent: Agent | None = AGENT) -> FlaskClient:
        """A browser in which this person is logged in."""
        self.desk.agent = agent
        return self.app.test_client()

    def connect(self, schemas: dict[str, ObjectSchema] | None = None) -> int:
        """Connect the company to the org, described, with FIELDS chosen."""
        with self.database.write() as session:
            at = now(session)
            row = Connection(
                company_id="acme",
                org_id=self.salesforce.org_id,
                instance_url=INSTANCE,
                login_url="https://login.salesforce.com",
                user_id=self.salesforce.user_id,
                connected_at=at,
                connected_by=ADMIN.id,
            )
            session.add(row)
            session.flush()
            self.connection_id = row.id
            load = {"connection_id": row.id, "finished_at": at, "due_at": at.replace(year=9999)}
            upsert(session, SchemaLoad, load)
            for name in FIELDS:
                chosen = {"company_id": "acme", "object": name, "fields": FIELDS[name]}
                upsert(session, FieldSelection, chosen)
        self.describe(self.salesforce.org.schemas if schemas is None else schemas)
        return self.connection_id

    def describe(self, schemas: dict[str, ObjectSchema]) -> None:
        """Cache this describe."""
        with self.database.write() as session:
            for name in DESCRIBED:
                schema = schemas.get(name)
                document = document_of(schema) if schema is not None else None
                row = {
                    "connection_id": self.connection_id,
                    "object": name,
                    "document": document,
                    "digest": sha256((document or "").encode()).hexdigest(),
                    "fetched_at": now(session),
                }
                upsert(session, SchemaDocument, row)

    def choose(self, object: str, *fields: str) -> None:
        """Change the company's fields of one object."""
        with self.database.write() as session:
            row = {"company_id": "acme", "object": object, "fields": list(fields)}
            upsert(session, FieldSelection, row)

    def lose(self) -> None:
        """Let Salesforce have ended the connection."""
        with self.database.write() as session:
            row = session.get_one(Connection, self.connection_id)
            row.status, row.lost_at = ConnectionStatus.LOST, datetime(2026, 5, 6, 9, 30, tzinfo=UTC)

    def customer(self, address: Address | None) -> None:
        """Let the conversation be with somebody else."""
        self.desk.add_conversation("acme", replace(CONVERSATION, customer=address))

    def card(self, address: str = CUSTOMER.email) -> cards.Card | None:
        """The card kept for an address."""
        with self.database.read() as session:
            return cards.load(session, self.connection_id, address)

    def calls(self) -> list[str]:
        """The verbs asked of Salesforce so far, in order."""
        return [call.verb for call in self.salesforce.calls]


def url(path: str = "") -> str:
    """A URL of the conversation's."""
    return f"{PREFIX}/conversations/c-1{path}"


def token(client: FlaskClient, path: str = "/token") -> str:
    """The CSRF token of this browser's session."""
    return client.get(path).get_data(as_text=True)


def post(client: FlaskClient, path: str, data: Any = None, **kwargs: Any) -> TestResponse:
    """Post a form with the session's token."""
    sent = dict(data or {}) if not isinstance(data, list) else list(data)
    if isinstance(sent, dict):
        sent["csrf_token"] = token(client)
    return client.post(url(path), data=sent, **kwargs)


@contextmanager
def open_inbox(database_url: str, *, limit: tuple[int, int] = (60, 600)) -> Iterator[Inbox]:
    """The app on a SQLite file of its own, with migrated tables, not connected yet."""
    app = Flask(__name__, template_folder=None)
    app.config |= {
        "TESTING": True,
        "SECRET_KEY": "the host's own",
        "SQLALCHEMY_DATABASE_URI": database_url,
        "KEEPING_SECRET_KEYS": Fernet.generate_key().decode(),
        "KEEPING_REDIS_URL": "redis://127.0.0.1:1/0",
        "KEEPING_SALESFORCE_CLIENT_ID": "client",
        "KEEPING_SALESFORCE_CLIENT_SECRET": "secret",
    }
    db = SQLAlchemy(app)
    clock, queue, desk = FakeClock(), FakeQueue(), FakeHelpDesk()
    salesforce = FakeSalesforce(clock)
    KeepingSalesforce(app, helpdesk=desk, db=db)
    wired: Runtime = app.extensions["keeping"]
    runtime = app.extensions["keeping"] = replace(
        wired,
        gateways=salesforce,
        queue=queue,
        clock=clock,
        rate=RateLimiter(limit, clock.monotonic),
    )
    put_tables(Path(database_url.removeprefix("sqlite:///")))
    with app.app_context():
        engine = db.engine
    app.add_url_rule("/token", "token", lambda: _token())
    app.add_url_rule("/inbox/<id>", "inbox", _page)
    app.add_url_rule("/favicon.ico", "icon", lambda: ("", 204))
    inbox = Inbox(
        app=app,
        db=db,
        database=runtime.database,
        desk=desk,
        salesforce=salesforce,
        queue=queue,
        clock=clock,
        runtime=runtime,
    )
    desk.add_conversation("acme", CONVERSATION)
    desk.agent = AGENT
    # Flask-SQLAlchemy hands out engines inside an app context only; tests look outside one, too.
    inbox.database = Database(lambda: engine)
    yield inbox
    engine.dispose()


def _token() -> str:
    from keeping_plugin.forms import csrf

    return csrf.token()


_PAGE = """<!doctype html><html lang="en"><head>
<meta charset="utf-8"><title>Inbox</title>
<meta name="color-scheme" content="light dark">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body { margin: 0; font-family: serif; } button { background: hotpink; }</style>
</head><body><main><h1>Where is my order?</h1><label>Reply <textarea></textarea></label></main>
<aside aria-label="Beside">{{ keeping_panel(id) }}</aside></body></html>"""


def _page(id: str) -> str:
    return render_template_string(_PAGE, id=id)
