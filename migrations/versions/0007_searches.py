"""Searches for records to link to: who asked, and what was found"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keeping_search",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.String(255), nullable=False),
        sa.Column("object", sa.String(80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("found", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name="fk_keeping_search_connection_id",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_keeping_search"),
    )
    op.create_index("ix_keeping_search_at", "keeping_search", ["at"])
    op.create_index(
        "ix_keeping_search_agent", "keeping_search", ["connection_id", "agent_id", "at"]
    )


def downgrade() -> None:
    op.drop_index("ix_keeping_search_agent", table_name="keeping_search")
    op.drop_index("ix_keeping_search_at", table_name="keeping_search")
    op.drop_table("keeping_search")
