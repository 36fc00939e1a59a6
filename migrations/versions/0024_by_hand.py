"""Agents log single messages by hand, or keep messages and conversations out of Salesforce"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keeping_kept_out",
        sa.Column("company_id", sa.String(255), primary_key=True),
        sa.Column("conversation_id", sa.String(255), primary_key=True),
        sa.Column("message_id", sa.String(255), primary_key=True),
        sa.Column("agent", sa.String(255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column("keeping_sync_entry", sa.Column("by_agent", sa.String(255), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("keeping_sync_entry") as table:
        table.drop_column("by_agent")
    op.drop_table("keeping_kept_out")
