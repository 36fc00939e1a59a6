"""Admins name the fields into which agents add an address"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keeping_finding_policy", sa.Column("add_to", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("keeping_finding_policy") as table:
        table.drop_column("add_to")
