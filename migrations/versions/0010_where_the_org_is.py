"""The API version agreed on with the org, and when its address was last asked for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keeping_connection", sa.Column("api_version", sa.String(8), nullable=True))
    op.add_column(
        "keeping_connection",
        sa.Column("address_asked_at", sa.DateTime(timezone=True), nullable=True),
    )


def downgrade() -> None:
    op.drop_column("keeping_connection", "address_asked_at")
    op.drop_column("keeping_connection", "api_version")
