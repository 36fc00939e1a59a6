"""How often the host failed at a page of a backfill, and how many messages it could not give"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keeping_backfill_run", sa.Column("failures", sa.Integer(), nullable=True))
    op.add_column("keeping_backfill_run", sa.Column("unread", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("keeping_backfill_run", "unread")
    op.drop_column("keeping_backfill_run", "failures")
