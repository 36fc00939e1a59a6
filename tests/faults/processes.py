"""Worker and host processes that are to be killed, forked from one that has imported everything.

Each is `flask keeping worker` (or another command, or the host) in a process group of its own; only
the seconds that Python takes to import are saved.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from flask.cli import ScriptInfo

from keeping_plugin.cli import keeping
from tests.faults import host
from tests.servers.forking import CONTEXT, begin


def _begin(environment: Mapping[str, str], log: str) -> None:
    """What a fresh interpreter would have been given, with a log."""
    begin(environment, log)
    _log_to_stderr()
    faulthandler.register(signal.SIGUSR1)  # where is it? for whoever looks for a hang


def _log_to_stderr() -> None:
    """With the level, as most operators have it."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)


def _command(environment: Mapping[str, str], log: str, words: Sequence[str]) -> None:
    _begin(environment, log)
    keeping.main(list(words), prog_name="flask keeping", obj=ScriptInfo(create_app=host.create_app))


def _host(environment: Mapping[str, str], log: str, orders: Connection) -> None:
    _begin(environment, log)

    def lines() -> Iterator[dict[str, str]]:
        with contextlib.suppress(EOFError):
            while True:
                yield orders.recv()

    host.serve(lines(), orders.send)


class Running:
    """A process of ours. `struck` is true once its failpoint was reached; a worker's `children` are
    found, not told."""

    def __init__(self, process: BaseProcess, once: Path, orders: Connection | None) -> None:
        self._process = process
        self._once = once
        self._orders = orders

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def struck(self) -> bool:
        return self._once.exists()

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def children(self) -> list[int]:
        """Of a worker: the one that works."""
        with contextlib.suppress(FileNotFoundError):
            text = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
            return [int(pid) for pid in text.split()]
        return []

    def wait(self, seconds: float = 120.0) -> int:
        """Its exit code. Raises TimeoutError."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise TimeoutError(f"process {self.pid} did not end within {seconds:g} s")
        return self._process.exitcode

    def signal(self, number: signal.Signals, *, everyone: bool = False) -> None:
        """To the process, or to its whole group."""
        with contextlib.suppress(ProcessLookupError):
            if everyone:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def kill(self) -> None:
        """-9, parent and child."""
        self.signal(signal.SIGKILL, everyone=True)
        self.wait()

    def stop(self, seconds: float = 120.0) -> int:
        """SIGTERM, as a supervisor stops it; its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def end(self) -> None:
        """Whatever state it is in."""
        self.signal(signal.SIGCONT, everyone=True)
        if self.alive:
            self.signal(signal.SIGTERM)
            self._process.join(10)
        self.signal(signal.SIGKILL, everyone=True)
        self._process.join(10)
        if self._orders is not None:
            self._orders.close()

    def send(self, order: Mapping[str, str]) -> None:
        """Give a host an order (see `host.serve`)."""
        assert self._orders is not None
        self._orders.send(dict(order))

    def hear(self) -> str:
        """What it says when it has done that. Raises EOFError when it died instead."""
        assert self._orders is not None
        said: str = self._orders.recv()
        return said

    def order(self, order: Mapping[str, str]) -> str | None:
        """Both; None when the host died."""
        try:
            self.send(order)
            return self.hear()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return None


def start(
    words: Sequence[str], *, environment: Mapping[str, str], log: Path, once: Path
) -> Running:
    """`flask keeping <words>` in a process of its own."""
    process = CONTEXT.Process(target=_command, args=(dict(environment), str(log), list(words)))
    process.start()
    return Running(process, once, None)


def start_host(*, environment: Mapping[str, str], log: Path, once: Path) -> Running:
    """A host that stores what it is ordered to."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_host, args=(dict(environment), str(log), theirs))
    process.start()
    theirs.close()
    return Running(process, once, ours)


def await_true(condition: Callable[[], object], *, seconds: float = 120.0, what: str = "") -> None:
    """Wait for a condition. Raises TimeoutError after a time that ends a hang and that no busy
    machine needs."""
    until, pause = time.monotonic() + seconds, 0.01
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"it did not happen within {seconds:g} s: {what}")
        time.sleep(pause)
        pause = min(0.1, pause * 1.25)  # a condition may ask a database or Salesforce
