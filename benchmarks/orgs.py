"""Many simulated orgs: `python -m benchmarks.orgs --count N`, a few in each process.

A company has an org of its own, since a drain takes one org at a time; `salesforce_simulator`
serves a production org and its sandbox, this as many production orgs as wanted, on the same code.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from demo.processes import Child
from salesforce_simulator.__main__ import die_with_parent
from salesforce_simulator.app import create_exchange
from salesforce_simulator.clock import OrgClock
from salesforce_simulator.control.client import Control
from salesforce_simulator.metadata.seed import LOGINS, seed_users
from salesforce_simulator.org import Org
from salesforce_simulator.server import Server
from salesforce_simulator.site import ConnectedApp, Start, make_site

CLIENT = "benchmark-client"
SECRET = "benchmark-secret"  # noqa: S105 - of a simulation
CALLBACK = "http://localhost/salesforce/oauth/callback"
API_LIMIT = 5_000_000


@dataclass(frozen=True, slots=True)
class OneOrg:
    """An org that runs, and who logs in to it."""

    base_url: str
    username: str
    password: str
    control: Control


class Orgs:
    """`count` orgs over a few processes, ended with the figure."""

    def __init__(self, count: int, *, folder: Path, processes: int = 1) -> None:
        self._count, self._folder, self._processes = count, folder, min(processes, count)
        self._children: list[Child] = []
        self._stack = ExitStack()
        self.all: list[OneOrg] = []

    def __enter__(self) -> Self:
        shares = [len(range(n, self._count, self._processes)) for n in range(self._processes)]
        first = 0
        for number, share in enumerate(shares):
            said = self._folder / f"orgs-{number}.json"
            command = [sys.executable, "-m", "benchmarks.orgs", "--first", str(first)]
            command += ["--count", str(share), "--say", str(said)]
            child = Child(f"orgs {number}", command, log=self._folder / f"orgs-{number}.log")
            self._stack.callback(child.stop)
            self._children.append(child)
            first += share
        for number, child in enumerate(self._children):
            said = self._folder / f"orgs-{number}.json"
            child.await_ready(said.exists, seconds=120)
            for one in json.loads(said.read_text()):
                control = Control(one["base_url"])
                self._stack.callback(control.close)
                self.all.append(OneOrg(one["base_url"], one["username"], one["password"], control))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def latency(self, milliseconds: float) -> None:
        """Of each round trip to each org, from now on."""
        for org in self.all:
            org.control.set(latency_ms=milliseconds)

    def reset_logs(self) -> None:
        """Count from zero."""
        for org in self.all:
            org.control.reset_log()

    def counted(self, name: str = "api_requests") -> int:
        """What the request logs counted, over all orgs."""
        return sum(org.control.counters()[name] for org in self.all)

    def count(self, soql: str) -> int:
        """How many records a query finds, over all orgs."""
        return sum(org.control.count(soql) for org in self.all)


def serve(*, first: int, count: int, say: Path) -> None:
    """Serve them until SIGTERM; `say` is written once all listen."""
    stop = threading.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: stop.set())
    app = ConnectedApp(client_id=CLIENT, client_secret=SECRET, redirect_uris={CALLBACK})
    clock = OrgClock()
    admin = next(login for login in LOGINS if login.name == "admin")
    servers, said = [], []
    for number in range(first, first + count):
        server = Server(0)
        org = Org(database=":memory:", clock=clock, name=f"Company {number}", sandbox=False)
        site = make_site(
            kind="production",
            base_url=f"http://127.0.0.1:{server.port}",
            org=org,
            clock=clock,
            data=None,
            app=app,
            start=Start(api_limit=API_LIMIT),
        )
        seed_users(site)
        server.start(create_exchange(site))
        servers.append(server)
        login = {"username": admin.username("production"), "password": admin.password}
        said.append({"base_url": site.base_url, **login})
    part = say.with_suffix(".part")
    part.write_text(json.dumps(said))
    part.rename(say)
    stop.wait()
    for server in servers:
        server.stop(seconds=0.1)


def main() -> None:
    """Serve a share of the orgs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orgs")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--say", type=Path, required=True)
    options = parser.parse_args()
    die_with_parent()
    serve(first=options.first, count=options.count, say=options.say)


if __name__ == "__main__":
    main()
