"""The doorbell: rings in Redis, at most one per connection in five seconds, never in the way.

A web request pays at most one quarter of a second when Redis is away; then a breaker keeps every
thread from asking again for 5 s, and longer each time that it is still away, up to a minute. What
is not rung is found by the sweep.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from rq.timeouts import BaseTimeoutException

from keeping_plugin.errors import NotReady
from keeping_plugin.jobs.aside import by_a_strange_value, note, set_aside, set_aside_unusable
from keeping_plugin.jobs.job import FAILURE_TTL, TASKS, TIMEOUT, KeepingJob
from keeping_plugin.services.limits import WINDOW
from keeping_plugin.times import QUEUE_FULL, RING, Times

# What RQ raises in the middle of a job that takes too long.
INTERRUPTS = (BaseTimeoutException,)

log = logging.getLogger("keeping_plugin.queue")

REDIS_TIMEOUT = 0.25  # seconds, of a web request
WORKER_TIMEOUT = 2.0  # seconds, of a worker: on a busy machine Redis is slow, not away
BREAK, MAX_BREAK = 5.0, 60.0  # seconds without asking after a failure, doubled each time


class RedisAway(NotReady):
    """Redis does not answer, or not yet: a worker waits for it."""


def connect(
    url: str,
    *,
    timeout: float | None = REDIS_TIMEOUT,
    connect_timeout: float = REDIS_TIMEOUT,
) -> Redis:
    """A client that fails fast: the defaults retry for seconds to a minute."""
    return Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=connect_timeout,
        retry=Retry(NoBackoff(), 0),
    )


def our_queue(name: str, redis: Redis) -> Queue:
    """RQ's queue, the same for web processes that ring it and for the worker."""
    return Queue(
        name,
        connection=redis,
        serializer=JSONSerializer,
        job_class=KeepingJob,
        default_timeout=TIMEOUT,
    )


class RqQueue:
    """`ports.JobQueue` on RQ: one queue, JSON, allow-listed jobs."""

    def __init__(
        self, url: str, *, name: str, times: Times, monotonic: Callable[[], float]
    ) -> None:
        self._redis = connect(url)
        self._name = name
        self._times = times
        self._monotonic = monotonic
        self._closed_until = float("-inf")
        self._lengthen_from = float("-inf")
        self._break = 0.0  # how long the breaker stays closed; 0 while Redis answers
        self._queue = our_queue(name, self._redis)

    def wait_longer(self) -> None:
        """For a process that serves no web request: Redis has 2 s for an answer from now on."""
        self._redis.connection_pool.disconnect()
        self._redis.connection_pool.connection_kwargs.update(
            socket_timeout=WORKER_TIMEOUT, socket_connect_timeout=WORKER_TIMEOUT
        )

    def _ring_key(self, connection_id: int) -> str:
        return f"{self._name}:ring:{connection_id}"

    def _broken(self, error: RedisError) -> None:
        here = self._monotonic()
        if here >= self._lengthen_from:  # not for those who asked at the same moment
            self._break = min(MAX_BREAK, self._break * 2 or BREAK)
            self._lengthen_from = here + BREAK / 2
        self._closed_until = here + self._break
        log.warning("queue_unreachable", extra={"error": type(error).__name__})

    def _heard(self) -> None:
        self._break, self._closed_until = 0.0, float("-inf")

    @property
    def _open(self) -> bool:
        here = self._monotonic()
        if here < self._closed_until:
            return False
        if self._break:
            # One asks whether Redis is back; the other threads do not wait for the answer.
            self._closed_until = here + BREAK
        return True

    def ring(self, connection_ids: Iterable[int]) -> None:
        """See JobQueue. Nobody rings while the queue is longer than 1,000."""
        if not self._open:
            return
        try:
            room = QUEUE_FULL - self._queue.count
            self._heard()
            for connection_id in connection_ids:
                if room <= 0:
                    return
                if self._is_free(self._ring_key(connection_id)):
                    self._put("drain", connection_id)
                    room -= 1
        except ResponseError as error:
            self._refused(error)
        except RedisError as error:
            self._broken(error)

    def _is_free(self, key: str) -> bool:
        """Take the ring's key for 5 s. One that stays longer is none of ours, and is replaced."""
        milliseconds = max(1, int(self._times.seconds(RING) * 1000))
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.set(key, 1, nx=True, px=milliseconds)
            pipeline.pttl(key)
            taken, left = pipeline.execute()
        if not taken and not 0 <= left <= milliseconds:
            note(key, "no_end")
            return bool(self._redis.set(key, 1, px=milliseconds))
        return bool(taken)

    def _refused(self, error: ResponseError) -> None:
        """Redis answers, and refuses. What is in the way is set aside; the sweep rings again."""
        keys = {self._queue.key: "list", Queue.redis_queues_keys: "set"}
        try:
            if by_a_strange_value(error) and set_aside_unusable(self._redis, self._name, keys):
                return
        except RedisError as further:
            self._broken(further)
            return
        self._broken(error)

    def clear_ring(self, connection_id: int) -> None:
        """See JobQueue."""
        try:
            self._redis.delete(self._ring_key(connection_id))
        except RedisError as error:
            self._broken(error)

    def enqueue(self, job: str, row_id: int) -> None:
        """See JobQueue."""
        if not self._open:
            return
        try:
            self._put(job, row_id)
            self._heard()
        except ResponseError as error:
            self._refused(error)
        except RedisError as error:
            self._broken(error)

    def _put(self, job: str, row_id: int) -> None:
        self._queue.enqueue(
            TASKS + job, row_id, result_ttl=0, failure_ttl=FAILURE_TTL, description=job
        )

    def length(self) -> int | None:
        """See JobQueue."""
        try:
            length = int(self._queue.count)
        except ResponseError as error:
            self._refused(error)
            return None
        except RedisError as error:
            self._broken(error)
            return None
        self._heard()
        return length

    def counted(self, name: str) -> int | None:
        """Count one under this name; how many there were since the count began, at most a minute
        ago. None while Redis does not answer."""
        if not self._open:
            return None
        key = f"{self._name}:pace:{name}"
        try:
            try:
                count = self._counted(key)
            except ResponseError as error:
                if not by_a_strange_value(error):
                    raise
                set_aside(self._redis, self._name, key, "strange_value")
                count = self._counted(key)
        except RedisError as error:
            self._broken(error)
            return None
        self._heard()
        return count

    def _counted(self, key: str) -> int:
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.set(key, 0, nx=True, ex=int(WINDOW))
            pipeline.incr(key)
            pipeline.ttl(key)
            _, count, left = pipeline.execute()
        if not 0 <= left <= int(WINDOW):  # it would count, or limit, for ever
            self._redis.expire(key, int(WINDOW))
        return int(count)

    def check(self) -> None:
        """Redis answers.

        Raises NotReady, with the sentence for an operator, when it refuses us; RedisAway when it
        does not answer.
        """
        try:
            self._redis.ping()
        except AuthenticationError as error:
            raise NotReady(
                "Redis rejects the user or password in KEEPING_REDIS_URL, or requires one: "
                "correct KEEPING_REDIS_URL."
            ) from error
        except RedisError as error:
            raise RedisAway(
                f"Redis at KEEPING_REDIS_URL is not responding ({type(error).__name__}): "
                "start it or correct the URL."
            ) from error
