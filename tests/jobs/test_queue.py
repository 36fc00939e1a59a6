"""The doorbell while Redis is away: nobody waits for it twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from keeping_plugin.errors import NotReady
from keeping_plugin.jobs.queue import BREAK, MAX_BREAK, REDIS_TIMEOUT, RqQueue
from keeping_plugin.times import Times
from tests.servers.needs import require
from tests.servers.redis import RedisServer


class Watch:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    require("redis")
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@contextmanager
def frozen(server: RedisServer) -> Iterator[None]:
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def queue(server: RedisServer, watch: Watch) -> RqQueue:
    return RqQueue(server.url, name="q", times=Times(), monotonic=watch)


def seconds_of(work: RqQueue, times: int) -> float:
    began = time.monotonic()
    for connection_id in range(times):
        work.ring([connection_id])
    return time.monotonic() - began


def test_a_frozen_redis_is_waited_for_once(redis: RedisServer) -> None:
    watch = Watch()
    bell = queue(redis, watch)
    bell.ring([1])
    with frozen(redis):
        assert seconds_of(bell, 100) < 10 * REDIS_TIMEOUT
        began = time.monotonic()
        threads = [threading.Thread(target=bell.ring, args=([7],)) for _ in range(20)]
        watch.time += BREAK + 0.1
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < 10 * REDIS_TIMEOUT  # one of twenty asked


def test_the_longer_redis_is_away_the_more_seldom_it_is_asked(redis: RedisServer) -> None:
    watch = Watch()
    bell = queue(redis, watch)
    redis.stop(signal.SIGKILL)
    asked = 0
    for _ in range(600):  # ten minutes, a ring a second
        before = bell._closed_until
        bell.ring([1])
        asked += bell._closed_until != before
        watch.time += 1
    assert asked <= 4 + 600 / MAX_BREAK
    redis.start()
    watch.time += MAX_BREAK
    bell.ring([2])
    assert bell.length() == 1


def test_whoever_hears_from_redis_opens_the_breaker(redis: RedisServer) -> None:
    watch = Watch()
    bell = queue(redis, watch)
    redis.stop(signal.SIGKILL)
    bell.ring([1])
    redis.start()
    bell.ring([1])
    assert bell.length() == 0  # the sweep asks
    bell.ring([1])
    assert bell.length() == 1


def test_a_connection_is_rung_once_until_it_is_answered(redis: RedisServer) -> None:
    bell = queue(redis, Watch())
    for _ in range(3):
        bell.ring([1, 2])
    assert bell.length() == 2
    bell.clear_ring(1)
    bell.ring([1, 2])
    assert bell.length() == 3


def test_several_processes_count_together_for_a_minute_and_say_when_they_cannot(
    redis: RedisServer,
) -> None:
    one, two = queue(redis, Watch()), queue(redis, Watch())
    assert [one.counted("a"), two.counted("a"), two.counted("b")] == [1, 2, 1]
    with Redis.from_url(redis.url) as client:
        assert 0 < client.ttl("q:pace:a") <= 60
        client.delete("q:pace:a")  # what Redis does then by itself
    assert one.counted("a") == 1
    redis.stop()
    assert one.counted("a") is None
    began = time.monotonic()
    assert [one.counted("a") for _ in range(100)] == [None] * 100
    assert time.monotonic() - began < REDIS_TIMEOUT


@pytest.mark.parametrize("given", ["", "default:wrong@", "nobody:right@"])
def test_a_redis_that_refuses_the_password_is_not_called_away(
    redis: RedisServer, given: str
) -> None:
    with Redis.from_url(redis.url) as client:
        client.config_set("requirepass", "right")

    def check(given: str) -> None:
        url = redis.url.replace("://", f"://{given}")
        RqQueue(url, name="q", times=Times(), monotonic=Watch()).check()

    check("default:right@")
    with pytest.raises(NotReady, match="rejects the user or password in KEEPING_REDIS_URL"):
        check(given)


def test_a_redis_that_is_away_is_not_called_refusing(redis: RedisServer) -> None:
    redis.stop()
    with pytest.raises(NotReady, match="is not responding"):
        queue(redis, Watch()).check()


@pytest.mark.field_case("B8")
def test_a_pace_key_ends_whoever_wrote_it_and_whatever_it_holds(redis: RedisServer) -> None:
    """Without an end it would hold an agent off for ever; of another type, Redis's refusal closed
    the breaker, and with it the doorbell."""
    bell = queue(redis, Watch())
    with Redis.from_url(redis.url) as client:
        client.set("q:pace:endless", 5)
        client.set("q:pace:long", 5, ex=86_400)
        assert [bell.counted("endless"), bell.counted("long")] == [6, 6]
        assert 0 < client.ttl("q:pace:endless") <= 60
        assert 0 < client.ttl("q:pace:long") <= 60
        client.rpush("q:pace:list", "x")
        client.set("q:pace:text", "many")
        client.set("q:pace:most", 2**63 - 1)
        for name in ("list", "text", "most"):
            assert [bell.counted(name), bell.counted(name)] == [1, 2], name
            assert 0 < client.ttl(f"q:pace:{name}") <= 60
            assert 0 < client.ttl(f"q:aside:q:pace:{name}") <= 86_400
        bell.ring([1])
        assert client.llen("rq:queue:q") == 1


@pytest.mark.field_case("B8")
def test_a_ring_that_has_no_end_is_rung_over(redis: RedisServer) -> None:
    """Its connection would never be drained again."""
    bell = queue(redis, Watch())
    with Redis.from_url(redis.url) as client:
        client.set("q:ring:1", 1)
        client.sadd("q:ring:2", "x")
        client.set("q:ring:3", b"\xff" * 1_000, ex=86_400)
        bell.ring([1, 2, 3])
        assert client.llen("rq:queue:q") == 3
        assert all(0 < client.pttl(f"q:ring:{number}") <= 5_000 for number in (1, 2, 3))
        bell.ring([1, 2, 3])
        assert client.llen("rq:queue:q") == 3


@pytest.mark.field_case("B8")
@pytest.mark.parametrize("key", ["rq:queue:q", "rq:queues"])
def test_a_queue_of_another_type_is_set_aside_by_who_rings(redis: RedisServer, key: str) -> None:
    bell = queue(redis, Watch())
    with Redis.from_url(redis.url) as client:
        client.set(key, "x")
        bell.ring([1])
        client.delete("q:ring:1")
        bell.ring([1])
        assert bell.length() == 1
        assert client.get(f"q:aside:{key}") == b"x"
