"""How added people are made: with which Account, whose, and with which values"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Whoever set a mailbox up before there was a choice keeps what they have: no Account. Their admins
# are offered the rule; nothing changes behind their backs.
_AS_BEFORE = json.dumps({"by_colleagues": False, "by_website": False}, separators=(",", ":"))


def upgrade() -> None:
    people = op.create_table(
        "keeping_people_policy",
        sa.Column("company_id", sa.String(255), nullable=False),
        sa.Column("mailbox_id", sa.String(255), nullable=False),
        sa.Column("choices", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "mailbox_id", name="pk_keeping_people_policy"),
    )
    mailboxes = sa.table("keeping_mailbox_policy", sa.column("company_id"), sa.column("mailbox_id"))
    op.execute(
        people.insert().from_select(
            ["company_id", "mailbox_id", "choices"],
            sa.select(mailboxes.c.company_id, mailboxes.c.mailbox_id, sa.literal(_AS_BEFORE)),
        )
    )


def downgrade() -> None:
    op.drop_table("keeping_people_policy")
