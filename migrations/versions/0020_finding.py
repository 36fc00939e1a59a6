"""Admins let agents search Salesforce, and see who chose which record for an address"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keeping_finding_policy",
        sa.Column("company_id", sa.String(255), primary_key=True),
        sa.Column("search", sa.Boolean(), nullable=False),
    )
    op.add_column(
        "keeping_pick",
        sa.Column("picked_name", sa.String(255), nullable=False, server_default=sa.text("''")),
    )


def downgrade() -> None:
    with op.batch_alter_table("keeping_pick") as table:
        table.drop_column("picked_name")
    op.drop_table("keeping_finding_policy")
