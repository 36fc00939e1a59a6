"""Named points at which the fault tests kill or freeze a process; no-ops everywhere else.

The names are listed here so that a test can walk them all and a typo cannot hide.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

NAMES = (
    "host.stored",
    "host.committed",
    "drain.began",
    "drain.leased",
    "drain.claimed",
    "drain.looked",
    "drain.marked",
    "drain.sent",
    "drain.settled",
    "drain.released",
    "undo.looked",
    "undo.marked",
    "undo.sent",
    "undo.settled",
    "sweep.began",
    "refresh.answered",
)

_armed: dict[str, Callable[[], None]] = {}


def reach(name: str) -> None:
    """Say that this point was reached."""
    action = _armed.get(name)
    if action is not None:
        action()


def arm(name: str, action: Callable[[], None]) -> None:
    """Run `action` whenever `name` is reached. Raises KeyError for a name that is not listed."""
    if name not in NAMES:
        raise KeyError(name)
    _armed[name] = action


def disarm() -> None:
    """Forget every action."""
    _armed.clear()


def arm_from(text: str) -> None:
    """`name:count:how:once-file`: kill or stop this process (SIGKILL, SIGSTOP) the count-th time
    it gets there, unless the file exists; the file is made first, so that the next one goes on."""
    name, count, how, once = text.split(":", 3)
    number = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}[how]
    left = int(count)

    def strike() -> None:
        nonlocal left
        left -= 1
        if left > 0:
            return
        try:
            os.close(os.open(once, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        os.kill(os.getpid(), number)

    arm(name, strike)
