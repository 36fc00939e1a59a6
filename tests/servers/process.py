"""Starting a server process that cannot outlive us."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


class ServerFailed(RuntimeError):
    """The server ended, or stayed silent, instead of becoming ready; the text ends with its log."""


def start(
    command: Sequence[str], *, log: Path, death_signal: signal.Signals, user: str | None = None
) -> subprocess.Popen[bytes]:
    """Start `command` with its output in `log`. On Linux it gets `death_signal` when the thread
    that called us ends, so a killed test run leaves no server behind: call from the main thread.
    """

    def die_with_parent() -> None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal)

    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            preexec_fn=die_with_parent if sys.platform == "linux" else None,
            env={**os.environ, "LC_ALL": "C"},
        )


def await_ready(process: subprocess.Popen[bytes], *, log: Path, ready: Callable[[], bool]) -> None:
    """Return once `ready()` is true. Raises ServerFailed when the process ends first or 30 s pass;
    the process is then stopped."""
    end = time.monotonic() + _START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            stop(process, signal.SIGKILL)
            raise ServerFailed(f"{process.args!r} did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Ask the process to end with `how`, wait for it, and kill it when it does not within 10 s."""
    if process.poll() is not None:
        return
    process.send_signal(how)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
        return
    process.kill()
    process.wait(_STOP_SECONDS)
