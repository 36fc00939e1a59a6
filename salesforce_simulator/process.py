"""Start and stop the simulated org as its own process; demo, smoke, tests and benchmarks share it.

with OrgProcess(redirects=["http://127.0.0.1:5000/salesforce/oauth/callback"]) as org:
    org.production.base_url, org.client_id, org.production.control.counters()
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from salesforce_simulator.control.client import Control

ROOT = Path(__file__).resolve().parents[1]


class OrgDidNotStart(Exception):
    """The process ended or stayed silent; the text ends with what it wrote to stderr."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Someone who can log in, and what is special about them."""

    username: str
    password: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningOrg:
    """One of the two orgs of a running process."""

    base_url: str
    organization_id: str
    logins: tuple[Login, ...]
    objects_from_package: tuple[str, ...]
    control: Control

    def login(self, prefix: str) -> Login:
        """The login whose username starts with ``prefix``: admin, integration, few, no-api; or a
        user's whole name, who was added with the usual password."""
        known = next((one for one in self.logins if one.username.startswith(prefix)), None)
        if known is None and "@" in prefix:
            return Login(username=prefix, password=self.logins[0].password, about="added")
        if known is None:
            raise KeyError(prefix)
        return known


class OrgProcess:
    """``python -m salesforce_simulator`` as a child. It ends with the thread that started it."""

    production: RunningOrg
    sandbox: RunningOrg
    client_id: str
    client_secret: str

    def __init__(
        self,
        *,
        redirects: Sequence[str] = (),
        data: Path | None = None,
        describe: Path | None = None,
        port: int = 0,
        sandbox_port: int = 0,
        latency_ms: float = 0,
        options: Sequence[str] = (),
        start_seconds: float = 60.0,
    ) -> None:
        self._arguments = ["--port", str(port), "--sandbox-port", str(sandbox_port)]
        self._arguments += ["--latency", str(latency_ms), "--die-with-parent", *options]
        for uri in redirects:
            self._arguments += ["--allow-redirect", uri]
        if data is not None:
            self._arguments += ["--data", str(data)]
        if describe is not None:
            self._arguments += ["--describe", str(describe)]
        self._start_seconds = start_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        self._last_words = ""
        self._running: tuple[RunningOrg, ...] = ()

    def start(self) -> Self:
        """Start it and wait until both orgs listen."""
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "salesforce_simulator", *self._arguments],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # Ctrl-C in the terminal reaches the parent alone, which stops us after the others.
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
        )
        try:
            said = json.loads(self._first_line())
        except (OrgDidNotStart, json.JSONDecodeError) as error:
            self.stop()
            raise OrgDidNotStart(f"{error}\n{self.errors()}") from error
        self.client_id, self.client_secret = said["client_id"], said["client_secret"]
        self.production = _running(said["production"])
        self.sandbox = _running(said["sandbox"])
        self._running = (self.production, self.sandbox)
        return self

    def _first_line(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(self._start_seconds):
                raise OrgDidNotStart(f"no word from the org within {self._start_seconds:g} s")
        line = self._process.stdout.readline()
        if not line:
            raise OrgDidNotStart("the org ended before it listened")
        return line

    @property
    def pid(self) -> int:
        """The child's process id."""
        assert self._process is not None
        return self._process.pid

    def errors(self) -> str:
        """What the process wrote to stderr, its last 4,000 characters."""
        if not self._errors.closed:
            size = self._errors.seek(0, os.SEEK_END)
            self._errors.seek(max(0, size - 4000))
            self._last_words = self._errors.read().decode("utf-8", "replace")
        return self._last_words

    def stop(self, *, seconds: float = 10.0) -> int | None:
        """Stop it cleanly, by force after ``seconds``; its return code."""
        process = self._process
        if process is None:
            return None
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        for org in self._running:
            org.control.close()
        self.errors()
        self._errors.close()
        return process.returncode

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _running(said: dict[str, Any]) -> RunningOrg:
    return RunningOrg(
        base_url=said["base_url"],
        organization_id=said["organization_id"],
        logins=tuple(Login(**one) for one in said["logins"]),
        objects_from_package=tuple(said["objects_from_package"]),
        control=Control(said["base_url"]),
    )
