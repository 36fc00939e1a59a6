"""The only kind of job our worker performs.

Whoever can write into Redis can write jobs. So nothing of what stands there is trusted: the payload
is JSON, the function one of four names, its argument one integer; callbacks, webhooks,
dependencies, retries and repeats are dropped before RQ sees them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

TASKS = "keeping_plugin.jobs.tasks."
ALLOWED = frozenset(TASKS + name for name in ("drain", "describe", "backfill", "revoke"))
TIMEOUT = 600  # seconds; a job bounds its own work far below this
FAILURE_TTL = 3_600

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

    def restore(self, raw_data: Mapping[Any, Any]) -> Any:
        """Read what Redis holds, leaving out everything that could run something else."""
        kept = {
            key: value
            for key, value in raw_data.items()
            if (key.decode(errors="replace") if isinstance(key, bytes) else str(key)) in _KEPT
        }
        try:
            return super().restore({**kept, **_FIXED})
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise NoSuchJobError("unreadable job") from error

    def perform(self) -> Any:
        """Run one of our four tasks. Raises NotAllowed for everything else."""
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
            raise NotAllowed("only drain, describe, backfill and revoke with one integer are run")
        return super().perform()
