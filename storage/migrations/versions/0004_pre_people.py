"""Users, sessions, tokens, the audit log; uptime checks and alerts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004_pre_people"
down_revision = "0003_pre_runs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('viewer', 'operator', 'admin')", name=op.f("users_role_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("users_pkey")),
        sa.UniqueConstraint("name", name=op.f("users_name_key")),
        schema="callboard",
        comment="One row per person who may log in.",
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["callboard.users.id"], name=op.f("sessions_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("sessions_pkey")),
        sa.UniqueConstraint("token_sha256", name=op.f("sessions_token_sha256_key")),
        schema="callboard",
        comment="One row per login.",
    )
    op.create_index(
        op.f("sessions_expires_at_idx"), "sessions", ["expires_at"], unique=False, schema="callboard"
    )
    op.create_index(op.f("sessions_user_id_idx"), "sessions", ["user_id"], unique=False, schema="callboard")
    op.create_table(
        "tokens",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('viewer', 'operator', 'admin')", name=op.f("tokens_role_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("tokens_pkey")),
        sa.UniqueConstraint("name", name=op.f("tokens_name_key")),
        sa.UniqueConstraint("token_sha256", name=op.f("tokens_token_sha256_key")),
        schema="callboard",
        comment="One row per API token; only its hash is kept.",
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="done", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("origin IN ('api', 'panel', 'cli', 'sql')", name=op.f("audit_origin_check")),
        sa.CheckConstraint("outcome IN ('done', 'refused')", name=op.f("audit_outcome_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_pkey")),
        schema="callboard",
        comment="One row per action that changed something, or that was refused.",
    )
    op.create_index("audit_at_idx", "audit", [sa.literal_column("at DESC")], unique=False, schema="callboard")
    op.create_index(
        "audit_target_at_idx",
        "audit",
        ["target", sa.literal_column("at DESC")],
        unique=False,
        schema="callboard",
    )
    op.create_table(
        "uptime_checks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column(
            "checks",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "status IN ('healthy', 'degraded', 'down')", name=op.f("uptime_checks_status_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("uptime_checks_pkey")),
        schema="callboard",
        comment="One row per health check: the uptime log.",
    )
    op.create_index(
        "uptime_checks_checked_at_idx",
        "uptime_checks",
        [sa.literal_column("checked_at DESC")],
        unique=False,
        schema="callboard",
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column(
            "details",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("alerts_pkey")),
        schema="callboard",
        comment="One row per alert, open until resolved_at.",
    )
    op.create_index(
        "alerts_opened_at_idx",
        "alerts",
        [sa.literal_column("opened_at DESC")],
        unique=False,
        schema="callboard",
    )
    op.create_index("alerts_resolved_at_idx", "alerts", ["resolved_at"], unique=False, schema="callboard")
    op.create_index(
        "alerts_open_key",
        "alerts",
        ["kind", "subject"],
        unique=True,
        schema="callboard",
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
