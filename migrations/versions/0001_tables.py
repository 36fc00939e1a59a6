"""The plugin's tables"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keeping_address_claim",
        sa.Column("org_id", sa.String(length=18), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("org_id", "address", name=op.f("pk_keeping_address_claim")),
    )
    op.create_index(
        op.f("ix_keeping_address_claim_until"), "keeping_address_claim", ["until"], unique=False
    )

    op.create_table(
        "keeping_audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("company_id", sa.String(length=255), nullable=False),
        sa.Column("agent_id", sa.String(length=255), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=True),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("record_id", sa.String(length=255), nullable=False),
        sa.Column("fields", sa.Text(), nullable=True),
        sa.Column("detail", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keeping_audit")),
    )
    op.create_index("ix_keeping_audit_company", "keeping_audit", ["company_id", "at"], unique=False)

    op.create_table(
        "keeping_connection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.String(length=255), nullable=False),
        sa.Column("org_id", sa.String(length=18), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("org_name", sa.String(length=255), nullable=False),
        sa.Column("is_sandbox", sa.Boolean(), nullable=False),
        sa.Column("instance_url", sa.String(length=255), nullable=False),
        sa.Column("login_url", sa.String(length=255), nullable=False),
        sa.Column("identity_url", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.String(length=18), nullable=False),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("scope", sa.String(length=255), nullable=False),
        sa.Column("tokens", sa.LargeBinary(), nullable=True),
        sa.Column("token_version", sa.Integer(), nullable=False),
        sa.Column("refresh_owner", sa.String(length=64), nullable=True),
        sa.Column("refresh_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("connected_by", sa.String(length=255), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lost_reason", sa.String(length=255), nullable=False),
        sa.Column("disconnected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disconnected_by", sa.String(length=255), nullable=True),
        sa.Column("api_used", sa.Integer(), nullable=True),
        sa.Column("api_limit", sa.Integer(), nullable=True),
        sa.Column("api_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("server_date", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.String(length=32), nullable=False),
        sa.Column("timeouts", sa.Integer(), nullable=False),
        sa.Column("outages", sa.Integer(), nullable=False),
        sa.Column("task_status", sa.String(length=255), nullable=True),
        sa.Column("activity_key_field", sa.String(length=80), nullable=True),
        sa.Column("preflight", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keeping_connection")),
        sa.UniqueConstraint(
            "company_id", "org_id", name=op.f("uq_keeping_connection_company_id_org_id")
        ),
    )
    op.create_index(
        "uq_keeping_connection_current",
        "keeping_connection",
        ["company_id"],
        unique=True,
        sqlite_where=sa.text("current"),
        postgresql_where=sa.text("current"),
    )

    op.create_table(
        "keeping_field_selection",
        sa.Column("company_id", sa.String(length=255), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "object", name=op.f("pk_keeping_field_selection")),
    )
    op.create_table(
        "keeping_installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("installation_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keeping_installation")),
    )
    op.create_table(
        "keeping_mailbox_policy",
        sa.Column("company_id", sa.String(length=255), nullable=False),
        sa.Column("mailbox_id", sa.String(length=255), nullable=False),
        sa.Column("add_contacts", sa.Boolean(), nullable=False),
        sa.Column("log_tasks", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "mailbox_id", name=op.f("pk_keeping_mailbox_policy")),
    )
    op.create_table(
        "keeping_oauth_attempt",
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("company_id", sa.String(length=255), nullable=False),
        sa.Column("agent_id", sa.String(length=255), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_keeping_oauth_attempt")),
    )
    op.create_index(
        op.f("ix_keeping_oauth_attempt_expires_at"),
        "keeping_oauth_attempt",
        ["expires_at"],
        unique=False,
    )

    op.create_table(
        "keeping_org_lease",
        sa.Column("org_id", sa.String(length=18), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("noted", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_keeping_org_lease")),
    )
    op.create_table(
        "keeping_skipped_domain",
        sa.Column("company_id", sa.String(length=255), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("skip_logging", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "domain", name=op.f("pk_keeping_skipped_domain")),
    )
    op.create_table(
        "keeping_api_use",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("mailbox_id", sa.String(length=255), nullable=False),
        sa.Column("feature", sa.String(length=32), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name=op.f("fk_keeping_api_use_connection_id"),
        ),
        sa.PrimaryKeyConstraint(
            "connection_id", "day", "mailbox_id", "feature", name=op.f("pk_keeping_api_use")
        ),
    )
    op.create_table(
        "keeping_backfill_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.String(length=255), nullable=False),
        sa.Column("mailbox_id", sa.String(length=255), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.String(length=255), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("after_id", sa.String(length=255), nullable=True),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("granted", sa.Integer(), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim", sa.String(length=64), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name=op.f("fk_keeping_backfill_run_connection_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keeping_backfill_run")),
    )
    op.create_index(
        op.f("ix_keeping_backfill_run_connection_id"),
        "keeping_backfill_run",
        ["connection_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_keeping_backfill_run_due_at"), "keeping_backfill_run", ["due_at"], unique=False
    )

    op.create_table(
        "keeping_decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.String(length=255), nullable=False),
        sa.Column("mailbox_id", sa.String(length=255), nullable=False),
        sa.Column("conversation_id", sa.String(length=255), nullable=False),
        sa.Column("message_id", sa.String(length=255), nullable=False),
        sa.Column("occasion", sa.String(length=64), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rules_version", sa.String(length=32), nullable=False),
        sa.Column("verdicts", sa.Text(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name=op.f("fk_keeping_decision_connection_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keeping_decision")),
        sa.UniqueConstraint(
            "company_id",
            "message_id",
            "occasion",
            name=op.f("uq_keeping_decision_company_id_message_id_occasion"),
        ),
    )
    op.create_index(
        "ix_keeping_decision_conversation",
        "keeping_decision",
        ["company_id", "conversation_id"],
        unique=False,
    )
    op.create_index(
        "ix_keeping_decision_kept",
        "keeping_decision",
        ["decided_at"],
        unique=False,
        sqlite_where=sa.text("facts IS NOT NULL"),
        postgresql_where=sa.text("facts IS NOT NULL"),
    )
    op.create_index(
        "ix_keeping_decision_refused",
        "keeping_decision",
        ["company_id", "decided_at"],
        unique=False,
        sqlite_where=sa.text("refused"),
        postgresql_where=sa.text("refused"),
    )

    op.create_table(
        "keeping_known_address",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name=op.f("fk_keeping_known_address_connection_id"),
        ),
        sa.PrimaryKeyConstraint("connection_id", "address", name=op.f("pk_keeping_known_address")),
    )
    op.create_table(
        "keeping_panel_card",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name=op.f("fk_keeping_panel_card_connection_id"),
        ),
        sa.PrimaryKeyConstraint("connection_id", "address", name=op.f("pk_keeping_panel_card")),
    )
    op.create_index(
        "ix_keeping_panel_card_seen_at", "keeping_panel_card", ["seen_at"], unique=False
    )

    op.create_table(
        "keeping_pick",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("record_id", sa.String(length=18), nullable=False),
        sa.Column("picked_by", sa.String(length=255), nullable=False),
        sa.Column("picked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["keeping_connection.id"], name=op.f("fk_keeping_pick_connection_id")
        ),
        sa.PrimaryKeyConstraint("connection_id", "address", name=op.f("pk_keeping_pick")),
    )
    op.create_table(
        "keeping_revocation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("try_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name=op.f("fk_keeping_revocation_connection_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keeping_revocation")),
    )
    op.create_index(
        op.f("ix_keeping_revocation_connection_id"),
        "keeping_revocation",
        ["connection_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_keeping_revocation_due_at"), "keeping_revocation", ["due_at"], unique=False
    )

    op.create_table(
        "keeping_schema",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("last_modified", sa.String(length=64), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changes", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name=op.f("fk_keeping_schema_connection_id"),
        ),
        sa.PrimaryKeyConstraint("connection_id", "object", name=op.f("pk_keeping_schema")),
    )
    op.create_table(
        "keeping_schema_load",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("current_object", sa.String(length=80), nullable=False),
        sa.Column("failed", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name=op.f("fk_keeping_schema_load_connection_id"),
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_keeping_schema_load")),
    )
    op.create_index(
        op.f("ix_keeping_schema_load_due_at"), "keeping_schema_load", ["due_at"], unique=False
    )

    op.create_table(
        "keeping_sync_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.String(length=255), nullable=False),
        sa.Column("mailbox_id", sa.String(length=255), nullable=False),
        sa.Column("conversation_id", sa.String(length=255), nullable=False),
        sa.Column("message_id", sa.String(length=255), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("lane", sa.String(length=16), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("retries", sa.SmallInteger(), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looks", sa.SmallInteger(), nullable=False),
        sa.Column("batch_size", sa.SmallInteger(), nullable=True),
        sa.Column("claim", sa.String(length=64), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_user_id", sa.String(length=18), nullable=True),
        sa.Column("sent_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_epoch", sa.Integer(), nullable=True),
        sa.Column("record_id", sa.String(length=18), nullable=True),
        sa.Column("contact_id", sa.String(length=18), nullable=True),
        sa.Column("candidates", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["keeping_connection.id"],
            name=op.f("fk_keeping_sync_entry_connection_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keeping_sync_entry")),
        sa.UniqueConstraint(
            "connection_id",
            "message_id",
            "action",
            name=op.f("uq_keeping_sync_entry_connection_id_message_id_action"),
        ),
    )
    op.create_index(
        "ix_keeping_sync_entry_activity",
        "keeping_sync_entry",
        ["company_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_keeping_sync_entry_address",
        "keeping_sync_entry",
        ["connection_id", "address"],
        unique=False,
        sqlite_where=sa.text("state IN ('pending', 'sending', 'waiting')"),
        postgresql_where=sa.text("state IN ('pending', 'sending', 'waiting')"),
    )
    op.create_index(
        "ix_keeping_sync_entry_conversation",
        "keeping_sync_entry",
        ["company_id", "conversation_id"],
        unique=False,
    )
    op.create_index(
        "ix_keeping_sync_entry_due",
        "keeping_sync_entry",
        ["connection_id", "lane", "due_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('pending', 'sending', 'waiting')"),
        postgresql_where=sa.text("state IN ('pending', 'sending', 'waiting')"),
    )
    op.create_index(
        "ix_keeping_sync_entry_failed",
        "keeping_sync_entry",
        ["company_id", "created_at"],
        unique=False,
        sqlite_where=sa.text("state = 'failed'"),
        postgresql_where=sa.text("state = 'failed'"),
    )
    op.create_index(
        "ix_keeping_sync_entry_marked",
        "keeping_sync_entry",
        ["connection_id", "sent_at"],
        unique=False,
        sqlite_where=sa.text("sent_at IS NOT NULL"),
        postgresql_where=sa.text("sent_at IS NOT NULL"),
    )
    op.create_index(
        "ix_keeping_sync_entry_settled_at", "keeping_sync_entry", ["settled_at"], unique=False
    )

    # Random, so that the Task markers of two installations on one org never meet.
    installation = sa.table(
        "keeping_installation", sa.column("id", sa.Integer), sa.column("installation_id", sa.String)
    )
    op.bulk_insert(installation, [{"id": 1, "installation_id": secrets.token_hex(16)}])


def downgrade() -> None:
    op.drop_table("keeping_sync_entry")
    op.drop_table("keeping_schema_load")
    op.drop_table("keeping_schema")
    op.drop_table("keeping_revocation")
    op.drop_table("keeping_pick")
    op.drop_table("keeping_panel_card")
    op.drop_table("keeping_known_address")
    op.drop_table("keeping_decision")
    op.drop_table("keeping_backfill_run")
    op.drop_table("keeping_api_use")
    op.drop_table("keeping_skipped_domain")
    op.drop_table("keeping_org_lease")
    op.drop_table("keeping_oauth_attempt")
    op.drop_table("keeping_mailbox_policy")
    op.drop_table("keeping_installation")
    op.drop_table("keeping_field_selection")
    op.drop_table("keeping_connection")
    op.drop_table("keeping_audit")
    op.drop_table("keeping_address_claim")
