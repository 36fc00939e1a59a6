"""SQLite as fast as a test needs it, and its tables without running every migration again."""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, create_engine, event

from keeping_plugin.models import migrate


@event.listens_for(Engine, "connect")
def _do_not_wait_for_the_disk(connection: Any, _record: object) -> None:
    """A commit then survives a kill, which tests order, and not a power cut, which they do not."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


def lay_tables(engine: Engine) -> None:
    """Our tables in the database of `engine`: a copy where it is a SQLite file without tables,
    the migrations themselves elsewhere."""
    file = Path(engine.url.database or "")
    if engine.dialect.name == "sqlite" and not (file.exists() and file.stat().st_size):
        engine.dispose()
        put_tables(file)
    else:
        migrate.upgrade(engine)


def put_tables(file: Path) -> None:
    """A SQLite file with our tables in this place, whatever is there now. Connections that are
    still open keep the file that they know."""
    fresh = file.with_name(f"{file.name}.fresh")
    fresh.write_bytes(_migrated())
    fresh.replace(file)
    for suffix in ("-wal", "-shm", "-journal"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


@cache
def _migrated() -> bytes:
    """What the migrations make, run once a process."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "migrated.sqlite3"
        engine = create_engine(f"sqlite:///{file}")
        migrate.upgrade(engine)
        engine.dispose()
        return file.read_bytes()
