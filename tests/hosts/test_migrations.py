"""Two sets of migrations in one database, neither touching the other's tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from keeping_plugin.models.migrate import alembic_config, downgrade, head, upgrade
from tests.hosts.command import flask_command
from tests.servers.forking import CONTEXT

Flask = Callable[..., str]
WITHOUT_OUR_FILTER = """
from flask_migrate import Migrate
from tests.hosts.houses import furnished_from_environment

def create_app():
    app = furnished_from_environment()
    Migrate(app, app.extensions["sqlalchemy"])
    return app
"""


@pytest.fixture
def flask(database_url: str, tmp_path: Path) -> Flask:
    """Runs `flask` for the furnished host, in a folder that will hold its migrations."""

    def run(*arguments: str, app: str = "tests.hosts.houses:furnished_from_environment") -> str:
        told, complained = tmp_path / "stdout", tmp_path / "stderr"
        environment = {"HOUSE_DATABASE_URL": database_url}
        words = ["--app", app, *arguments]
        process = CONTEXT.Process(
            target=flask_command, args=(words, tmp_path, environment, told, complained)
        )
        process.start()
        process.join()
        assert process.exitcode == 0, told.read_text() + complained.read_text()
        return told.read_text()

    return run


def tables(database_url: str) -> set[str]:
    engine = sa.create_engine(database_url)
    names = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    return names


def only_revision(folder: Path) -> str:
    (revision,) = (folder / "migrations" / "versions").glob("*.py")
    return revision.read_text()


def test_the_host_and_we_migrate_side_by_side(
    flask: Flask, database_url: str, tmp_path: Path
) -> None:
    """Each command makes its own tables and keeps its own version; the host's autogenerate
    proposes nothing of ours."""
    flask("keeping", "db", "upgrade")
    ours = tables(database_url)
    assert "keeping_connection" in ours
    assert "alembic_version" not in ours

    flask("db", "init")
    flask("db", "migrate")
    revision = only_revision(tmp_path)
    assert "create_table('host_message'" in revision
    assert "keeping_" not in revision
    flask("db", "upgrade")
    assert tables(database_url) - ours == {"host_message", "alembic_version"}

    flask("db", "downgrade", "base")
    assert tables(database_url) >= ours
    assert flask("keeping", "db", "current").strip() == head()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_our_filter_it_would_drop_our_tables(
    flask: Flask, database_url: str, tmp_path: Path
) -> None:
    """Which is why the guide asks for it, and why the test above can fail."""
    (tmp_path / "unfiltered.py").write_text(WITHOUT_OUR_FILTER)
    flask("keeping", "db", "upgrade")
    flask("db", "init", app="unfiltered")
    flask("db", "migrate", app="unfiltered")
    assert "drop_table('keeping_connection')" in only_revision(tmp_path)


def test_our_autogenerate_proposes_nothing_of_theirs(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE host_message (id VARCHAR(255) PRIMARY KEY)"))
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES ('theirs')"))
    upgrade(engine)
    with engine.begin() as connection:
        command.check(alembic_config(connection))
    downgrade(engine, "base")
    with engine.connect() as connection:
        version = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    engine.dispose()
    assert version == "theirs"
    assert tables(database_url) >= {"host_message", "alembic_version"}
