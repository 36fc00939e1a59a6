"""People held for review, and mail that came to several mailboxes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ENTRY = "keeping_sync_entry"
_OWED = "state IN ('pending', 'sending', 'waiting')"
_DUE = ("ix_keeping_sync_entry_due", ["connection_id", "lane", "due_at"])
_NEW = (
    (
        "ix_keeping_sync_entry_held",
        ["connection_id", "epoch"],
        "state = 'pending' AND due_at IS NULL",
    ),
    (
        "ix_keeping_sync_entry_added",
        ["connection_id", "settled_at"],
        "state = 'done' AND reason = 'created'",
    ),
    (
        "ix_keeping_sync_entry_fingerprint",
        ["connection_id", "fingerprint"],
        "fingerprint IS NOT NULL",
    ),
)


def _create(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, _ENTRY, columns, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    op.add_column(_ENTRY, sa.Column("released_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(_ENTRY, sa.Column("fingerprint", sa.String(64), nullable=True))
    op.add_column(
        "keeping_connection", sa.Column("braked_at", sa.DateTime(timezone=True), nullable=True)
    )
    # Held entries have no due time: without them in it, a million of them cost the drain nothing.
    op.drop_index(_DUE[0], _ENTRY)
    _create(*_DUE, f"{_OWED} AND due_at IS NOT NULL")
    for index in _NEW:
        _create(*index)


def downgrade() -> None:
    for name, _, _ in _NEW:
        op.drop_index(name, _ENTRY)
    op.drop_index(_DUE[0], _ENTRY)
    _create(*_DUE, _OWED)
    op.drop_column("keeping_connection", "braked_at")
    op.drop_column(_ENTRY, "fingerprint")
    op.drop_column(_ENTRY, "released_at")
