"""Our migrations, up and down, on SQLite and PostgreSQL. `python -m tools.check_migrations`

On an empty and on a filled database: every revision goes up and down, no row of a table that stays
is lost, a host's own table and version are left alone, and at the head nothing differs from the
models, the conditions of partial indexes included.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from keeping_plugin.models import Base
from keeping_plugin.models.migrate import (
    PREFIX,
    VERSION_TABLE,
    alembic_config,
    downgrade,
    is_ours,
    upgrade,
)
from tests.servers.postgres import create_database, drop_database, find_postgres
from tools.sample_rows import fill
from tools.verdict import conclude

MakeEngine = Callable[[str], sa.Engine]
_INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
}


def revisions() -> list[str]:
    """Oldest first."""
    script = ScriptDirectory.from_config(alembic_config())
    return [revision.revision for revision in script.walk_revisions()][::-1]


def complaints(make_engine: MakeEngine) -> Iterator[str]:
    """What is wrong on the database that `make_engine(name)` makes, empty, each time."""
    steps = revisions()
    if not steps:
        yield "there is no revision"
        return
    yield from _up_and_down_empty(make_engine("empty"))
    yield from _up_and_down_filled(make_engine("filled"), steps)
    migrated, modelled = make_engine("migrated"), make_engine("modelled")
    upgrade(migrated)
    yield from drift(migrated, modelled)


def _up_and_down_empty(engine: sa.Engine) -> Iterator[str]:
    for _ in range(2):
        upgrade(engine)
        downgrade(engine, "base")
        yield from _left_behind(engine)
    engine.dispose()


def drift(migrated: sa.Engine, modelled: sa.Engine) -> Iterator[str]:
    """How a migrated database differs from the models, which are made in the empty `modelled`."""
    Base.metadata.create_all(modelled)
    with migrated.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": VERSION_TABLE,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        for difference in compare_metadata(context, Base.metadata):
            yield f"the models and the migrated tables differ: {difference}"
    ours, theirs = (_index_definitions(engine) for engine in (migrated, modelled))
    for name in sorted(ours.keys() | theirs.keys()):
        if name != f"{VERSION_TABLE}_pkc" and ours.get(name) != theirs.get(name):
            yield f"index {name}: migrated {ours.get(name)}, by the models {theirs.get(name)}"
    migrated.dispose()
    modelled.dispose()


def _up_and_down_filled(engine: sa.Engine, steps: list[str]) -> Iterator[str]:
    with engine.begin() as connection:
        for table in ("message", "alembic_version"):
            connection.execute(sa.text(f"CREATE TABLE {table} (value VARCHAR(32))"))
            connection.execute(sa.text(f"INSERT INTO {table} VALUES ('the host''s')"))  # noqa: S608
    rows: dict[str, int] = {}
    for step in steps:
        upgrade(engine, step)
        yield from _lost(engine, rows, f"upgrading to {step}")
        with engine.begin() as connection:
            rows = fill(connection, prefix=PREFIX)
    for step in [*steps[-2::-1], "base"]:
        downgrade(engine, step)
        yield from _lost(engine, rows, f"downgrading to {step}")
    yield from _left_behind(engine)
    upgrade(engine)
    with engine.connect() as connection:
        for table in ("message", "alembic_version"):
            kept = connection.scalars(sa.text(f"SELECT value FROM {table}")).all()  # noqa: S608
            if kept != ["the host's"]:
                yield f"the host's table {table} now holds {kept}"
    engine.dispose()


def _lost(engine: sa.Engine, before: dict[str, int], when: str) -> Iterator[str]:
    with engine.connect() as connection:
        for table in sa.inspect(connection).get_table_names():
            if table not in before or table == VERSION_TABLE:
                continue
            count = connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table)))
            if count != before[table]:
                yield f"{when} left {count} of {before[table]} rows in {table}"


def _left_behind(engine: sa.Engine) -> Iterator[str]:
    for table in sa.inspect(engine).get_table_names():
        if is_ours(table) and table != VERSION_TABLE:
            yield f"downgrading to base left {table} behind"


def _index_definitions(engine: sa.Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.execute(sa.text(_INDEXES[engine.dialect.name])).all()
    return {name: " ".join(definition.split()) for name, definition in rows}


def main() -> int:
    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        found += complaints(lambda name: sa.create_engine(f"sqlite:///{Path(folder) / name}.db"))
    checked = "SQLite"
    make_server = find_postgres()
    if make_server is not None:
        with make_server() as server, contextlib.ExitStack() as after:

            def make_engine(name: str) -> sa.Engine:
                name = f"keeping_check_{os.getpid()}_{name}"
                after.callback(drop_database, server.url, name)
                return sa.create_engine(create_database(server.url, name))

            found += complaints(make_engine)
        checked += " and PostgreSQL"
    elif os.environ.get("CI"):
        found.append("no PostgreSQL here, and CI checks both databases")
    else:
        checked += " only: no PostgreSQL here"
    return conclude(
        f"migrations: {len(revisions())} up and down, no drift, on {checked}",
        [f"migrations: {complaint}" for complaint in found],
    )


if __name__ == "__main__":
    sys.exit(main())
