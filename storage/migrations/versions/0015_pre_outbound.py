"""Outbound messages and e-mail, synchronisations, reports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015_pre_outbound"
down_revision = "0014_pre_loyalty"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "OutboundJob",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customerId", sa.BigInteger(), nullable=True),
        sa.Column("to", sa.Text(), nullable=False, comment="The telephone number, E.164."),
        sa.Column(
            "kind",
            sa.Text(),
            server_default="text",
            nullable=False,
            comment="`text` goes out as it is, `template` as payload.template says; "
            "`reply` answers payload.inbound.",
        ),
        sa.Column(
            "marketing",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Whether it needs consent to promotions too.",
        ),
        sa.Column("payload", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("maxAttempts", sa.Integer(), server_default=sa.text("5"), nullable=False),
        sa.Column(
            "runAt",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Not before.",
        ),
        sa.Column(
            "idempotencyKey",
            sa.Text(),
            server_default=sa.text("(gen_random_uuid())::text"),
            nullable=False,
            comment="What the provider knows the message by: it is sent once, however often it is tried.",
        ),
        sa.Column("requestId", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("providerMessageId", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("createdAt", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("startedAt", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completedAt", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('text', 'template', 'reply')", name=op.f("OutboundJob_kind_check")),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'done', 'failed', 'uncertain')",
            name=op.f("OutboundJob_status_check"),
        ),
        sa.CheckConstraint('attempts >= 0 AND "maxAttempts" >= 1', name=op.f("OutboundJob_attempts_check")),
        sa.ForeignKeyConstraint(
            ["customerId"],
            ["business.customers.id"],
            name=op.f("OutboundJob_customerId_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("OutboundJob_pkey")),
        sa.UniqueConstraint("idempotencyKey", name=op.f("OutboundJob_idempotencyKey_key")),
        sa.UniqueConstraint("providerMessageId", name=op.f("OutboundJob_providerMessageId_key")),
        schema="business",
        comment="One row per message that is to go out, or has gone out.",
    )
    op.create_index(
        "OutboundJob_customerId_idx", "OutboundJob", ["customerId"], unique=False, schema="business"
    )
    op.create_index(
        "OutboundJob_queued_idx",
        "OutboundJob",
        ["runAt", "id"],
        unique=False,
        schema="business",
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "OutboundJob_replies_idx",
        "OutboundJob",
        ["runAt", "id"],
        unique=False,
        schema="business",
        postgresql_where=sa.text("status = 'queued' AND kind = 'reply'"),
    )
    op.create_index(
        "OutboundJob_running_idx",
        "OutboundJob",
        ["startedAt"],
        unique=False,
        schema="business",
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index(
        "OutboundJob_status_completedAt_idx",
        "OutboundJob",
        ["status", "completedAt"],
        unique=False,
        schema="business",
    )
    op.create_table(
        "email_queue",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("to_address", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", sa.Integer(), server_default=sa.text("5"), nullable=False),
        sa.Column(
            "run_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Not before.",
        ),
        sa.Column(
            "message_id",
            sa.Text(),
            server_default=sa.text("(('<'::text || (gen_random_uuid())::text) || '@callboard>'::text)"),
            nullable=False,
            comment="The header of that name, the same in every attempt.",
        ),
        sa.Column("dedupe_key", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "claimed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Since when a run has been at it; NULL: none is.",
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('pending', 'sent', 'failed')", name=op.f("email_queue_status_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("email_queue_pkey")),
        sa.UniqueConstraint("dedupe_key", name=op.f("email_queue_dedupe_key_key")),
        sa.UniqueConstraint("message_id", name=op.f("email_queue_message_id_key")),
        schema="business",
        comment="One row per e-mail that is to go out, or has gone out.",
    )
    op.create_index(
        "email_queue_pending_idx",
        "email_queue",
        ["run_at", "id"],
        unique=False,
        schema="business",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "item_failures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job_name", sa.String(length=100), nullable=False),
        sa.Column("item", sa.Text(), nullable=False, comment="What could not be dealt with: `offers:17`."),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True, comment="The latest run that has met it."),
        sa.Column("first_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "resolved_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When a later run has dealt with it.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("item_failures_pkey")),
        sa.UniqueConstraint("job_name", "item", name=op.f("item_failures_job_name_item_key")),
        schema="business",
        comment="One row per item that a job has passed over because of an error.",
    )
    op.create_table(
        "sync_cursors",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False, comment="Where the next synchronisation goes on."),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("sync_cursors_pkey")),
        schema="business",
        comment="One row per synchronisation: how far it has come.",
    )
    op.create_table(
        "external_records",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, comment="There."),
        sa.Column("synced_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("external_records_pkey")),
        sa.UniqueConstraint("external_id", name=op.f("external_records_external_id_key")),
        schema="business",
        comment="One row per record of the external service, as it was when last synchronised.",
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False, comment="YYYY-MM-DD."),
        sa.Column("scope", sa.Text(), server_default="all", nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("reports_pkey")),
        sa.UniqueConstraint("kind", "day", "scope", name=op.f("reports_kind_day_scope_key")),
        schema="business",
        comment="One row per report of a day.",
    )
