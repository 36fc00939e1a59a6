"""Admins choose which address fields find a person, besides Email"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keeping_finding_policy", sa.Column("found_by", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("keeping_finding_policy") as table:
        table.drop_column("found_by")
