"""What the org says of itself: the connecting user's time zone"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keeping_connection", sa.Column("timezone", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("keeping_connection", "timezone")
