"""The key field that a mark's send carried"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keeping_sync_entry", sa.Column("sent_key_field", sa.String(80), nullable=True))
    op.add_column(
        "keeping_sync_entry", sa.Column("sent_key_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    # SQLite drops columns by itself since 3.35; the table and its partial indexes stay.
    op.drop_column("keeping_sync_entry", "sent_key_at")
    op.drop_column("keeping_sync_entry", "sent_key_field")
