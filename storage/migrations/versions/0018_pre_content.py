"""Streaming videos, and the game platform."""

import sqlalchemy as sa
from alembic import op

revision = "0018_pre_content"
down_revision = "0017_pre_promotions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "streamings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), server_default="cloudflare", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("duration", sa.Numeric(precision=10, scale=1), nullable=True, comment="Seconds."),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('queued', 'ready', 'error')", name=op.f("streamings_status_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("streamings_pkey")),
        sa.UniqueConstraint("external_id", name=op.f("streamings_external_id_key")),
        schema="business",
        comment="One row per video at a streaming provider.",
    )
    op.create_index(
        "streamings_queued_idx",
        "streamings",
        ["id"],
        unique=False,
        schema="business",
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_table(
        "profiles",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), server_default="coach", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role IN ('coach', 'admin')", name=op.f("profiles_role_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("profiles_pkey")),
        sa.UniqueConstraint("email", name=op.f("profiles_email_key")),
        schema="business",
        comment="One row per coach.",
    )
    op.create_table(
        "competitors",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("coach_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "email", sa.Text(), nullable=False, comment="By which the game platform knows the competitor."
        ),
        sa.Column("platform_id", sa.Text(), nullable=True, comment="NULL: not linked to the game platform."),
        sa.Column("needs_totals_refresh", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["coach_id"], ["business.profiles.id"], name=op.f("competitors_coach_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("competitors_pkey")),
        sa.UniqueConstraint("email", name=op.f("competitors_email_key")),
        sa.UniqueConstraint("platform_id", name=op.f("competitors_platform_id_key")),
        schema="business",
        comment="One row per competitor.",
    )
    op.create_index("competitors_coach_id_idx", "competitors", ["coach_id"], unique=False, schema="business")
    op.create_index(
        "competitors_flagged_idx",
        "competitors",
        ["id"],
        unique=False,
        schema="business",
        postgresql_where=sa.text("needs_totals_refresh"),
    )
    op.create_table(
        "challenge_solves",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("competitor_id", sa.Uuid(), nullable=False),
        sa.Column("solve_id", sa.Text(), nullable=False, comment="The platform's."),
        sa.Column("challenge", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("solved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["competitor_id"],
            ["business.competitors.id"],
            name=op.f("challenge_solves_competitor_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("challenge_solves_pkey")),
        sa.UniqueConstraint("solve_id", name=op.f("challenge_solves_solve_id_key")),
        schema="business",
        comment="One row per challenge that a competitor has solved.",
    )
    op.create_index(
        "challenge_solves_competitor_id_solved_at_idx",
        "challenge_solves",
        ["competitor_id", "solved_at"],
        unique=False,
        schema="business",
    )
    op.create_table(
        "competitor_totals",
        sa.Column("competitor_id", sa.Uuid(), nullable=False),
        sa.Column("solves", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("points", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("last_solve_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "refreshed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["competitor_id"],
            ["business.competitors.id"],
            name=op.f("competitor_totals_competitor_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("competitor_id", name=op.f("competitor_totals_pkey")),
        schema="business",
        comment="One row per competitor: the figures over all solves, as the platform tells them.",
    )
