"""Since when an entry is refused for something that passes; Salesforce's words for a pause"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "keeping_sync_entry", sa.Column("refused_since", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("keeping_connection", sa.Column("pause_words", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("keeping_connection", "pause_words")
    op.drop_column("keeping_sync_entry", "refused_since")
