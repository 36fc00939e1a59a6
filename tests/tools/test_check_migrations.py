"""The migrations check notices what it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from keeping_plugin.models.migrate import PREFIX, upgrade
from tools.check_migrations import drift
from tools.sample_rows import ROWS, fill


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("ALTER TABLE keeping_pick ADD COLUMN odd INTEGER", "remove_column"),
        ("DROP TABLE keeping_pick", "add_table"),
        ("CREATE TABLE keeping_odd (id INTEGER)", "remove_table"),
        (
            (
                "DROP INDEX ix_keeping_sync_entry_due;"
                "CREATE INDEX ix_keeping_sync_entry_due ON keeping_sync_entry"
                " (connection_id, lane, due_at)"
            ),
            "index ix_keeping_sync_entry_due: migrated CREATE INDEX",
        ),
    ],
)
def test_a_database_that_differs_from_the_models_is_noticed(
    sqlite_url: str, tmp_path: Path, change: str, complaint: str
) -> None:
    migrated = sa.create_engine(sqlite_url)
    upgrade(migrated)
    with migrated.begin() as connection:
        for statement in change.split(";"):
            connection.execute(sa.text(statement))
    found = list(drift(migrated, sa.create_engine(f"sqlite:///{tmp_path / 'modelled.db'}")))
    assert any(complaint in sentence for sentence in found), found


def test_sample_rows_fill_every_table_of_ours_and_no_other(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE message (id INTEGER)"))
        rows = fill(connection, prefix=PREFIX)
        assert connection.scalar(sa.text("SELECT count(*) FROM message")) == 0
    engine.dispose()
    for filled_by_migrating in ("keeping_installation", "keeping_alembic_version"):
        assert rows.pop(filled_by_migrating) == 1
    assert len(rows) >= 15
    assert set(rows.values()) == {ROWS}
