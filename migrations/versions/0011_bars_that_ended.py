"""When a connection was barred, of bars that have ended"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keeping_connection", sa.Column("barred_before", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("keeping_connection", "barred_before")
