"""Large undos are filled in by chunks, from indexes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_MADE = sa.text("state = 'done' AND reason IN ('created', 'logged')")
_OPEN = sa.text("state IN ('chosen', 'sent')")


def upgrade() -> None:
    op.add_column(
        "keeping_undo_run",
        sa.Column("filled_to", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
    )
    op.create_index(
        "ix_keeping_undo_item_state",
        "keeping_undo_item",
        ["run_id", "state", "object", "entry_id"],
    )
    op.drop_index("ix_keeping_undo_item_open", table_name="keeping_undo_item")
    op.create_index(
        "ix_keeping_sync_entry_made",
        "keeping_sync_entry",
        ["connection_id", "id", "address", "run_id", "settled_at", "state", "reason"],
        sqlite_where=_MADE,
        postgresql_where=_MADE,
    )


def downgrade() -> None:
    op.drop_index("ix_keeping_sync_entry_made", table_name="keeping_sync_entry")
    op.create_index(
        "ix_keeping_undo_item_open",
        "keeping_undo_item",
        ["run_id", "entry_id"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.drop_index("ix_keeping_undo_item_state", table_name="keeping_undo_item")
    with op.batch_alter_table("keeping_undo_run") as table:
        table.drop_column("filled_to")
