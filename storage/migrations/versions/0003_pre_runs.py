"""Runs, attempts, log lines, rollups."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003_pre_runs"
down_revision = "0002_pre_slots"
branch_labels = None
depends_on = None

LOG_STATUS = (
    "CAST(CASE state WHEN 'succeeded' THEN 'completed' WHEN 'processing' THEN 'started'"
    " WHEN 'pending' THEN 'started' ELSE 'failed' END AS varchar(20))"
)
UNFINISHED_OR_FAILED = f"started_at IS NOT NULL AND state <> 'skipped' AND {LOG_STATUS} <> 'completed'"


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column(
            "run_id",
            sa.Uuid(),
            nullable=False,
            comment="The Dramatiq message's id; the same over all attempts.",
        ),
        sa.Column(
            "enqueued_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="The message's timestamp, to the millisecond.",
        ),
        sa.Column("job", sa.String(length=100), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "rank", sa.Integer(), nullable=False, comment="attempt * 10 + phase (0, 5 or 9). Only ever grows."
        ),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=True),
        sa.Column("trigger", sa.Text(), server_default="code", nullable=False),
        sa.Column("schedule_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), nullable=True, comment="The slot that it was fired for."
        ),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True, comment="When its delay was over."),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "started_at", sa.DateTime(timezone=True), nullable=True, comment="When the first attempt started."
        ),
        sa.Column(
            "attempt_started_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the last attempt started.",
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wait_ms", sa.BigInteger(), nullable=True, comment="From ready to the first start."),
        sa.Column("duration_ms", sa.Integer(), nullable=True, comment="Of the last attempt."),
        sa.Column(
            "execution_id",
            sa.Uuid(),
            nullable=True,
            comment="Of the last attempt: fences a finish that comes too late.",
        ),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("error_type", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("traceback", sa.Text(), nullable=True),
        sa.Column("args", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("kwargs", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "progress",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment='{"done", "total", "note"}',
        ),
        sa.Column(
            "reason", sa.Text(), nullable=True, comment="Why it was skipped, cancelled, ended or dead."
        ),
        sa.Column("requested_by", sa.Text(), nullable=True),
        sa.Column("next_retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("time_limit_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'processing', 'succeeded', 'failed', 'cancelled', 'skipped', 'dead')",
            name=op.f("runs_state_check"),
        ),
        sa.CheckConstraint(
            "trigger IN ('schedule', 'manual', 'code', 'sql')", name=op.f("runs_trigger_check")
        ),
        sa.PrimaryKeyConstraint("run_id", "enqueued_at", name=op.f("runs_pkey")),
        schema="callboard",
        comment="One row per run: one message's life over all its attempts.",
        postgresql_partition_by="RANGE (enqueued_at)",
    )
    op.create_index(
        "idx_cron_logs_job_started",
        "runs",
        ["job", sa.literal_column("started_at DESC")],
        unique=False,
        schema="callboard",
    )
    op.create_index(
        "idx_cron_logs_job_status",
        "runs",
        [
            "job",
            sa.literal_column(LOG_STATUS),
            sa.literal_column("started_at DESC"),
        ],
        unique=False,
        schema="callboard",
        postgresql_where=sa.text(UNFINISHED_OR_FAILED),
    )
    op.create_index(
        "idx_cron_logs_started_at",
        "runs",
        [sa.literal_column("started_at DESC")],
        unique=False,
        schema="callboard",
    )
    op.create_index(
        "idx_cron_logs_status",
        "runs",
        [
            sa.literal_column(LOG_STATUS),
            sa.literal_column("started_at DESC"),
        ],
        unique=False,
        schema="callboard",
        postgresql_where=sa.text(UNFINISHED_OR_FAILED),
    )
    op.create_index(
        "runs_broken_idx",
        "runs",
        [sa.literal_column("finished_at DESC")],
        unique=False,
        schema="callboard",
        postgresql_where=sa.text("state IN ('failed', 'dead')"),
    )
    op.create_index(
        "runs_unfinished_idx",
        "runs",
        ["state", "enqueued_at"],
        unique=False,
        schema="callboard",
        postgresql_where=sa.text("state IN ('pending', 'processing')"),
    )
    op.create_table(
        "attempts",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("enqueued_at", sa.DateTime(timezone=True), nullable=False, comment="The run's."),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("execution_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("error_type", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("traceback", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'processing', 'succeeded', 'failed', 'cancelled', 'skipped', 'dead')",
            name=op.f("attempts_state_check"),
        ),
        sa.PrimaryKeyConstraint("run_id", "enqueued_at", "execution_id", name=op.f("attempts_pkey")),
        schema="callboard",
        comment="One row per execution of a run, but none for a run whose only attempt succeeded: "
        "callboard.run_attempts shows both.",
        postgresql_partition_by="RANGE (enqueued_at)",
    )
    op.create_table(
        "log_lines",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("enqueued_at", sa.DateTime(timezone=True), nullable=False, comment="The run's."),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "enqueued_at", "attempt", "seq", name=op.f("log_lines_pkey")),
        schema="callboard",
        comment="One row per line that an attempt logged.",
        postgresql_partition_by="RANGE (enqueued_at)",
    )
    op.create_table(
        "rollups",
        sa.Column("width_s", sa.Integer(), nullable=False, comment="60, 3600 or 86400."),
        sa.Column(
            "bucket",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="The start of the minute, hour or day (UTC) of the finish.",
        ),
        sa.Column("job", sa.String(length=100), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column(
            "started",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Runs whose first attempt started in this bucket.",
        ),
        sa.Column("succeeded", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cancelled", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "cancelled_running",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Of `cancelled`, those that had started.",
        ),
        sa.Column("skipped", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("dead", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "retried",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Attempts that failed and were followed by another.",
        ),
        sa.Column(
            "duration_sum_ms",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Durations are those of runs that succeeded or failed.",
        ),
        sa.Column("duration_min_ms", sa.Integer(), nullable=True),
        sa.Column("duration_max_ms", sa.Integer(), nullable=True),
        sa.Column(
            "wait_sum_ms",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Waits are those of runs that succeeded or failed.",
        ),
        sa.Column("wait_max_ms", sa.BigInteger(), nullable=True),
        sa.Column(
            "duration_hist",
            postgresql.ARRAY(sa.Integer()),
            server_default=sa.text("'{}'::integer[]"),
            nullable=False,
            comment="Counts by callboard.hist_bucket().",
        ),
        sa.Column(
            "wait_hist",
            postgresql.ARRAY(sa.Integer()),
            server_default=sa.text("'{}'::integer[]"),
            nullable=False,
            comment="Counts by callboard.hist_bucket().",
        ),
        sa.Column("last_run_at", sa.DateTime(timezone=True), nullable=True, comment="The latest start."),
        sa.Column(
            "last_success_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="The latest finish that succeeded.",
        ),
        sa.Column(
            "last_failure_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="The latest finish that failed or was dead.",
        ),
        sa.CheckConstraint("width_s IN (60, 3600, 86400)", name=op.f("rollups_width_s_check")),
        sa.PrimaryKeyConstraint("width_s", "job", "queue", "bucket", name=op.f("rollups_pkey")),
        schema="callboard",
        comment="One row per width, job, queue and bucket in which something started or finished. "
        "Each width holds everything.",
    )
    op.create_index(
        "rollups_width_s_bucket_idx", "rollups", ["width_s", "bucket"], unique=False, schema="callboard"
    )

    op.execute("CREATE TABLE callboard.runs_default PARTITION OF callboard.runs DEFAULT")
    op.execute("CREATE TABLE callboard.attempts_default PARTITION OF callboard.attempts DEFAULT")
    op.execute("CREATE TABLE callboard.log_lines_default PARTITION OF callboard.log_lines DEFAULT")
