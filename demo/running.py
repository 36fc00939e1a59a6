"""Everything the demo runs, started in order and stopped in reverse: Redis, the simulated org, the
database with its tables, a worker and the inbox. Smoke runs and tests start the same."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
from cryptography.fernet import Fernet

from demo.ports import first_free, is_free, listen
from demo.processes import Child, run
from demo.redis_server import EmbeddedRedis
from salesforce_simulator.process import OrgDidNotStart, OrgProcess

FIRST_PORT = 8800
_MARKER = "lock"  # a folder without it is not ours to clear


class CannotStart(Exception):
    """The demo cannot start here; the text says why, in one sentence."""


class Demo:
    """One running demo over one data folder. `database` is a SQLAlchemy URL; without one the
    folder holds a SQLite file. `settings` are further keys of the inbox's configuration;
    `person_accounts` has the org know people who are accounts of their own."""

    org: OrgProcess
    #: How it starts its own processes.
    child: type[Child] = Child

    def __init__(
        self,
        data: Path,
        *,
        database: str | None = None,
        first_port: int = FIRST_PORT,
        settings: dict[str, Any] | None = None,
        person_accounts: bool = False,
        say: Callable[[str, str], None] = lambda part, line: None,
    ) -> None:
        self.data = data.absolute()
        self.config_file = self.data / "inbox.json"
        self.config: dict[str, Any] = {}
        self._database = database or f"sqlite:///{self.data / 'inbox.sqlite3'}"
        self._first_port = first_port
        self._settings = settings or {}
        self._org_options = ["--person-accounts"] if person_accounts else []
        self._say = say
        self._children: list[Child] = []
        self._lock: TextIOWrapper | None = None
        self._door: socket.socket | None = None  # the inbox's, until the inbox has it

    @property
    def url(self) -> str:
        url: str = self.config["INBOX_URL"]
        return url

    @property
    def database_url(self) -> str:
        return self._database

    @property
    def env(self) -> dict[str, str]:
        """What a process needs to run as this demo's inbox."""
        return {"INBOX_CONFIG": str(self.config_file)}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start all of it and return when the inbox answers. Raises CannotStart, ChildFailed."""
        self.data.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        ports = self._ports()
        self._redis = EmbeddedRedis(self.data / "redis", ports["redis"])
        self._children.append(self._redis.start())
        ports["redis"] = self._redis.port
        self._say("redis", self._redis.url)
        self._write_config(ports)
        # Side by side: the org and the tables need nothing of each other.
        tables = self._make_tables()
        self._start_org(ports)
        said = tables.await_end().strip().splitlines()
        self._children.remove(tables)
        self._say("database", ", ".join([self._shown_database(), *said]))
        worker = self.start_worker()
        self._start_inbox()
        self.await_worker(worker)
        self._say("worker", f"process {worker.pid}")

    def start_worker(self) -> Child:
        """One more worker, as `flask keeping worker` runs it."""
        command = [sys.executable, "-m", "flask", "--app", "demo.inbox.app", "keeping", "worker"]
        worker = self.child("worker", command, log=self.data / "worker.log", env=self.env)
        self._children.append(worker)
        return worker

    def await_worker(self, worker: Child) -> None:
        """Return once this worker takes jobs. Raises ChildFailed."""
        worker.await_ready(lambda: self._redis.serves_worker(worker.pid))

    def flask(self, *words: str) -> str:
        """Run `flask ...` over the inbox; its output. Raises ChildFailed."""
        command = [sys.executable, "-m", "flask", "--app", "demo.inbox.app", *words]
        return run(command, env=self.env, what=f"flask {' '.join(words)}")

    def ended(self) -> Child | None:
        """A process that ended by itself, or None while all is well."""
        return next((child for child in self._children if child.exit_code is not None), None)

    def stop(self) -> None:
        """Stop what was started, the inbox first and Redis last."""
        inner, redis = self._children[1:], self._children[:1]
        for child in reversed(inner):
            child.stop()
        if hasattr(self, "org"):
            self.org.stop()
        for child in redis:
            child.stop()
        self._children.clear()
        if self._door is not None:
            self._door.close()
            self._door = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        lock = (self.data / _MARKER).open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise CannotStart(f"another demo is running in {self.data}") from error
        self._lock = lock

    def _ports(self) -> dict[str, int]:
        """Last time's ports where they are free, since browsers and the org's records know them.
        The inbox's is ours from here on; for the others it is tried."""
        kept = self._kept().get("DEMO_PORTS", {})
        self._door = listen(kept.get("inbox", self._first_port))
        ports: dict[str, int] = {"inbox": self._door.getsockname()[1]}
        start = ports["inbox"] + 1
        for name in ("org", "sandbox", "redis"):
            ports[name] = first_free(kept.get(name, start), taken=ports.values())
            start = ports[name] + 1
            if name != "redis" and ports[name] != kept.get(name, ports[name]):
                self._say(name, f"port {kept[name]} is taken: reconnect Salesforce in Settings")
        return ports

    def _make_tables(self) -> Child:
        command = [sys.executable, "-m", "demo.inbox.seeding.seed"]
        log = self.data / "tables.log"
        log.unlink(missing_ok=True)
        child = self.child("making the tables", command, log=log, env=self.env)
        self._children.append(child)
        return child

    def _start_org(self, ports: dict[str, int]) -> None:
        while True:
            try:
                self._try_org(ports)
                break
            except OrgDidNotStart:
                taken = [name for name in ("org", "sandbox") if not is_free(ports[name])]
                if not taken:
                    raise
            for name in taken:  # meanwhile, by somebody else
                self._say(name, f"port {ports[name]} was taken meanwhile")
                ports[name] = first_free(ports[name] + 1, taken=ports.values())
            self._write_config(ports)
        production, sandbox = self.org.production.base_url, self.org.sandbox.base_url
        self._say("org", f"{production}  (sandbox {sandbox})")

    def _try_org(self, ports: dict[str, int]) -> None:
        org = OrgProcess(
            data=self.data / "org",
            port=ports["org"],
            sandbox_port=ports["sandbox"],
            options=[
                "--client-id",
                self.config["KEEPING_SALESFORCE_CLIENT_ID"],
                "--client-secret",
                self.config["KEEPING_SALESFORCE_CLIENT_SECRET"],
                *self._org_options,
            ],
            redirects=[f"http://127.0.0.1:{ports['inbox']}/salesforce/oauth/callback"],
        )
        self.org = org.start()

    def _kept(self) -> dict[str, Any]:
        if not self.config_file.exists():
            return {}
        kept: dict[str, Any] = json.loads(self.config_file.read_text(encoding="utf-8"))
        return kept

    def _write_config(self, ports: dict[str, int]) -> None:
        kept = self._kept()
        login_urls = [f"http://127.0.0.1:{ports[name]}" for name in ("org", "sandbox")]
        self.config = {
            "SECRET_KEY": kept.get("SECRET_KEY") or secrets.token_hex(32),
            "SQLALCHEMY_DATABASE_URI": self._database,
            "INBOX_URL": f"http://127.0.0.1:{ports['inbox']}",
            "INBOX_DELIVERY_TOKEN": kept.get("INBOX_DELIVERY_TOKEN") or secrets.token_hex(32),
            "KEEPING_SECRET_KEYS": kept.get("KEEPING_SECRET_KEYS")
            or Fernet.generate_key().decode(),
            "KEEPING_REDIS_URL": self._redis.url,
            "KEEPING_SALESFORCE_CLIENT_ID": kept.get("KEEPING_SALESFORCE_CLIENT_ID")
            or secrets.token_hex(32),
            "KEEPING_SALESFORCE_CLIENT_SECRET": kept.get("KEEPING_SALESFORCE_CLIENT_SECRET")
            or secrets.token_hex(32),
            "KEEPING_SALESFORCE_LOGIN_URLS": login_urls,
            "KEEPING_SALESFORCE_ALLOW_LOOPBACK": True,
            "DEMO_PORTS": ports,
            **self._settings,
        }
        opened = os.open(self.config_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(opened, "w", encoding="utf-8") as file:  # noqa: PTH123 - for its mode
            json.dump(self.config, file, indent=2)

    def _shown_database(self) -> str:
        scheme, _, rest = self._database.partition("://")
        return rest[1:] if scheme == "sqlite" else scheme.partition("+")[0]

    def _start_inbox(self) -> None:
        """On the socket that holds its port already, so that nobody else answers there."""
        assert self._door is not None
        door = self._door.fileno()
        command = [sys.executable, "-m", "demo.inbox", "--fd", str(door)]
        log = self.data / "inbox.log"
        inbox = self.child("inbox", command, log=log, env=self.env, pass_fds=[door])
        self._children.append(inbox)
        self._door.close()  # the inbox has it: when it ends, nobody listens
        self._door = None
        inbox.await_ready(self._answers)
        self._say("inbox", self.url)

    def _answers(self) -> bool:
        try:
            with requests.Session() as http:
                http.trust_env = False
                return http.get(f"{self.url}/login", timeout=5).ok
        except requests.RequestException:
            return False


def clear(data: Path) -> None:
    """Forget everything a demo kept. Raises CannotStart for a folder that no demo made, or that a
    running one uses."""
    if not data.exists():
        return
    if not (data / _MARKER).exists():
        raise CannotStart(f"{data} was not made by the demo, so it is not cleared")
    with (data / _MARKER).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotStart(f"another demo is running in {data}") from error
        shutil.rmtree(data)
