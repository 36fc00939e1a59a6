"""A connection that Salesforce refuses for a while, and when its login was last renewed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLE = "keeping_connection"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("barred_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column(TABLE, sa.Column("barred_reason", sa.String(length=32), nullable=True))
    op.add_column(TABLE, sa.Column("barred_words", sa.String(length=255), nullable=True))
    op.add_column(TABLE, sa.Column("barred_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(TABLE, sa.Column("barred_probes", sa.Integer(), nullable=True))
    op.add_column(TABLE, sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(TABLE, sa.Column("renew_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column(TABLE, "renew_at")
    op.drop_column(TABLE, "refreshed_at")
    op.drop_column(TABLE, "barred_probes")
    op.drop_column(TABLE, "barred_until")
    op.drop_column(TABLE, "barred_words")
    op.drop_column(TABLE, "barred_reason")
    op.drop_column(TABLE, "barred_since")
