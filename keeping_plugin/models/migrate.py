"""Our migrations: own Alembic environment, own version table, own tables and no others.

Alembic is imported where it is used: a web process migrates nothing, and is spared its start-up
time and memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

if TYPE_CHECKING:
    from alembic.config import Config

PREFIX = "keeping_"
VERSION_TABLE = "keeping_alembic_version"


def is_ours(table: str | None) -> bool:
    """Whether a table belongs to the plugin."""
    return table is not None and table.startswith(PREFIX)


def host_include_name(name: str | None, type_: str, parent_names: Mapping[str, str | None]) -> bool:
    """For a host that autogenerates: `Migrate(app, db, include_name=host_include_name)`.

    Without it the host's next migration proposes to drop our tables.
    """
    return type_ != "table" or not is_ours(name)


def alembic_config(connection: Connection | None = None) -> Config:
    """An Alembic configuration for our migrations, wherever the package is installed."""
    from alembic.config import Config

    config = Config()
    # str(files(...)): Alembic's own package:folder form fails in an editable install of this tree.
    config.set_main_option("script_location", str(files("keeping_plugin.migrations")))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring our tables to a revision. Safe to run again."""
    from alembic import command

    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take our tables back to a revision ("base" removes them)."""
    from alembic import command

    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), revision)


def current(engine: Engine) -> str | None:
    """The revision at which our tables stand; None when there are none."""
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return context.get_current_revision()


def head() -> str | None:
    """The newest revision that this package brings."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(alembic_config()).get_current_head()
