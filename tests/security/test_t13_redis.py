"""T13: whoever can write into Redis can ring, and nothing else.

The allow-list stands in keeping_plugin/jobs/job.py. Each hostile job is written straight into
Redis, as somebody with its password would; afterwards a worker does the next real job. `fired` is a
file that exists as soon as anything of theirs has run.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import re
import uuid
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from demo.org.process import OrgProcess
from keeping_plugin.jobs.job import TASKS
from keeping_plugin.models import SchemaLoad
from keeping_plugin.services.schema import describe as schema
from tests.salesforce.wire import Wire, reply, says, serving
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
        assert schema.refresh_soon(town.state.database, row.id)
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
