"""Whether processes of 0.1.0 may still run beside us"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "keeping_installation",
        sa.Column("contract", sa.Integer(), nullable=False, server_default="0"),
    )
    # Where no company was ever connected, nothing of 0.1.0 is at work.
    op.execute(
        "UPDATE keeping_installation SET contract = 1"
        " WHERE NOT EXISTS (SELECT 1 FROM keeping_connection)"
    )


def downgrade() -> None:
    op.drop_column("keeping_installation", "contract")
