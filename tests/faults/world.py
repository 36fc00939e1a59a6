"""A host, an org, a Redis and workers that are to be killed, and the count of what came of it.

Lost and doubled are counted in the org against the host's messages, not in our own ledger.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from cryptography.fernet import Fernet
from flask import Flask

from demo.org.consent import walk
from demo.org.process import OrgProcess
from keeping_plugin.models import Connection, EntryState, MailboxPolicy, SyncEntry, migrate, now
from keeping_plugin.services import grants
from keeping_plugin.state import State
from tests.faults import host
from tests.servers.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SCALE = 0.1
CALLBACK = "http://127.0.0.1:1/callback"
OWED = (EntryState.PENDING, EntryState.SENDING)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Messages without their Task or Contact, and those with more than one."""

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
    """One company on one database. Stops everything it started."""

    database_url: str
    redis_url: str
    orgs: OrgProcess
    folder: Path
    scale: float = SCALE
    stored: dict[str, str] = field(default_factory=dict)  # message id -> address
    app: Flask = field(init=False)

    def __post_init__(self) -> None:
        self._stack = ExitStack()
        self.config: Mapping[str, Any] = {
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "KEEPING_SECRET_KEYS": Fernet.generate_key().decode(),
            "KEEPING_REDIS_URL": self.redis_url,
            "KEEPING_SALESFORCE_CLIENT_ID": self.orgs.client_id,
            "KEEPING_SALESFORCE_CLIENT_SECRET": self.orgs.client_secret,
            "KEEPING_SALESFORCE_LOGIN_URLS": [
                self.orgs.production.base_url,
                self.orgs.sandbox.base_url,
            ],
            "KEEPING_SALESFORCE_ALLOW_LOOPBACK": True,
            "KEEPING_TIME_SCALE": self.scale,
            "KEEPING_QUEUE": f"faults{free_port()}",
        }
        self.environment = {
            **os.environ,
            "HOST_CONFIG": json.dumps(self.config),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        }
        os.environ["HOST_CONFIG"] = self.environment["HOST_CONFIG"]
        self.app = host.create_app()
        with self.app.app_context():
            host.db.create_all()
            migrate.upgrade(host.db.engine)
        self._connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        with self.app.app_context():
            host.db.session.remove()
            host.db.engine.dispose()

    @property
    def state(self) -> State:
        state: State = self.app.extensions["keeping"]
        return state

    def _connect(self) -> None:
        """As an admin does, without a browser."""
        org = self.orgs.production
        org.control.allow_redirect(CALLBACK)
        oauth, states = self.state.login.oauth, States()
        login = org.login("admin")
        url = oauth.authorize_url(CALLBACK, states)  # type: ignore[arg-type]
        back = walk(url, username=login.username, password=login.password)
        tokens = oauth.exchange(dict(parse_qsl(urlsplit(back).query)), states)  # type: ignore[arg-type]
        facts = self.state.login.org_facts(tokens)
        with self.app.app_context(), self.state.database.write() as session:
            row = Connection(
                company_id=host.COMPANY,
                org_id=facts.org_id,
                instance_url=tokens.instance_url,
                login_url=tokens.login_url,
                user_id=facts.user_id,
                tokens=grants.seal(
                    self.state.vault, tokens, company_id=host.COMPANY, org_id=facts.org_id
                ),
                token_version=1,
                connected_at=now(session),
                connected_by="admin",
                task_status="Completed",
            )
            session.add(row)
            session.add(
                MailboxPolicy(
                    company_id=host.COMPANY,
                    mailbox_id=host.BOX.id,
                    add_contacts=True,
                    log_tasks=True,
                )
            )

    def worker(self, failpoint: str | None = None) -> subprocess.Popen[bytes]:
        """A worker pair; `failpoint` as in KEEPING_FAILPOINT, without its once-file."""
        environment = dict(self.environment)
        if failpoint:
            environment["KEEPING_FAILPOINT"] = f"{failpoint}:{self.folder / 'struck'}"
        log = (self.folder / "workers.log").open("ab")
        self._stack.callback(log.close)
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "tests.faults.host", "keeping", "worker"],
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self._stack.callback(end, process)
        return process

    def store(self, *mails: tuple[str, str]) -> None:
        """Mail comes in, here in this process."""
        with self.app.app_context():
            for mail_id, customer in mails:
                host.store(mail_id, customer)
                self.stored[mail_id] = customer

    def host_process(self, failpoint: str | None = None) -> subprocess.Popen[str]:
        """A host that stores what it reads from its standard input."""
        environment = dict(self.environment)
        if failpoint:
            environment["KEEPING_FAILPOINT"] = f"{failpoint}:{self.folder / 'struck'}"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.host"],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._stack.callback(end, process)
        return process

    def committed(self) -> dict[str, str]:
        """The host's messages: id and customer."""
        with self.app.app_context():
            found = {mail.id: mail.customer for mail in host.db.session.query(host.Mail)}
            host.db.session.rollback()
            return found

    def entries(self) -> Sequence[SyncEntry]:
        with self.app.app_context(), self.state.database.read() as session:
            return session.query(SyncEntry).order_by(SyncEntry.id).all()

    def struck(self) -> bool:
        """The failpoint was reached."""
        return (self.folder / "struck").exists()

    def await_settled(self, *, seconds: float = 60.0) -> float:
        """Wait until nothing is pending or sending; how long that took. Raises TimeoutError."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            entries = self.entries()
            if entries and all(entry.state not in OWED for entry in entries):
                return time.monotonic() - began
            time.sleep(0.1)
        left = Counter((entry.action, entry.state, entry.reason) for entry in self.entries())
        tail = (self.folder / "workers.log").read_text()[-3000:]
        raise TimeoutError(f"still owed after {seconds:g} s: {dict(left)}\n{tail}")

    def verdict(self) -> Verdict:
        """The org's Contacts and Tasks, counted against the host's messages."""
        control = self.orgs.production.control
        control.wait_until_committed()
        messages = self.committed()
        subjects = Counter(
            row["Subject"].split(": ", 1)[1].rsplit(" [k-", 1)[0]
            for row in control.query("SELECT Subject FROM Task WHERE Subject LIKE '%[k-%'")
        )
        addresses = set(messages.values())
        people = Counter(
            row["Email"] for row in control.query("SELECT Email FROM Contact") if row["Email"]
        )
        lost = [each for each in messages if not subjects[each]]
        lost += [each for each in addresses if not people[each]]
        doubled = [each for each in messages if subjects[each] > 1]
        doubled += [each for each in addresses if people[each] > 1]
        return Verdict(tuple(sorted(lost)), tuple(sorted(doubled)))


def end(process: subprocess.Popen[Any]) -> None:
    """Stop a process of ours and what it started, even a frozen one."""
    if process.poll() is None:
        for number in (signal.SIGCONT, signal.SIGTERM):
            process.send_signal(number)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def await_true(condition: Callable[[], bool], *, seconds: float = 30.0) -> None:
    """Wait for a condition. Raises TimeoutError."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("it did not happen")
        time.sleep(0.05)
