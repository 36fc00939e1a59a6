"""Whose added records become: agents and the users that they are, and owners that were refused"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keeping_agent_user",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("user_id", sa.String(18)),
        sa.Column("user_name", sa.String(255), nullable=False),
        sa.Column("found", sa.String(16), nullable=False),
        sa.Column("candidates", sa.Text()),
        sa.Column("set_by", sa.String(255), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True)),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name="fk_keeping_agent_user_connection_id",
        ),
        sa.PrimaryKeyConstraint("connection_id", "agent_id", name="pk_keeping_agent_user"),
    )
    op.create_table(
        "keeping_refused_owner",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.String(18), nullable=False),
        sa.Column("object", sa.String(80), nullable=False),
        sa.Column("code", sa.String(128), nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name="fk_keeping_refused_owner_connection_id",
        ),
        sa.PrimaryKeyConstraint(
            "connection_id", "owner_id", "object", name="pk_keeping_refused_owner"
        ),
    )


def downgrade() -> None:
    op.drop_table("keeping_refused_owner")
    op.drop_table("keeping_agent_user")
