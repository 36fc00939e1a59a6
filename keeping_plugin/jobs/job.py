"""The only kind of job our worker performs.

Whoever can write into Redis can write jobs. So nothing of what stands there is trusted: the payload
is JSON, the function one of five names, its argument one integer; callbacks, webhooks,
dependencies, retries and repeats are dropped before RQ sees them. How long a value is, packed and
unpacked, is asked before it is read: a megabyte of zlib can be a gigabyte of text.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from redis.exceptions import ResponseError
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

TASKS = "keeping_plugin.jobs.tasks."
ALLOWED = frozenset(TASKS + name for name in ("drain", "describe", "backfill", "revoke", "undo"))
TIMEOUT = 600  # seconds; a job bounds its own work far below this
FAILURE_TTL = 3_600
LARGEST = 4_096  # bytes of one value, packed or not; ours have about 100

log = logging.getLogger("keeping_plugin.queue")

_KEPT = frozenset(
    {"data", "created_at", "enqueued_at", "started_at", "origin", "status", "worker_name"}
)
_FIXED = {
    b"timeout": str(TIMEOUT).encode(),
    b"result_ttl": b"0",
    b"failure_ttl": str(FAILURE_TTL).encode(),
}


class NotAllowed(Exception):
    """A job that is none of ours; it was not performed."""


def _unpacked(data: bytes) -> bytes:
    """The payload, which RQ may have packed: as far as one byte more than it may have."""
    try:
        return zlib.decompressobj().decompress(data, LARGEST + 1)
    except zlib.error:
        return data


class KeepingJob(Job):
    """A job whose stored form is read by an allow-list."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["serializer"] = JSONSerializer
        super().__init__(*args, **kwargs)

    @classmethod
    def fetch(cls, id: str, *args: Any, **kwargs: Any) -> Job:
        """Read one job. An id that can be nobody's is a job that is not there."""
        try:
            return super().fetch(id, *args, **kwargs)
        except ValueError as error:
            raise NoSuchJobError("unreadable id") from error

    @classmethod
    def fetch_many(cls, job_ids: Iterable[str], *args: Any, **kwargs: Any) -> list[Job | None]:
        """Read several jobs, each with the care of `fetch`."""
        found: list[Job | None] = []
        for each in job_ids:
            try:
                found.append(cls.fetch(each, *args, **kwargs))
            except NoSuchJobError:
                found.append(None)
        return found

    def refresh(self) -> None:
        """Read the fields that we need and no others, once their sizes are known."""
        fields = sorted(_KEPT)
        with self.connection.pipeline(transaction=False) as pipeline:
            pipeline.type(self.key)
            for each in fields:
                pipeline.hstrlen(self.key, each)
            kind, *sizes = pipeline.execute(raise_on_error=False)
        if kind == b"none":
            raise NoSuchJobError(f"No such job: {self.key}")
        if kind != b"hash" or any(size > LARGEST for size in sizes):
            self._refuse("wrong_type" if kind != b"hash" else "too_large")
        try:
            values = self.connection.hmget(self.key, fields)
        except ResponseError as error:  # replaced in between
            raise NoSuchJobError("unreadable job") from error
        self.restore({key: value for key, value in zip(fields, values, strict=True) if value})

    def _refuse(self, why: str) -> None:
        """Raises NoSuchJobError; the key is gone after an hour."""
        log.warning("job_unreadable", extra={"why": why})
        self.connection.expire(self.key, FAILURE_TTL)
        raise NoSuchJobError(f"job {why}")

    def restore(self, raw_data: Mapping[Any, Any]) -> Any:
        """Read what Redis holds, leaving out everything that could run something else."""
        kept = {
            key: value
            for key, value in raw_data.items()
            if (key.decode(errors="replace") if isinstance(key, bytes) else str(key)) in _KEPT
        }
        for name in kept.keys() & {b"data", "data"}:
            text = _unpacked(kept[name])
            if len(text) > LARGEST:
                self._refuse("too_large")
            kept[name] = zlib.compress(text)  # RQ unpacks whatever it finds
        try:
            return super().restore({**kept, **_FIXED})
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise NoSuchJobError("unreadable job") from error

    def perform(self) -> Any:
        """Run one of our five tasks. Raises NotAllowed for everything else."""
        try:
            name, instance, args, kwargs = JSONSerializer.loads(self.data)  # type: ignore[no-untyped-call]
        except Exception as error:
            raise NotAllowed("the payload is not one of ours") from error
        fits = (
            name in ALLOWED
            and instance is None
            and not kwargs
            and isinstance(args, list)
            and len(args) == 1
            and type(args[0]) is int
        )
        if not fits:
            raise NotAllowed("only five jobs are run, with one integer each")
        return super().perform()
