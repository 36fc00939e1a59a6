"""What an entry's reason does not tell"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keeping_sync_entry", sa.Column("note", sa.String(length=32), nullable=True))


def downgrade() -> None:
    op.drop_column("keeping_sync_entry", "note")
