"""Records that are deleted again: the runs, what each chose, and whom nobody is to add again"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('chosen', 'sent')")
_RECORD = sa.text("record_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "keeping_undo_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.String(255), nullable=False),
        sa.Column("chosen_by", sa.String(16), nullable=False),
        sa.Column("value", sa.String(255), nullable=False),
        sa.Column("started_by", sa.String(255), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("claim", sa.String(64), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("batch_size", sa.SmallInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name="fk_keeping_undo_run_connection_id",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_keeping_undo_run"),
    )
    op.create_index("ix_keeping_undo_run_due_at", "keeping_undo_run", ["due_at"])
    op.create_index("ix_keeping_undo_run_company", "keeping_undo_run", ["company_id", "started_at"])
    op.create_table(
        "keeping_undo_item",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("object", sa.String(80), nullable=False),
        sa.Column("record_id", sa.String(18), nullable=True),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("detail", sa.String(255), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["keeping_undo_run.id"], name="fk_keeping_undo_item_run_id"
        ),
        sa.PrimaryKeyConstraint("run_id", "entry_id", name="pk_keeping_undo_item"),
    )
    op.create_index(
        "ix_keeping_undo_item_open",
        "keeping_undo_item",
        ["run_id", "entry_id"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_table(
        "keeping_undone_address",
        sa.Column("company_id", sa.String(255), nullable=False),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "address", name="pk_keeping_undone_address"),
    )
    op.create_index(
        "ix_keeping_sync_entry_record",
        "keeping_sync_entry",
        ["connection_id", "record_id"],
        sqlite_where=_RECORD,
        postgresql_where=_RECORD,
    )


def downgrade() -> None:
    op.drop_index("ix_keeping_sync_entry_record", table_name="keeping_sync_entry")
    op.drop_table("keeping_undone_address")
    op.drop_table("keeping_undo_item")
    op.drop_table("keeping_undo_run")
