"""Agents create records from a conversation"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keeping_create_policy",
        sa.Column("company_id", sa.String(255), nullable=False),
        sa.Column("object", sa.String(80), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("assigned", sa.Boolean(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "object", name="pk_keeping_create_policy"),
    )
    op.create_table(
        "keeping_made_record",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.String(32), nullable=False),
        sa.Column("conversation_id", sa.String(255), nullable=False),
        sa.Column("object", sa.String(80), nullable=False),
        sa.Column("person_id", sa.String(18), nullable=False),
        sa.Column("made_by", sa.String(255), nullable=False),
        sa.Column("sent_as", sa.String(18), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record_id", sa.String(18), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name="fk_keeping_made_record_connection_id",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_keeping_made_record"),
    )
    op.create_index(
        "uq_keeping_made_record_attempt",
        "keeping_made_record",
        ["connection_id", "attempt"],
        unique=True,
    )
    op.create_index(
        "ix_keeping_made_record_conversation",
        "keeping_made_record",
        ["connection_id", "conversation_id"],
    )
    op.create_index("ix_keeping_made_record_sent_at", "keeping_made_record", ["sent_at"])


def downgrade() -> None:
    op.drop_table("keeping_made_record")
    op.drop_table("keeping_create_policy")
