"""A host, its database, a Redis, orgs and workers: what the figures about mail have in common.

Companies are connected as an admin does it, through the plugin's pages; what came of the mail is
counted in the orgs, and by SQL over the plugin's tables.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask
from flask.cli import FlaskGroup
from flask.testing import FlaskClient
from lxml import html

from benchmarks import host
from benchmarks.orgs import CALLBACK, CLIENT, SECRET, OneOrg, Orgs
from demo.ports import first_free
from demo.processes import Child
from demo.redis_server import EmbeddedRedis
from salesforce_simulator.oauth.consent import walk

STORED = 500  # messages a transaction
_numbers = count()


class House:
    """One host over `database_url`, with `companies` that have an org each. It ends what it
    started."""

    def __init__(
        self,
        folder: Path,
        database_url: str,
        *,
        companies: int = 1,
        org_processes: int = 1,
    ) -> None:
        self.folder = folder / f"house-{next(_numbers)}"
        self.folder.mkdir()
        self._stack = ExitStack()
        self.database_url = database_url
        self._companies = companies
        self._org_processes = org_processes
        self.workers: list[Child] = []

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.callback(self._stack.close)
            self._start()
            starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        # Two figures that start at the same moment look in different places.
        port = first_free(30_000 + os.getpid() * 10 % 2_000)
        redis = EmbeddedRedis(self.folder / "redis", port)
        self._redis = redis
        self._stack.callback(redis.start().stop)
        self.orgs = self._stack.enter_context(
            Orgs(self._companies, folder=self.folder, processes=self._org_processes)
        )
        self.config: dict[str, Any] = {
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "KEEPING_SECRET_KEYS": Fernet.generate_key().decode(),
            "KEEPING_REDIS_URL": redis.url,
            "KEEPING_SALESFORCE_CLIENT_ID": CLIENT,
            "KEEPING_SALESFORCE_CLIENT_SECRET": SECRET,
            "KEEPING_SALESFORCE_ALLOW_LOOPBACK": True,
            "KEEPING_SALESFORCE_LOGIN_URLS": [self.orgs.all[0].base_url] * 2,
            "KEEPING_PANEL_LIMIT": [100_000, 100_000],
        }
        self.app = host.create_app(self.config)
        self.engine = sa.create_engine(self.database_url)
        self._stack.callback(self._dispose)
        with self.app.app_context():
            host.db.create_all()
        commands = FlaskGroup(create_app=lambda: self.app, add_default_commands=False)
        done = self.app.test_cli_runner().invoke(commands, ["keeping", "db", "upgrade"])
        if done.exit_code:
            raise RuntimeError(f"the tables were not made: {done.output}")
        self.companies = [f"company-{number:03}" for number in range(self._companies)]
        for company, org in zip(self.companies, self.orgs.all, strict=True):
            self._connect(company, org)

    def _dispose(self) -> None:
        with self.app.app_context():
            host.db.session.remove()
            host.db.engine.dispose()
        self.engine.dispose()

    # -- connecting, as an admin does ------------------------------------------------------------
    def client(self, company: str, app: Flask | None = None) -> FlaskClient:
        """The company's admin at the host's pages."""
        client = (app or self.app).test_client()
        client.environ_base[f"HTTP_{host.COMPANY_HEADER.upper().replace('-', '_')}"] = company
        return client

    def _connect(self, company: str, org: OneOrg) -> None:
        # Each simulated org is a login host of its own; Salesforce has one for all.
        app = host.create_app({**self.config, "KEEPING_SALESFORCE_LOGIN_URLS": [org.base_url] * 2})
        admin = self.client(company, app)
        sent = admin.post("/salesforce/settings/connect", data=_form(admin, "/connect"))
        back = urlsplit(
            walk(sent.headers["Location"], username=org.username, password=org.password)
        )
        if f"{back.scheme}://{back.netloc}{back.path}" != CALLBACK:
            raise RuntimeError(f"the login of {company} ended at {back.netloc}{back.path}")
        admin.get(f"{back.path}?{back.query}")
        page = f"/salesforce/settings/automation?mailbox={host.BOX}"
        token = _form(admin, "/automation", at=page)
        switched = admin.post(page, data={**token, "add_contacts": "on", "log_tasks": "on"})
        if switched.status_code != 303:
            raise RuntimeError(f"the switches of {company} answered {switched.status_code}")
        with app.app_context():
            host.db.engine.dispose()

    # -- processes -------------------------------------------------------------------------------
    @property
    def _environment(self) -> dict[str, str]:
        return {"BENCHMARK_HOST": json.dumps(self.config)}

    def start_workers(self, number: int) -> list[Child]:
        """So many `flask keeping worker`, ready to work."""
        command = [sys.executable, "-m", "flask", "--app", "benchmarks.host", "keeping", "worker"]
        started = []
        for _ in range(number):
            log = self.folder / "workers.log"
            worker = Child("worker", command, log=log, env=self._environment)
            self._stack.callback(worker.stop)
            started.append(worker)
        for worker in started:
            worker.await_ready(lambda pid=worker.pid: self._redis.serves_worker(pid), seconds=120)  # type: ignore[misc]
        self.workers += started
        return started

    def working(self, number: int) -> _Working:
        """So many workers while the block runs."""
        return _Working(self, number)

    # -- mail ------------------------------------------------------------------------------------
    def store(
        self, mails: Iterable[tuple[str, str]], *, text: str = "Hello", at_once: bool = False
    ) -> None:
        """(company, customer) pairs as messages, committed 500 at a time; or `at_once`, so that no
        worker begins before a clock that is started when this returns."""
        made = (
            host.Mail(
                id=f"m{next(_numbers):09}", company=company, customer=customer, text=text,
                at=datetime.now(UTC),
            )
            for company, customer in mails
        )  # fmt: skip
        with self.app.app_context():
            while part := list(made if at_once else islice(made, STORED)):
                host.store(part)
                host.db.session.remove()

    def conversations(self) -> dict[str, str]:
        """Customer to the id of a conversation of his."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT customer, id FROM mail"))
            return {customer: f"c-{mail_id}" for customer, mail_id in rows}

    # -- the ledger, as an operator reads it -----------------------------------------------------
    def _scalar(self, statement: str, **values: Any) -> Any:
        with self.engine.connect() as connection:
            return connection.scalar(sa.text(statement), values)

    def described(self) -> bool:
        """Whether every org's schema has been read."""
        return not self._scalar(_UNDESCRIBED)

    def settled(self, company: str | None = None) -> bool:
        """Whether nothing is pending or being sent."""
        of = "" if company is None else " AND company_id = :company"
        return not self._scalar(f"SELECT EXISTS ({_OWED.format('1')}{of})", company=company)

    def owed(self, company: str | None = None) -> int:
        """Entries that are pending or being sent."""
        of = "" if company is None else " AND company_id = :company"
        return int(self._scalar(_OWED.format("count(*)") + of, company=company))

    def states(self) -> dict[str, int]:
        """Entries by action, state and reason."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text(_STATES))
            return {f"{row[0]} {row[1]} {row[2]}".strip(): int(row[3]) for row in rows}

    def states_of(self, state: str) -> int:
        """How many entries stand in this state."""
        statement = "SELECT count(*) FROM keeping_sync_entry WHERE state = :state"
        return int(self._scalar(statement, state=state))

    def await_settled(self, company: str | None = None, *, seconds: float = 300.0) -> float:
        """Wait until nothing is owed; how long that took."""
        began = time.monotonic()
        self.await_true(lambda: self.settled(company), seconds=seconds)
        return time.monotonic() - began

    def await_true(self, condition: Callable[[], object], *, seconds: float) -> None:
        """Wait for it. Raises TimeoutError with what the ledger holds and the workers wrote."""
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                log = self.folder / "workers.log"
                tail = log.read_text(errors="replace")[-1500:] if log.exists() else ""
                raise TimeoutError(f"{tail}\nnot within {seconds:g} s: {self.states()}")
            time.sleep(0.05)


_OWED = "SELECT {} FROM keeping_sync_entry WHERE state IN ('pending', 'sending')"
_STATES = """SELECT action, state, reason, count(*) FROM keeping_sync_entry
    GROUP BY action, state, reason"""
_UNDESCRIBED = "SELECT count(*) FROM keeping_schema_load WHERE finished_at IS NULL"


class _Working:
    """Workers for a while. The first ones describe the orgs before the block begins, at the orgs'
    own speed when no latency was set yet."""

    def __init__(self, house: House, number: int) -> None:
        self._house, self._number = house, number
        self._started: list[Child] = []

    def __enter__(self) -> list[Child]:
        house = self._house
        self._started = house.start_workers(self._number)
        if not house.described():
            house.await_true(house.described, seconds=300)
            house.orgs.reset_logs()
        return self._started

    def __exit__(self, *_: object) -> None:
        for worker in self._started:
            worker.stop()
            self._house.workers.remove(worker)


def _form(client: FlaskClient, action: str, *, at: str = "/salesforce/settings/") -> dict[str, str]:
    """The hidden fields of a form on a page of ours."""
    page = client.get(at)
    for form in html.document_fromstring(page.get_data(as_text=True)).xpath("//form"):
        if (form.get("action") or at).partition("?")[0].endswith(action):
            return {
                field.get("name"): field.get("value", "")
                for field in form.xpath(".//input[@type='hidden']")
            }
    raise RuntimeError(f"{at} has no form for {action} ({page.status_code})")
