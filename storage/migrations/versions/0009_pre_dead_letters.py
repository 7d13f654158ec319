"""What tokens are limited to; dead letters with their fingerprints, and actions on many of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009_pre_dead_letters"
down_revision = "0004_pre_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "tokens",
        sa.Column(
            "permissions",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="All that it may do; NULL: whatever its role may.",
        ),
        schema="callboard",
    )
    op.add_column(
        "tokens",
        sa.Column(
            "jobs",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="The jobs that it may do it with; NULL: all of them.",
        ),
        schema="callboard",
    )
    op.add_column("tokens", sa.Column("created_by", sa.Text(), nullable=True), schema="callboard")
    op.add_column(
        "runs",
        sa.Column(
            "fingerprint",
            sa.Text(),
            nullable=True,
            comment="Of the error: the same for errors that are the same.",
        ),
        schema="callboard",
    )
    op.add_column(
        "runs",
        sa.Column(
            "dead_letter",
            sa.Text(),
            nullable=True,
            comment="The id in Redis of its dead letter; NULL where it has none.",
        ),
        schema="callboard",
    )
    op.add_column("attempts", sa.Column("fingerprint", sa.Text(), nullable=True), schema="callboard")
    op.create_index(
        "runs_dead_letter_idx",
        "runs",
        ["enqueued_at", "run_id"],
        unique=False,
        schema="callboard",
        postgresql_where=sa.text("dead_letter IS NOT NULL"),
    )
    op.create_table(
        "bulk_actions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("filter", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True, comment="The run that works it off."),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column(
            "total", sa.Integer(), nullable=False, comment="How many there were when it was asked for."
        ),
        sa.Column("done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("abort", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "cursor_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="The enqueued_at of the last run dealt with.",
        ),
        sa.Column("cursor_id", sa.Uuid(), nullable=True, comment="Its id."),
        sa.Column(
            "removing",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="[queue, id in Redis] of the letters to be removed there next.",
        ),
        sa.CheckConstraint("what IN ('requeue', 'drop')", name=op.f("bulk_actions_what_check")),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'aborted')", name=op.f("bulk_actions_state_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("bulk_actions_pkey")),
        schema="callboard",
        comment="One row per action on many dead letters.",
    )
    op.create_index(
        "bulk_actions_open_key",
        "bulk_actions",
        ["what", "filter"],
        unique=True,
        schema="callboard",
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
