"""The Account of a mail domain, as Salesforce told it less than a day ago"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keeping_domain_account",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name="fk_keeping_domain_account_connection_id",
        ),
        sa.PrimaryKeyConstraint("connection_id", "domain", name="pk_keeping_domain_account"),
    )
    op.create_index("ix_keeping_domain_account_told_at", "keeping_domain_account", ["told_at"])


def downgrade() -> None:
    op.drop_index("ix_keeping_domain_account_told_at", table_name="keeping_domain_account")
    op.drop_table("keeping_domain_account")
