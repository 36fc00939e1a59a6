"""The Accounts that admins had set on Contacts without one"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keeping_repair",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.String(18), nullable=False),
        sa.Column("account_id", sa.String(18), nullable=False),
        sa.Column("agent_id", sa.String(255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("detail", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["keeping_connection.id"], name="fk_keeping_repair_connection_id"
        ),
        sa.PrimaryKeyConstraint("connection_id", "contact_id", name="pk_keeping_repair"),
    )
    op.create_index("ix_keeping_repair_state", "keeping_repair", ["connection_id", "state", "at"])


def downgrade() -> None:
    op.drop_table("keeping_repair")
