"""Slots, outbox, signals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_pre_slots"
down_revision = "0001_pre_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "occurrences",
        sa.Column("schedule_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("job_name", sa.String(length=100), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False, comment="What became of the slot."),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True, comment="The run that it became, if it became one."),
        sa.Column("decided_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "disposition IN ('fired', 'late', 'skipped_overlap', 'skipped_paused', 'skipped_disabled',"
            " 'skipped_breaker', 'skipped_stale', 'missed', 'coalesced', 'cancelled')",
            name=op.f("occurrences_disposition_check"),
        ),
        sa.PrimaryKeyConstraint("schedule_id", "due_at", name=op.f("occurrences_pkey")),
        schema="callboard",
        comment="One row per slot of a schedule that has been decided. The key makes a slot fire once.",
        postgresql_partition_by="RANGE (due_at)",
    )
    op.create_index(
        "occurrences_job_name_due_at_idx",
        "occurrences",
        ["job_name", sa.literal_column("due_at DESC")],
        unique=False,
        schema="callboard",
    )
    op.create_index("occurrences_run_id_idx", "occurrences", ["run_id"], unique=False, schema="callboard")
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("job_name", sa.String(length=100), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column(
            "message",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The whole Dramatiq message, as its broker encodes it.",
        ),
        sa.Column(
            "not_before",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Not to be sent earlier; NULL is at once.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Failed attempts to send it.",
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("outbox_pkey")),
        sa.UniqueConstraint("run_id", name=op.f("outbox_run_id_key")),
        schema="callboard",
        comment="One row per message that is not yet sent. Sending deletes the row.",
    )
    op.create_index(
        "outbox_ready_idx",
        "outbox",
        [sa.literal_column("coalesce(not_before, '-infinity'::timestamptz)"), "id"],
        unique=False,
        schema="callboard",
    )
    op.create_table(
        "signals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "payload",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="end_run: {run_id, state, reason, by}.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('end_run')", name=op.f("signals_kind_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("signals_pkey")),
        schema="callboard",
        comment="One row per signal to the fleet that is not yet sent. Sending deletes the row.",
    )
    op.create_table(
        "stream_position",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("last_id", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("stream_position_pkey")),
        schema="callboard",
        comment="One row per event stream: the last entry whose events are committed here.",
    )

    op.execute("CREATE TABLE callboard.occurrences_default PARTITION OF callboard.occurrences DEFAULT")
