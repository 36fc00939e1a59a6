"""T13: whoever can write into Redis can ring, and nothing else.

The allow-list stands in keeping_plugin/jobs/job.py. Each hostile job is written straight into
Redis, as somebody with its password would; afterwards a worker does the next real job. `fired` is a
file that exists as soon as anything of theirs has run.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import pickle
import re
import resource
import uuid
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from keeping_plugin.jobs.job import TASKS
from keeping_plugin.jobs.worker import make_worker
from keeping_plugin.models import SchemaLoad
from keeping_plugin.services.schema import describe
from salesforce_simulator.process import OrgProcess
from tests.salesforce.byte_server import Wire, reply, says, serving
from tests.security.town import Town, open_town
from tests.servers.needs import ROOT
from tests.servers.redis import RedisServer

QUEUE = "keeping"


class Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[Callable[..., int], tuple[str]]:
        return os.system, (self._command,)


@pytest.fixture
def fired(tmp_path: Path) -> Path:
    return tmp_path / "fired"


@pytest.fixture
def webhook() -> Iterator[Wire]:
    with serving(says(reply(b"{}"))) as wire:
        yield wire


def call(function: object, *args: object, instance: object = None, **kwargs: object) -> bytes:
    """The payload as RQ's JSON serializer writes it."""
    return json.dumps([function, instance, list(args), kwargs]).encode()


def plant(redis: Redis, data: bytes, **fields: Any) -> str:
    """Write a job as RQ keeps it, with whatever fields, and put it into the queue."""
    job_id = f"evil-{uuid.uuid4().hex}"
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    base = {"created_at": stamp, "enqueued_at": stamp, "origin": QUEUE, "status": "queued"}
    redis.hset(f"rq:job:{job_id}", mapping={**base, "data": data, **fields})
    redis.sadd("rq:queues", f"rq:queue:{QUEUE}")
    redis.rpush(f"rq:queue:{QUEUE}", job_id)
    return job_id


def payloads(command: str) -> dict[str, bytes]:
    drain = TASKS + "drain"
    bomb = pickle.dumps(Bomb(command))
    deep = b"[" * 100_000
    return {
        "a pickle bomb": bomb,
        "a compressed pickle bomb": zlib.compress(bomb),
        "a compressed os.system": zlib.compress(call("os.system", command)),
        "os.system": call("os.system", command),
        "subprocess": call("subprocess.run", command, shell=True),
        "builtins.exec": call("builtins.exec", f"import os; os.system({command!r})"),
        "a method of an instance": call("system", command, instance="os"),
        "our module's neighbour": call(TASKS + "logging.disable", logging.INFO),
        "a helper of ours": call(TASKS + "_run", "drain", 1),
        "a dotted way out": call(TASKS + "drain.__globals__", 1),
        "our function, a text": call(drain, "1"),
        "our function, true": call(drain, True),
        "our function, a float": call(drain, 1.0),
        "our function, null": call(drain, None),
        "our function, a list": call(drain, [1]),
        "our function, an object": call(drain, {"connection_id": 1}),
        "our function, two arguments": call(drain, 1, 2),
        "our function, none": call(drain),
        "our function, by name": call(drain, connection_id=1),
        "our function, an infinite number": b'["' + drain.encode() + b'", null, [1e999], {}]',
        "a name that is no text": call(["os", "system"], command),
        "not four parts": b"[1]",
        "an object": b"{}",
        "no json": b"\xff\xfe\x00",
        "nothing": b"",
        "a very deep json": deep,
    }


CALLED_BACK: list[object] = []


def called_back(*arguments: object) -> None:
    """A callback that RQ would find and could call, however it calls it."""
    CALLED_BACK.append(arguments)


HOSTILE_FIELDS = {
    "success_callback_name": f"{__name__}.called_back",
    "failure_callback_name": f"{__name__}.called_back",
    "stopped_callback_name": f"{__name__}.called_back",
    "success_callback_timeout": "60",
    "timeout": "1000000",
    "result_ttl": "-1",
    "failure_ttl": "-1",
    "retries_left": "1000",
    "retry_intervals": "[0]",
    "dependency_ids": '["evil"]',
    "serializer": "rq.serializers.PickleSerializer",
    "description": "os.system",
    "worker_name": "../../x",
    "repeats_left": "1000",
    "repeat_intervals": "[0]",
    "group_id": "x",
}


def works_still(town: Town) -> None:
    """The next real job is done."""
    row = town.current("acme")
    assert row is not None
    town.forget_calls()
    with town.house.app.app_context():
        assert describe.refresh_soon(town.state.database, row.id)
        town.state.queue.enqueue("describe", row.id)
    town.work()
    with town.house.app.app_context(), town.state.database.read() as session:
        load = session.get(SchemaLoad, row.id)
        assert load is not None
        assert load.finished_at is not None
    assert town.calls("acme"), "the real job asked Salesforce"


def test_no_payload_runs_anything_and_the_worker_lives_on(
    working_town: Town, redis_url: str, fired: Path
) -> None:
    town = working_town
    town.work()  # what connecting has left to do
    town.forget_calls()
    with Redis.from_url(redis_url) as redis:
        for name, data in payloads(f"touch {fired}").items():
            plant(redis, data)
            town.work()
            assert not fired.exists(), name
            assert logging.root.manager.disable == 0, name
            assert redis.llen(f"rq:queue:{QUEUE}") == 0, name
    assert town.calls("acme") == town.calls("other") == []
    works_still(town)


def test_callbacks_webhooks_and_retries_of_a_job_are_not_read(
    working_town: Town, redis_url: str, fired: Path, webhook: Wire
) -> None:
    """They ride on a job that is allowed, and on one that is not."""
    town = working_town
    row = town.current("acme")
    assert row is not None
    with Redis.from_url(redis_url) as redis:
        for data in (call(TASKS + "drain", row.id), call("os.system", f"touch {fired}")):
            for extra in (
                HOSTILE_FIELDS,
                {
                    "success_callback_name": "os.system",
                    "meta": pickle.dumps(Bomb(f"touch {fired}")),
                },
                {"webhook_url": webhook.url, "webhook": json.dumps({"url": webhook.url})},
                {"meta": pickle.dumps(Bomb(f"touch {fired}")), "exc_info": b"\xff"},
                {"created_at": "never", "timeout": "never", "status": "finished"},
            ):
                job_id = plant(redis, data, **extra)
                town.work()
                assert not fired.exists()
                assert redis.llen(f"rq:queue:{QUEUE}") == 0
                assert redis.zcard(f"rq:scheduled:{QUEUE}") == 0, "no retry is planned"
                assert CALLED_BACK == []
                results = redis.xlen(f"rq:results:{job_id}")
                assert results <= 1, "it was tried once"
        assert webhook.requests == []
    works_still(town)


def test_rows_that_are_not_there_and_rows_of_anybody_do_no_harm(
    working_town: Town, redis_url: str
) -> None:
    """All that Redis can ask for is work that is owed anyway: an integer that belongs to no row, or
    to another company's, sends nothing of anybody else's."""
    town = working_town
    town.work()
    town.forget_calls()
    with Redis.from_url(redis_url) as redis:
        for name in ("drain", "backfill", "revoke"):
            for number in (0, -1, 999_999, 2**63, 10**400):
                plant(redis, call(TASKS + name, number))
        plant(redis, call(TASKS + "describe", 999_999))
        redis.set("keeping:ring:1", b"\xff" * 1_000_000)
        redis.lpush(f"rq:queue:{QUEUE}", "no such job", b"\xff\xfe")
        town.work()
        assert redis.llen(f"rq:queue:{QUEUE}") == 0
    assert town.calls("acme") == town.calls("other") == []
    works_still(town)


def test_a_redis_user_of_its_own_needs_no_more_than_security_md_gives_it(
    orgs: OrgProcess, sqlite_url: str, redis_server: RedisServer
) -> None:
    """The very line of SECURITY.md, with which the web side rings and the worker works."""
    text = (ROOT / "SECURITY.md").read_text()
    line = re.search(r"`ACL SETUSER keeping (on [^`]+)`", text)
    assert line is not None
    redis_server.flush()
    rules = line[1].replace(">…", ">secret").split()
    with Redis.from_url(redis_server.url) as redis:
        redis.execute_command("ACL", "SETUSER", "keeping", "reset", *rules)
        url = redis_server.url.replace("redis://", "redis://keeping:secret@")
        try:
            with open_town(orgs, sqlite_url, KEEPING_REDIS_URL=url) as town:
                town.settle_in()
                town.work()
                works_still(town)
            with Redis.from_url(url) as user:
                for command in ("CONFIG GET dir", "FLUSHALL", "MODULE LIST", "SET other 1"):
                    with pytest.raises(NoPermissionError):
                        user.execute_command(*command.split())
        finally:
            redis.execute_command("ACL", "DELUSER", "keeping")


@pytest.mark.field_case("B16")
def test_commands_published_in_redis_neither_end_nor_stop_a_worker(
    working_town: Town, redis_url: str
) -> None:
    """RQ would listen on a channel for shutdown, kill-horse and stop-job, and heed a key that
    suspends every worker of this Redis."""
    town = working_town
    town.work()
    with Redis.from_url(redis_url) as redis, town.house.app.app_context():
        worker = make_worker(town.house.app, town.state)
        worker.bootstrap("CRITICAL")
        try:
            for command in (
                {"command": "shutdown"},
                {"command": "kill-horse"},
                {"command": "stop-job", "job_id": "x"},
                {"command": "stop-execution", "job_id": "x", "execution_id": "y"},
                "\xff",
            ):
                heard = redis.publish(worker.pubsub_channel_name, json.dumps(command))
                assert heard == 0, command
            assert redis.pubsub_channels() == []
        finally:
            worker.teardown()
        redis.set("rq:suspended", 1)
        try:
            works_still(town)
        finally:
            redis.delete("rq:suspended")


@pytest.mark.field_case("B8")
def test_a_payload_that_unpacks_to_gigabytes_is_never_unpacked(
    working_town: Town, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """300 KB would be 300 MB; a small one, packed twice, would be as much."""
    town = working_town
    town.work()
    town.forget_calls()
    packer = zlib.compressobj(9)
    blank = b" " * 1_000_000
    bomb = b"".join(packer.compress(blank) for _ in range(300)) + packer.flush()
    twice = zlib.compress(bomb, 9)
    with Redis.from_url(redis_url) as redis:
        for data in (bomb, twice, zlib.compress(twice), b"x" * 10_000_000):
            job_id = plant(redis, data)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            town.work()
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            assert grown < 100_000, f"{grown} KB for {len(data)} bytes"
            assert redis.llen(f"rq:queue:{QUEUE}") == 0
            assert 0 < redis.ttl(f"rq:job:{job_id}") <= 3_600
        for field in ("created_at", "status", "origin", "worker_name"):
            plant(redis, call(TASKS + "drain", 1), **{field: b"x" * 5_000_000})
            town.work()
        plant(redis, call(TASKS + "drain", 1), exc_info=b"x" * 50_000_000)
    assert "job_unreadable" in caplog.text
    works_still(town)


STRANGE: dict[str, Callable[[Redis, str], Any]] = {
    "a text": lambda redis, key: redis.set(key, b"\xff\x00"),
    "a list": lambda redis, key: redis.rpush(key, b"\xff", b"{"),
    "a set": lambda redis, key: redis.sadd(key, b"\xff"),
    "a hash": lambda redis, key: redis.hset(key, b"\xff", b"\xff"),
    "a sorted set": lambda redis, key: redis.zadd(key, {b"\xff": 1.0, b"a:b:c": 2.0}),
}
SHARED = (
    *(f"rq:queue:{QUEUE}{end}" for end in ("", ":intermediate")),
    *(
        f"rq:{each}:{QUEUE}"
        for each in ("wip", "finished", "failed", "deferred", "scheduled", "canceled", "ready",
                     "workers", "clean_registries")
    ),
    "rq:queues", "rq:workers", "rq:groups", "rq:suspended", "keeping:ring:1",
)  # fmt: skip


@pytest.mark.field_case("B8")
def test_a_key_of_another_type_is_set_aside_and_the_worker_goes_on(
    working_town: Town, redis_url: str
) -> None:
    """Each key gets two of the five types, in turn, and all keys one of them at the end."""
    town = working_town
    town.work()
    writers = itertools.cycle(STRANGE.values())
    with Redis.from_url(redis_url) as redis:

        def spoil(key: str) -> None:
            redis.delete(key)
            next(writers)(redis, key)

        for key in SHARED:
            for _ in range(2):
                redis.delete(f"rq:clean_registries:{QUEUE}")
                spoil(key)
                town.work()  # sets aside what the bell cannot ring through
            works_still(town)
        for key in SHARED:
            spoil(key)
        town.work()
        works_still(town)
        redis.delete("rq:suspended")
        asides = list(redis.scan_iter(f"{QUEUE}:aside:*"))
        assert len(asides) > 10
        assert all(0 < redis.ttl(aside) <= 86_400 for aside in asides)


@pytest.mark.field_case("B8")
def test_keys_of_a_running_worker_and_of_a_job_may_be_anything(
    working_town: Town, redis_url: str
) -> None:
    town = working_town
    town.work()
    row = town.current("acme")
    assert row is not None
    with Redis.from_url(redis_url) as redis:
        for write in STRANGE.values():
            with town.house.app.app_context():
                worker = make_worker(town.house.app, town.state)
                worker.bootstrap("CRITICAL")
                for key in (worker.key, f"{worker.key}:executions"):
                    redis.delete(key)
                    write(redis, key)
                job_id = plant(redis, call(TASKS + "drain", row.id))
                for kind in ("executions", "results"):
                    write(redis, f"rq:{kind}:{job_id}")
                write(redis, f"rq:job:{plant(redis, b'[]')}x")
                found = worker.dequeue_job_and_maintain_ttl(None)
                while found is not None:
                    worker.execute_job(*found)
                    worker.heartbeat()
                    found = worker.dequeue_job_and_maintain_ttl(None)
                worker.teardown()
            assert redis.llen(f"rq:queue:{QUEUE}") == 0
            assert redis.llen(f"rq:queue:{QUEUE}:intermediate") == 0
    works_still(town)


@pytest.mark.field_case("B8")
def test_a_queue_of_countless_entries_is_set_aside(working_town: Town, redis_url: str) -> None:
    town = working_town
    town.work()
    junk = [f"junk-{number}" for number in range(20_000)]
    with Redis.from_url(redis_url) as redis:
        redis.rpush(f"rq:queue:{QUEUE}", *junk)
        redis.rpush(f"rq:queue:{QUEUE}:intermediate", *junk)
        town.work()
        assert redis.llen(f"rq:queue:{QUEUE}") == 0
        assert redis.llen(f"{QUEUE}:aside:rq:queue:{QUEUE}") == 20_000
    works_still(town)
