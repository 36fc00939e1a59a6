"""A host, an org, a Redis and workers that are to be killed, and the count of what came of it.

Lost and doubled are counted in the org against the host's messages, not in our own ledger.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import func, select, update

from keeping_plugin.models import Connection, EntryState, MailboxPolicy, SyncEntry, now
from keeping_plugin.services.connection import connect as connections
from keeping_plugin.services.connection import grants
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Agent, OrgFacts, Tokens
from salesforce_simulator.control.client import Control
from salesforce_simulator.oauth.consent import walk
from salesforce_simulator.process import OrgProcess, RunningOrg
from tests.faults import host, processes
from tests.faults.processes import Running, await_true
from tests.servers.redis import RedisServer
from tests.servers.sqlite import lay_tables

SCALE = 0.1
CALLBACK = "http://127.0.0.1:1/callback"
OWED = (EntryState.PENDING, EntryState.SENDING)
ADMIN = Agent("admin", host.COMPANY, "Ada Admin", is_admin=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Messages without their Task and addresses without their Contact; those with more than one."""

    messages: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]


class States(dict[str, str]):
    """What waits between the redirect to Salesforce and the callback."""

    def set(self, state: str, value: str, seconds: int) -> None:
        self[state] = value

    def take(self, state: str) -> str | None:
        return self.pop(state, None)


@dataclass
class World:
    """One company on one database, with a Redis of its own. Stops everything it started.

    `injected` counts the faults, `recoveries` the seconds from a kill until nothing is owed.
    `excused` are messages of which the test says that they are not to reach Salesforce.
    """

    database_url: str
    orgs: OrgProcess
    folder: Path
    scale: float = SCALE
    settings: Mapping[str, Any] = field(default_factory=dict)
    injected: int = 0
    recoveries: list[float] = field(default_factory=list)
    excused: set[str] = field(default_factory=set)
    app: Flask = field(init=False)

    def __post_init__(self) -> None:
        self._stack = ExitStack()
        self._numbers = count(1)
        self._orgs: dict[str, RunningOrg] = {}
        self.redis = RedisServer(self.folder)
        self.redis.start()
        self._stack.callback(self.redis.stop)
        self.config: dict[str, Any] = {
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "KEEPING_SECRET_KEYS": Fernet.generate_key().decode(),
            "KEEPING_REDIS_URL": self.redis.url,
            "KEEPING_SALESFORCE_CLIENT_ID": self.orgs.client_id,
            "KEEPING_SALESFORCE_CLIENT_SECRET": self.orgs.client_secret,
            "KEEPING_SALESFORCE_LOGIN_URLS": [
                self.orgs.production.base_url,
                self.orgs.sandbox.base_url,
            ],
            "KEEPING_SALESFORCE_ALLOW_LOOPBACK": True,
            "KEEPING_TIME_SCALE": self.scale,
            **self.settings,
        }
        self.app = host.create_app(self.config)
        with self.app.app_context():
            lay_tables(host.db.engine)
            host.db.create_all()
        self.connect(host.COMPANY, self.orgs.production)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        with self.app.app_context():
            host.db.session.remove()
            host.db.engine.dispose()

    @property
    def state(self) -> Runtime:
        state: Runtime = self.app.extensions["keeping"]
        return state

    @property
    def org(self) -> Control:
        """What a test orders of the org."""
        return self.orgs.production.control

    @property
    def on_postgres(self) -> bool:
        return self.database_url.startswith("postgresql")

    # -- connecting ------------------------------------------------------------------------------
    def _log_in(self, org: RunningOrg, user: str) -> tuple[Tokens, OrgFacts]:
        """As an admin does, without a browser."""
        org.control.allow_redirect(CALLBACK)
        oauth, states = self.state.oauth, States()
        login = org.login(user)
        url = oauth.authorize_url(CALLBACK, states)  # type: ignore[arg-type]
        url = org.base_url + url.removeprefix(self.orgs.production.base_url)
        back = walk(url, username=login.username, password=login.password)
        tokens = oauth.exchange(dict(parse_qsl(urlsplit(back).query)), states)  # type: ignore[arg-type]
        return tokens, self.state.org_facts(tokens)

    def connect(self, company: str, org: RunningOrg) -> int:
        """A company's connection, with both automations on in both mailboxes; its id."""
        tokens, facts = self._log_in(org, "admin")
        self._orgs[company] = org
        with self.app.app_context(), self.state.database.write() as session:
            row = Connection(
                company_id=company,
                org_id=facts.org_id,
                instance_url=tokens.instance_url,
                login_url=tokens.login_url,
                user_id=facts.user_id,
                tokens=grants.seal(
                    self.state.vault, tokens, company_id=company, org_id=facts.org_id
                ),
                token_version=1,
                connected_at=now(session),
                connected_by="admin",
                task_status="Completed",
            )
            session.add(row)
            session.flush()
            session.add_all(
                MailboxPolicy(
                    company_id=company, mailbox_id=box.id, add_contacts=True, log_tasks=True
                )
                for box in (host.BOX, host.OTHER_BOX)
            )
            return row.id

    def disconnect(self) -> None:
        """The admin disconnects."""
        with self.app.app_context():
            connections.disconnect(self.state, ADMIN)

    def reconnect(self, user: str = "admin") -> None:
        """The admin connects to the same org again."""
        tokens, facts = self._log_in(self.orgs.production, user)
        with self.app.app_context():
            connections.sign_in(self.state, ADMIN, tokens, facts)

    def connection(self, company: str = host.COMPANY) -> Connection:
        with self.app.app_context(), self.state.database.read() as session:
            return session.scalars(select(Connection).where(Connection.company_id == company)).one()

    def change(self, model: type[Any] = Connection, **values: Any) -> None:
        """Set columns of every row of a table."""
        with self.app.app_context(), self.state.database.write() as session:
            session.execute(update(model).values(values))

    def make_old(self, seconds: float) -> None:
        """Let every entry so far have been granted so many unscaled seconds ago."""
        with self.app.app_context(), self.state.database.write() as session:
            then = now(session) - timedelta(seconds=seconds * self.scale)
            session.execute(update(SyncEntry).values(created_at=then, due_at=then))

    # -- processes -------------------------------------------------------------------------------
    def _process_arguments(self, failpoint: str | None) -> dict[str, Any]:
        once = self.folder / f"struck-{next(self._numbers)}"
        environment = {"HOST_CONFIG": json.dumps(self.config)}
        if failpoint:
            environment["KEEPING_FAILPOINT"] = f"{failpoint}:{once}"
        return {"environment": environment, "log": self.log, "once": once}

    @property
    def log(self) -> Path:
        """What the processes wrote."""
        return self.folder / "processes.log"

    def flask(self, *words: str, failpoint: str | None = None) -> Running:
        """`flask keeping <words>`; `failpoint` as in KEEPING_FAILPOINT, without its file."""
        process = processes.start(words, **self._process_arguments(failpoint))
        self._stack.callback(process.end)
        self.injected += failpoint is not None
        return process

    def worker(self, failpoint: str | None = None) -> Running:
        """A worker pair."""
        return self.flask("worker", failpoint=failpoint)

    def host_process(self, failpoint: str | None = None) -> Running:
        """A host that is given its mail by `order`."""
        process = processes.start_host(**self._process_arguments(failpoint))
        self._stack.callback(process.end)
        self.injected += failpoint is not None
        return process

    @contextmanager
    def in_app(self) -> Iterator[Runtime]:
        """The host's own process, which is this one."""
        with self.app.app_context():
            try:
                yield self.state
            finally:
                host.db.session.remove()

    # -- mail ------------------------------------------------------------------------------------
    def store(self, *mails: tuple[str, str | None], **more: Any) -> None:
        """Mail comes in."""
        with self.in_app():
            for mail_id, customer in mails:
                host.store(mail_id, customer, **more)

    def committed(self, company: str = host.COMPANY) -> dict[str, str | None]:
        """The host's messages: id and customer."""
        with self.in_app():
            query = select(host.Mail).where(host.Mail.company == company)
            return {mail.id: mail.customer for mail in host.db.session.scalars(query)}

    def entries(self, *message_ids: str) -> Sequence[SyncEntry]:
        """The ledger, or what it says of these messages."""
        query = select(SyncEntry).order_by(SyncEntry.id)
        if message_ids:
            query = query.where(SyncEntry.message_id.in_(message_ids))
        with self.app.app_context(), self.state.database.read() as session:
            return session.scalars(query).all()

    def outcomes(self, *message_ids: str) -> dict[tuple[str, str], int]:
        """How often which state and reason stands there."""
        return Counter((entry.state, entry.reason) for entry in self.entries(*message_ids))

    def owed(self, company: str | None = None) -> int:
        """How many entries are pending or sending."""
        query = select(func.count()).where(SyncEntry.state.in_(OWED))
        if company is not None:
            query = query.where(SyncEntry.company_id == company)
        with self.app.app_context(), self.state.database.read() as session:
            return session.scalar(query) or 0

    # -- the end ---------------------------------------------------------------------------------
    def await_settled(self, *, seconds: float = 240.0) -> float:
        """Wait until nothing is pending or sending; how long that took. Raises TimeoutError with
        what is left and what the processes wrote."""
        began = time.monotonic()
        try:
            await_true(lambda: not self.owed(), seconds=seconds)
        except TimeoutError:
            left = {key: n for key, n in self.outcomes().items() if key[0] in OWED}
            tail = self.log.read_text()[-3000:] if self.log.exists() else ""
            raise TimeoutError(f"still owed after {seconds:g} s: {left}\n{tail}") from None
        return time.monotonic() - began

    def verdict(self) -> Verdict:
        """The orgs' Contacts and Tasks, counted against the host's messages."""
        parts = [self._verdict(company, org) for company, org in self._orgs.items()]
        return Verdict(
            sum(each.messages for each in parts),
            tuple(name for each in parts for name in each.lost),
            tuple(name for each in parts for name in each.doubled),
        )

    def _verdict(self, company: str, org: RunningOrg) -> Verdict:
        org.control.wait_until_committed()
        messages = self.committed(company)
        tasks, people = tasks_in(org.control), contacts_in(org.control)
        addresses = {at for key, at in messages.items() if at and key not in self.excused}
        lost = [key for key in messages if key not in self.excused and not tasks[key]]
        lost += [each for each in addresses if not people[each]]
        doubled = [key for key in messages if tasks[key] > 1]
        doubled += [each for each in addresses if people[each] > 1]
        return Verdict(len(messages), tuple(sorted(lost)), tuple(sorted(doubled)))

    def assert_nothing_lost_or_doubled(self) -> None:
        """The promise."""
        verdict = self.verdict()
        assert not verdict.lost
        assert not verdict.doubled


def tasks_in(org: Control, among: Collection[str] | None = None) -> Counter[str]:
    """How many Tasks each message has (their subject is its id)."""
    rows = org.query("SELECT Subject FROM Task WHERE Subject LIKE '%[k-%'")
    subjects = (row["Subject"].split(": ", 1)[-1].rsplit(" [k-", 1)[0] for row in rows)
    return Counter(each for each in subjects if among is None or each in among)


def contacts_in(org: Control) -> Counter[str]:
    """How many Contacts each address has."""
    return Counter(row["Email"] for row in org.query("SELECT Email FROM Contact") if row["Email"])


def struck(world: World, number: int) -> bool:
    """Whether an ordered fault has struck a call."""
    return any(fault["number"] == number and fault["struck"] for fault in world.org.faults())


def fresh(number: int, *, per_customer: int = 2) -> list[tuple[str, str | None]]:
    """Messages of new customers nobody wrote to before, so many of each."""
    run = uuid.uuid4().hex[:8]
    return [
        (f"{run}-{n}", f"p{n // per_customer}-{run}@customer.example.com") for n in range(number)
    ]


def names(mails: Sequence[tuple[str, str | None]]) -> list[str]:
    """Their message ids."""
    return [mail_id for mail_id, _ in mails]
