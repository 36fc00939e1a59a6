"""Child processes that end when we do, even when we are killed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_PR_SET_PDEATHSIG = 1
_LOG_TAIL = 3_000


class ChildFailed(RuntimeError):
    """A process ended, or stayed silent; the text ends with its log."""


class Child:
    """One process with its output in a log file. Start it from the main thread: on Linux it gets
    SIGTERM when the thread that started it ends."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.log = log
        parent = os.getpid()

        def die_with_parent() -> None:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **python_path(), **(env or {})},
                # Ctrl-C in the terminal reaches us alone; we stop the others, in order.
                start_new_session=True,
                pass_fds=pass_fds,
                preexec_fn=die_with_parent if sys.platform == "linux" else None,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def await_ready(self, ready: Callable[[], bool], *, seconds: float = 60.0) -> None:
        """Return once `ready()` is true. Raises ChildFailed when the process ends first or stays
        silent for so long."""
        end = time.monotonic() + seconds
        while not ready():
            if self.exit_code is not None:
                raise ChildFailed(f"{self.name} ended with {self.exit_code}:\n{self.log_tail()}")
            if time.monotonic() > end:
                raise ChildFailed(f"{self.name} was not ready in {seconds:g} s:\n{self.log_tail()}")
            time.sleep(0.02)

    def await_end(self, *, seconds: float = 120.0) -> str:
        """Return what it wrote, once it ended well. Raises ChildFailed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        if self.exit_code != 0:
            raise ChildFailed(f"{self.name} failed with {self.exit_code}:\n{self.log_tail()}")
        return self.log_tail()

    def log_tail(self) -> str:
        return self.log.read_bytes()[-_LOG_TAIL:].decode("utf-8", "replace")

    def stop(self, *, seconds: float = 10.0) -> None:
        """SIGTERM, and SIGKILL when it has not ended after so long."""
        if self.exit_code is not None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            return
        self._process.kill()
        self._process.wait()


def run(command: Sequence[str], *, env: Mapping[str, str], what: str) -> str:
    """Run a command to its end; its output. Raises ChildFailed when it fails."""
    done = subprocess.run(
        command,
        env={**os.environ, **python_path(), **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        raise ChildFailed(f"{what} failed with {done.returncode}:\n{said[-_LOG_TAIL:]}")
    return said


def python_path() -> dict[str, str]:
    """So that a child finds the demo from whatever folder we were started in."""
    parts = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, parts)), "PYTHONUNBUFFERED": "1"}
