"""`flask keeping worker`: a parent that sweeps, a child that works; either dying ends the other.

Two processes, because a frozen or killed child must not take the sweep with it, and a sweep must
not wait for a drain. RQ's own scheduler, pool and retries are never used (docs/delivery.md).
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from keeping_plugin.jobs.queue import RqQueue
from keeping_plugin.jobs.rq_worker import make_worker
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import CALL, SWEEP

log = logging.getLogger("keeping_plugin.worker")

_PR_SET_PDEATHSIG = 1
STOP_PATIENCE = CALL + 10.0  # the call that is being made, and what is written down after it
RESTART_AFTER = 1.0  # seconds, of a pair that ended under `-n`
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def _die_with_parent(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died between the fork and the line above
        os._exit(1)


def _fork(child: Callable[[], None]) -> int:
    parent = os.getpid()
    # A signal between the fork and the child's own handlers must find none of its parent's, which
    # would pass it to brothers and sisters.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        return pid
    code = 1
    try:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        _die_with_parent(parent)
        child()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException as error:  # noqa: BLE001  told by its type: its text may hold data
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("worker_child_failed: %s\n%s", type(error).__name__, where)  # noqa: TRY400
    finally:
        os._exit(code)


class _Stop:
    """SIGTERM and SIGINT, noted once and passed to the children."""

    def __init__(self) -> None:
        self._asked = False
        self.children: set[int] = set()
        self._told: set[int] = set()
        for number in _SIGNALS:
            signal.signal(number, self._note)

    def asked(self) -> bool:
        """Whether a signal came; it may come at any moment."""
        return self._asked

    def _note(self, number: int, frame: object) -> None:
        self._asked = True
        self._tell()

    def _tell(self) -> None:
        for pid in self.children - self._told:
            # Once only: RQ takes a second signal for the wish to end in the middle of a job.
            self._told.add(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        """Children that ended within this time, with their exit codes."""
        until = time.monotonic() + seconds
        while True:
            ended = self._reap()
            if ended or self._asked or time.monotonic() >= until:
                return ended
            time.sleep(min(0.05, max(0.0, until - time.monotonic())))

    def _reap(self) -> list[tuple[int, int]]:
        ended = []
        for pid in tuple(self.children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self.children.discard(pid)
                ended.append((pid, os.waitstatus_to_exitcode(status)))
        return ended

    def finish(self, patience: float) -> bool:
        """Wait for every child to end by itself; one that was forked as the signal came has not
        been told yet. Says whether all did: the others are killed, which loses nothing."""
        if self._asked:
            self._tell()
        until = time.monotonic() + patience
        while self.children and time.monotonic() < until:
            self._reap()
            time.sleep(0.02)
        late = tuple(self.children)
        for pid in late:
            log.error("worker_child_killed", extra={"child": pid})
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self.children.discard(pid)
        return not late


def _begin(app: Flask, runtime: Runtime) -> None:
    """No database connection, the host's own included, may be shared across a fork. Redis may take
    longer than in a web request."""
    if isinstance(runtime.queue, RqQueue):
        runtime.queue.wait_longer()
    with app.app_context():
        for engine in runtime.host_engines():
            engine.dispose()


def _sweep(app: Flask, sweep: Callable[[], None]) -> None:
    """Once. A database that is away now is there again some sweeps later."""
    try:
        with app.app_context():
            sweep()
    except SQLAlchemyError as error:
        log.error("sweep_failed", extra={"error": type(error).__name__})  # noqa: TRY400


def run_pair(app: Flask, runtime: Runtime, sweep: Callable[[], None]) -> int:
    """The parent's life: fork the child, sweep every 5 s, end with it. Returns an exit code."""
    _begin(app, runtime)

    def work() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        make_worker(app, runtime).work(logging_level="WARNING")

    child = _fork(work)
    stop = _Stop()
    stop.children.add(child)
    code = 0
    while not stop.asked():
        _sweep(app, sweep)
        ended = stop.wait(runtime.times.seconds(SWEEP))
        if ended and not stop.asked():
            code = ended[0][1] or 1
            log.error("worker_child_ended", extra={"exit_code": ended[0][1]})
            break
    ended_well = stop.finish(STOP_PATIENCE)
    return code or int(not ended_well)


def supervise(app: Flask, runtime: Runtime, sweep: Callable[[], None], *, pairs: int) -> int:
    """`-n`: keep so many pairs alive until SIGTERM."""
    _begin(app, runtime)

    def pair() -> None:
        sys.exit(run_pair(app, runtime, sweep))

    stop = _Stop()
    stop.children.update(_fork(pair) for _ in range(pairs))
    while not stop.asked():
        for _, code in stop.wait(1.0):
            if stop.asked():
                break
            log.error("worker_pair_ended", extra={"exit_code": code})
            time.sleep(RESTART_AFTER)
            stop.children.add(_fork(pair))
    return int(not stop.finish(STOP_PATIENCE + 5))
