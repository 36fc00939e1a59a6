"""Refusals of the audit trail are counted: one row per agent, route and minute"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COUNTED = sa.text("counted_in IS NOT NULL")
_INDEX = "uq_keeping_audit_counted"


def upgrade() -> None:
    op.add_column(
        "keeping_audit", sa.Column("times", sa.Integer(), nullable=False, server_default="1")
    )
    # Empty in rows of 0.1.0, which writes one for each refusal.
    op.add_column("keeping_audit", sa.Column("counted_in", sa.String(16), nullable=True))
    op.create_index(
        _INDEX,
        "keeping_audit",
        ["company_id", "agent_id", "detail", "counted_in"],
        unique=True,
        sqlite_where=_COUNTED,
        postgresql_where=_COUNTED,
    )


def downgrade() -> None:
    op.drop_index(_INDEX, table_name="keeping_audit")
    op.drop_column("keeping_audit", "counted_in")
    op.drop_column("keeping_audit", "times")
