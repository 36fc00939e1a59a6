"""RQ's worker, as far as we let it: one queue, JSON, and no orders from Redis.

Whoever can write into Redis can make it look for due rows and nothing else: RQ's command channel
(shutdown, kill-horse, stop-job), its suspension and its groups are off, and a key that holds
something strange is set aside instead of ending the worker.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any

from flask import Flask
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.utils import now as utc_now
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from keeping_plugin.jobs.aside import by_a_strange_value, set_aside, set_aside_unusable
from keeping_plugin.jobs.job import KeepingJob
from keeping_plugin.jobs.queue import WORKER_TIMEOUT, connect, our_queue
from keeping_plugin.services.runtime import Runtime

log = logging.getLogger("keeping_plugin.worker")

WORKER_TTL = 25  # seconds; a Redis that says nothing is waited for 5 s less
STOP_TIMEOUT = 2.0  # seconds that a worker on its way out waits for Redis
# Of which only the first three are ever ours.
_REGISTRIES = ("wip", "finished", "failed", "deferred", "scheduled", "canceled", "ready")
_AWAY = (RedisConnectionError, RedisTimeoutError)


class KeepingWorker(SimpleWorker):
    """RQ's worker without a fork per job, with the app's context around each job."""

    app: Flask
    stopping: Event
    max_connection_wait_time = 5  # seconds between attempts while Redis is away

    def request_stop(self, signum: Any, frame: Any) -> None:
        """SIGTERM: end with the call that is being made, whether Redis answers or not."""
        self.stopping.set()
        self.connection.connection_pool.connection_kwargs["socket_timeout"] = STOP_TIMEOUT
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def set_shutdown_requested_date(self) -> None:
        """Nobody reads it, and no signal may wait for Redis in the middle of a job."""

    def subscribe(self) -> None:
        """No channel: who may publish in Redis may not end workers."""

    def unsubscribe(self) -> None:
        """There is no channel."""

    def check_for_suspension(self, burst: bool) -> None:
        """`rq suspend` would stop every company's work, by one key that has no end."""

    def clean_group_registries(self) -> None:
        """We have no groups."""

    def perform_job(self, *args: Any, **kwargs: Any) -> bool:
        with self.app.app_context():
            return bool(super().perform_job(*args, **kwargs))

    def execute_job(self, job: Any, queue: Any) -> None:
        """A job whose own keys hold something strange is dropped; the sweep rings again. So it does
        when Redis goes away before the job's beginning or end is written down in it."""
        try:
            super().execute_job(job, queue)
        except _AWAY as error:
            _say_away(error)
        except ResponseError as error:
            if not by_a_strange_value(error):
                raise
            log.warning("job_dropped", extra={"error": type(error).__name__})
            self._set_aside()
            set_aside(self.connection, queue.name, self.key, "strange_value")
            with self.connection.pipeline() as pipeline:
                pipeline.lrem(queue.intermediate_queue_key, 0, job.id)
                pipeline.delete(job.key)
                pipeline.execute()

    def dequeue_job_and_maintain_ttl(self, *args: Any, **kwargs: Any) -> Any:
        """Waits as long as it takes: RQ would end a worker that Redis keeps waiting before it
        listens, or after it has taken a job."""
        while True:
            try:
                self._bound_queues()
                return super().dequeue_job_and_maintain_ttl(*args, **kwargs)
            except UnicodeDecodeError:
                self._drop_unreadable()
            except ResponseError:
                if not self._set_aside():
                    raise

    def run_maintenance_tasks(self) -> None:
        """RQ's registries are bookkeeping of RQ's: what it cannot read of them is set aside."""
        self._set_aside()
        try:
            self.clean_registries()  # type: ignore[no-untyped-call]
        except (StopRequested, *_AWAY):
            raise
        except Exception as error:  # noqa: BLE001  whatever somebody wrote into them
            self.last_cleaned_at = utc_now()  # type: ignore[assignment]
            log.warning("registries_unreadable", extra={"error": type(error).__name__})
            for queue in self.queues:
                for key in _registries(queue):
                    set_aside(self.connection, queue.name, key, "unreadable")

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        step = partial(super().heartbeat, timeout, pipeline)
        if pipeline is None:
            self._unless_away(step)
        else:
            step()

    def set_state(self, state: str, pipeline: Any = None) -> None:
        step = partial(super().set_state, state, pipeline)
        if pipeline is None:
            self._unless_away(step)
        else:
            step()

    def register_birth(self) -> None:
        """Waits for a Redis that went away between the parent's look and now."""
        wait = 1.0
        while True:
            try:
                # Not afterwards: RQ takes a birth that was half written for another worker's.
                self._set_aside()
                super().register_birth()  # type: ignore[no-untyped-call]
            except _AWAY as error:
                _say_away(error)
                if self.stopping.wait(wait):
                    raise
            else:
                return
            wait = min(2 * wait, self.max_connection_wait_time)

    def register_death(self) -> None:
        self._patiently(super().register_death)

    def _unless_away(self, step: Callable[[], Any]) -> None:
        """Take a step that is bookkeeping of RQ's; the next call that needs Redis waits for it."""
        try:
            self._patiently(step)
        except _AWAY as error:
            _say_away(error)

    def _patiently(self, step: Callable[[], Any]) -> None:
        """Take the step, again when something was in its way that could be set aside."""
        try:
            step()
        except ResponseError:
            if not self._set_aside():
                raise
            step()

    def _set_aside(self) -> int:
        """Every key that we share with RQ and that is not what it must be; how many were not."""
        expected = {
            Queue.redis_queues_keys: "set",
            self.redis_workers_keys: "set",
            self.key: "hash",
            getattr(self, "executions_key", f"{self.key}:executions"): "set",
        }
        for queue in self.queues:
            expected |= {
                queue.key: "list",
                queue.intermediate_queue_key: "list",
                WORKERS_BY_QUEUE_KEY % queue.name: "set",
                queue.registry_cleaning_key: "string",
                **dict.fromkeys(_registries(queue), "zset"),
            }
        return set_aside_unusable(self.connection, self.queues[0].name, expected)

    def _bound_queues(self) -> None:
        """A list that is far longer than all that we ever ring is nobody's work."""
        for queue in self.queues:
            keys = {queue.key: "list", queue.intermediate_queue_key: "list"}
            with contextlib.suppress(*_AWAY):  # RQ's own loop waits for Redis
                set_aside_unusable(self.connection, queue.name, keys)

    def _drop_unreadable(self) -> None:
        """Drop what is no text, so none of ours, from where RQ keeps the entries just taken: it
        would end this worker and every one after it."""
        log.warning("queue_entry_unreadable")
        redis: Any = self.connection  # its stubs take texts only
        for queue in self.queues:
            for entry in redis.lrange(queue.intermediate_queue_key, 0, -1):
                if "\ufffd" in entry.decode(errors="replace"):
                    redis.lrem(queue.intermediate_queue_key, 0, entry)


def _say_away(error: Exception) -> None:
    log.warning("worker_waits_for_redis", extra={"error": type(error).__name__})


def _registries(queue: Queue) -> list[str]:
    prefix = queue.key.removesuffix(f":queue:{queue.name}")
    return [f"{prefix}:{each}:{queue.name}" for each in _REGISTRIES]


def make_worker(app: Flask, runtime: Runtime) -> KeepingWorker:
    """A worker on the app's one queue. Tests run it with `work(burst=True)`."""
    redis = connect(runtime.config.redis_url, timeout=None, connect_timeout=WORKER_TIMEOUT)
    worker = KeepingWorker(
        [our_queue(runtime.config.queue, redis)],
        connection=redis,
        serializer=JSONSerializer,
        job_class=KeepingJob,
        worker_ttl=WORKER_TTL,
        log_job_description=False,
    )
    worker.app = app
    worker.stopping = runtime.stopping
    return worker
