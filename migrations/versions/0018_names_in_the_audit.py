"""The audit trail keeps the name of who did it, and is looked through by person and by record"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "keeping_audit",
        sa.Column("agent_name", sa.String(255), nullable=False, server_default=sa.text("''")),
    )
    for name, column in (("agent", "agent_id"), ("record", "record_id")):
        op.create_index(
            f"ix_keeping_audit_{name}",
            "keeping_audit",
            ["company_id", column, "at"],
            sqlite_where=sa.text(f"{column} <> ''"),
            postgresql_where=sa.text(f"{column} <> ''"),
        )


def downgrade() -> None:
    for name in ("agent", "record"):
        op.drop_index(f"ix_keeping_audit_{name}", "keeping_audit")
    with op.batch_alter_table("keeping_audit") as table:
        table.drop_column("agent_name")
