"""Keys in Redis that hold what neither RQ nor we can use: of another type, or far too long.

Whoever can write into Redis can write such keys, and a host that shares it can do so by mistake.
They are renamed, logged and gone after a day. Nothing is lost with them: the rows are the truth,
and the sweep rings again for whatever is due.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from redis import Redis
from redis.exceptions import ResponseError

from keeping_plugin.times import QUEUE_FULL

log = logging.getLogger("keeping_plugin.queue")

MAX_ENTRIES = 10 * QUEUE_FULL  # entries; nobody rings while more than QUEUE_FULL wait
KEPT = 86_400  # seconds that a key stays which was set aside

_LENGTH = {"list": "LLEN", "set": "SCARD", "zset": "ZCARD", "hash": "HLEN"}
_NOT_OURS = ("WRONGTYPE", "not an integer", "not a float", "would overflow")


def by_a_strange_value(error: ResponseError) -> bool:
    """Whether Redis refused a command for what stands under the key, rather than for who asked or
    for its own state."""
    return any(words in str(error) for words in _NOT_OURS)


def set_aside(redis: Redis, name: str, key: str, why: str) -> None:
    """Rename the key, below the name of our queue, so that the rules of SECURITY.md for Redis users
    cover it."""
    aside = f"{name}:aside:{key}"
    try:
        with redis.pipeline(transaction=False) as pipeline:
            pipeline.rename(key, aside)
            pipeline.expire(aside, KEPT)
            pipeline.execute()
    except ResponseError as error:
        if "no such key" not in str(error):
            raise
        return  # somebody else was quicker
    note(key, why)


def note(key: str, why: str) -> None:
    """Tell the log which key was not what it must be."""
    log.warning("redis_key_set_aside", extra={"key": key, "why": why})


def set_aside_unusable(redis: Redis, name: str, expected: Mapping[str, str]) -> int:
    """Of these keys, each with the type it must have, set aside those of another type or with more
    than MAX_ENTRIES entries. Returns how many."""
    with redis.pipeline(transaction=False) as pipeline:
        for key, kind in expected.items():
            pipeline.type(key)
            if kind in _LENGTH:
                pipeline.execute_command(_LENGTH[kind], key)  # type: ignore[no-untyped-call]
        answers = iter(pipeline.execute(raise_on_error=False))
    count = 0
    for key, kind in expected.items():
        found = next(answers).decode()
        length = next(answers) if kind in _LENGTH else 0
        if found not in ("none", kind):
            set_aside(redis, name, key, "wrong_type")
            count += 1
        elif isinstance(length, int) and length > MAX_ENTRIES:
            set_aside(redis, name, key, "too_long")
            count += 1
    return count
