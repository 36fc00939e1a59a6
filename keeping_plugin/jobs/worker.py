"""`flask keeping worker`: a parent that sweeps, a child that works; either dying ends the other.

Two processes, because a frozen or killed child must not take the sweep with it, and a sweep must
not wait for a drain. RQ's own scheduler, pool and retries are never used (docs/delivery.md).
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from keeping_plugin.jobs.job import TIMEOUT, KeepingJob
from keeping_plugin.jobs.queue import connect
from keeping_plugin.state import State
from keeping_plugin.times import SWEEP

log = logging.getLogger("keeping_plugin.worker")

_PR_SET_PDEATHSIG = 1
WORKER_TTL = 60  # seconds; a worker asks Redis at least this often
RESTART_AFTER = 1.0  # seconds, of a pair that ended under `-n`


class KeepingWorker(SimpleWorker):
    """RQ's worker without a fork per job, with the app's context around each job."""

    app: Flask
    max_connection_wait_time = 5  # seconds between attempts while Redis is away

    def perform_job(self, *args: Any, **kwargs: Any) -> bool:
        with self.app.app_context():
            return bool(super().perform_job(*args, **kwargs))


def make_worker(app: Flask, state: State) -> KeepingWorker:
    """A worker on the app's one queue. Tests run it with `work(burst=True)`."""
    redis = connect(state.config.redis_url, timeout=None)
    queue = Queue(
        state.config.queue,
        connection=redis,
        serializer=JSONSerializer,
        job_class=KeepingJob,
        default_timeout=TIMEOUT,
    )
    worker = KeepingWorker(
        [queue],
        connection=redis,
        serializer=JSONSerializer,
        job_class=KeepingJob,
        worker_ttl=WORKER_TTL,
        log_job_description=False,
    )
    worker.app = app
    return worker


def _die_with_parent(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died between the fork and the line above
        os._exit(1)


def _fork(child: Callable[[], None]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _die_with_parent(parent)
        child()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        log.exception("worker_child_failed")
    finally:
        os._exit(code)


class _Stop:
    """SIGTERM and SIGINT, noted once and passed to the children."""

    def __init__(self) -> None:
        self._asked = False
        self.children: set[int] = set()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def asked(self) -> bool:
        """Whether a signal came; it may come at any moment."""
        return self._asked

    def _note(self, number: int, frame: object) -> None:
        self._asked = True
        for pid in tuple(self.children):
            os.kill(pid, signal.SIGTERM)

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        """Children that ended within this time, with their exit codes."""
        until = time.monotonic() + seconds
        while True:
            ended = []
            for pid in tuple(self.children):
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    self.children.discard(pid)
                    ended.append((pid, os.waitstatus_to_exitcode(status)))
            if ended or self._asked or time.monotonic() >= until:
                return ended
            time.sleep(min(0.05, max(0.0, until - time.monotonic())))

    def finish(self) -> None:
        """Wait for every child to end by itself."""
        for pid in tuple(self.children):
            os.waitpid(pid, 0)
            self.children.discard(pid)


def run_pair(app: Flask, state: State, sweep: Callable[[], None]) -> int:
    """The parent's life: fork the child, sweep every 5 s, end with it. Returns an exit code."""
    with app.app_context():
        state.database.engine.dispose()  # no connection may be shared across the fork

    def work() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        make_worker(app, state).work(logging_level="WARNING")

    child = _fork(work)
    stop = _Stop()
    stop.children.add(child)
    code = 0
    while not stop.asked():
        with app.app_context():
            sweep()
        ended = stop.wait(state.times.seconds(SWEEP))
        if ended and not stop.asked():
            code = ended[0][1] or 1
            log.error("worker_child_ended", extra={"exit_code": ended[0][1]})
            break
    stop.finish()
    return code


def supervise(app: Flask, state: State, sweep: Callable[[], None], *, pairs: int) -> int:
    """`-n`: keep so many pairs alive until SIGTERM."""
    with app.app_context():
        state.database.engine.dispose()

    def pair() -> None:
        sys.exit(run_pair(app, state, sweep))

    stop = _Stop()
    stop.children.update(_fork(pair) for _ in range(pairs))
    while not stop.asked():
        for _, code in stop.wait(1.0):
            if stop.asked():
                break
            log.error("worker_pair_ended", extra={"exit_code": code})
            time.sleep(RESTART_AFTER)
            stop.children.add(_fork(pair))
    stop.finish()
    return 0
