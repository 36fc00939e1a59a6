"""A demo whose processes are forked from one that has imported everything: a start takes a third of
the processor time. How `python -m demo` starts and ends stands in tests/demo/test_running.py."""

from __future__ import annotations

import os
import runpy
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

from demo.processes import Child, python_path
from demo.running import Demo
from tests.servers.forking import CONTEXT, begin


class _Forked:
    """What `Child` asks of a `subprocess.Popen`."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        self.terminate, self.kill = process.terminate, process.kill
        assert process.pid is not None
        self.pid = process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int | None:
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, seconds or 0)
        return self._process.exitcode


class WarmChild(Child):
    """`python -m MODULE ...` without the seconds in which Python imports."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.name, self.log = name, log
        environment = {**os.environ, **python_path(), **(env or {})}
        doors = {str(fd): socket.socket(fileno=os.dup(fd)) for fd in pass_fds}
        words = [doors.get(word, word) for word in command[2:]]
        process = CONTEXT.Process(name=name, target=_run, args=(words, environment, str(log)))
        process.start()
        for door in doors.values():
            door.close()
        self._process = _Forked(process)  # type: ignore[assignment]


def _run(words: Sequence[str | socket.socket], environment: Mapping[str, str], log: str) -> None:
    begin(environment, log)
    sys.argv = [word if isinstance(word, str) else str(word.detach()) for word in words]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


class WarmDemo(Demo):
    """A demo for tests of what is in it."""

    child = WarmChild
