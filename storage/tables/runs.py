"""What ran: runs, their attempts and log lines, and the rollups that outlive them."""

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from callboard.core.holds import CAUSES, HELD_BY, Cause
from callboard.storage.tables.base import NOW, ZERO, job_name, metadata, moment, one_of

STATES = ("pending", "processing", "succeeded", "failed", "cancelled", "skipped", "dead")
TRIGGERS = ("schedule", "manual", "code", "sql")

#: The word of public.cron_job_logs for a run's state. The view's column must be this very expression,
#: or the two partial indexes over it go unused.
LOG_STATUS = (
    "CAST(CASE state WHEN 'succeeded' THEN 'completed' WHEN 'processing' THEN 'started'"
    " WHEN 'pending' THEN 'started' ELSE 'failed' END AS varchar(20))"
)
UNFINISHED_OR_FAILED = f"started_at IS NOT NULL AND state <> 'skipped' AND {LOG_STATUS} <> 'completed'"

runs = Table(
    "runs",
    metadata,
    Column("run_id", Uuid, nullable=False, comment="The Dramatiq message's id; the same over all attempts."),
    moment("enqueued_at", nullable=False, comment="The message's timestamp, to the millisecond."),
    job_name("job", nullable=False),
    Column("queue", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("rank", Integer, nullable=False, comment="attempt * 10 + phase (0, 5 or 9). Only ever grows."),
    Column("attempt", Integer, nullable=False, server_default=text("1")),
    Column("max_attempts", Integer),
    Column("trigger", Text, nullable=False, server_default="code"),
    Column("schedule_id", BigInteger),
    moment("due_at", comment="The slot that it was fired for."),
    moment("ready_at", comment="When its delay was over."),
    moment("fetched_at"),
    moment("started_at", comment="When the first attempt started."),
    moment("attempt_started_at", comment="When the last attempt started."),
    moment("finished_at"),
    Column("wait_ms", BigInteger, comment="From ready to the first start."),
    Column("duration_ms", Integer, comment="Of the last attempt."),
    Column("execution_id", Uuid, comment="Of the last attempt: fences a finish that comes too late."),
    Column("worker", Text),
    Column("error_type", Text),
    Column("error", Text),
    Column("traceback", Text),
    Column("args", JSONB),
    Column("kwargs", JSONB),
    Column("result", JSONB),
    Column("progress", JSONB, comment='{"done", "total", "note"}'),
    Column("reason", Text, comment="Why it was skipped, cancelled, ended or dead."),
    Column("requested_by", Text),
    moment("next_retry_at"),
    Column("time_limit_ms", BigInteger),
    Column("fingerprint", Text, comment="Of the error: the same for errors that are the same."),
    Column("dead_letter", Text, comment="The id in Redis of its dead letter; NULL where it has none."),
    Column("retry_of", Uuid, comment="The run that this one does again."),
    Column("flow", JSONB, comment="The chain and the group that it is a part of."),
    Column("held", JSONB, comment="Ms for which it was held back before its first start, by cause."),
    PrimaryKeyConstraint("run_id", "enqueued_at"),
    CheckConstraint(one_of("state", *STATES), name="state"),
    CheckConstraint(one_of("trigger", *TRIGGERS), name="trigger"),
    Index("idx_cron_logs_job_started", "job", text("started_at DESC")),
    Index("idx_cron_logs_started_at", text("started_at DESC")),
    Index(
        "idx_cron_logs_status",
        literal_column(LOG_STATUS),
        text("started_at DESC"),
        postgresql_where=text(UNFINISHED_OR_FAILED),
    ),
    Index(
        "idx_cron_logs_job_status",
        "job",
        literal_column(LOG_STATUS),
        text("started_at DESC"),
        postgresql_where=text(UNFINISHED_OR_FAILED),
    ),
    Index(
        "runs_unfinished_idx",
        "state",
        "enqueued_at",
        postgresql_where=text("state IN ('pending', 'processing')"),
    ),
    Index(
        "runs_broken_idx",
        text("finished_at DESC"),
        postgresql_where=text("state IN ('failed', 'dead')"),
    ),
    Index(
        "runs_dead_letter_idx",
        "enqueued_at",
        "run_id",
        postgresql_where=text("dead_letter IS NOT NULL"),
    ),
    # For lists and actions by state. What succeeds at once has no part in it, and costs the recorder nothing.
    Index(
        "runs_unsuccessful_idx",
        "enqueued_at",
        "run_id",
        postgresql_where=text("state <> 'succeeded'"),
    ),
    Index(
        "runs_group_idx",
        literal_column("((flow -> 'group') ->> 'id')"),
        postgresql_where=text("flow -> 'group' IS NOT NULL"),
    ),
    Index("runs_retry_of_idx", "retry_of", postgresql_where=text("retry_of IS NOT NULL")),
    # Nearly free to keep, as rows come in the order of time; one of the usual kind would slow the recorder.
    Index(
        "runs_finished_idx",
        "finished_at",
        postgresql_using="brin",
        postgresql_with={"autosummarize": True, "pages_per_range": 16},
    ),
    Index(
        "runs_enqueued_idx",
        "enqueued_at",
        postgresql_using="brin",
        postgresql_with={"autosummarize": True, "pages_per_range": 16},
    ),
    Index(
        "runs_schedule_idx",
        "schedule_id",
        text("started_at DESC"),
        postgresql_where=text("schedule_id IS NOT NULL"),
    ),
    postgresql_partition_by="RANGE (enqueued_at)",
    comment="One row per run: one message's life over all its attempts.",
)

attempts = Table(
    "attempts",
    metadata,
    Column("run_id", Uuid, nullable=False),
    moment("enqueued_at", nullable=False, comment="The run's."),
    Column("attempt", Integer, nullable=False),
    Column("execution_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    moment("started_at"),
    moment("finished_at"),
    Column("duration_ms", Integer),
    Column("worker", Text),
    Column("error_type", Text),
    Column("error", Text),
    Column("traceback", Text),
    Column("reason", Text),
    Column("fingerprint", Text),
    PrimaryKeyConstraint("run_id", "enqueued_at", "execution_id"),
    CheckConstraint(one_of("state", *STATES), name="state"),
    postgresql_partition_by="RANGE (enqueued_at)",
    comment="One row per execution of a run, but none for a run whose only attempt succeeded: "
    "callboard.run_attempts shows both.",
)

log_lines = Table(
    "log_lines",
    metadata,
    Column("run_id", Uuid, nullable=False),
    moment("enqueued_at", nullable=False, comment="The run's."),
    Column("attempt", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    moment("at", nullable=False),
    Column("level", Text, nullable=False),
    Column("message", Text, nullable=False),
    PrimaryKeyConstraint("run_id", "enqueued_at", "attempt", "seq"),
    postgresql_partition_by="RANGE (enqueued_at)",
    comment="One row per line that an attempt logged.",
)


def _count(name: str, comment: str | None = None) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=ZERO, comment=comment)


def _sum(name: str, comment: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=ZERO, comment=comment)


def _held(cause: Cause) -> Column[int]:
    comment = f"Of wait_sum_ms, what runs were held back by {HELD_BY[cause]}; NULL where none was."
    return Column(f"held_{cause}_ms", BigInteger, comment=comment)


def _histogram(name: str) -> Column[Sequence[int]]:
    empty = text("'{}'::integer[]")
    comment = "Counts by callboard.hist_bucket()."
    return Column(name, ARRAY(Integer), nullable=False, server_default=empty, comment=comment)


rollups = Table(
    "rollups",
    metadata,
    Column("width_s", Integer, nullable=False, comment="60, 3600 or 86400."),
    moment("bucket", nullable=False, comment="The start of the minute, hour or day (UTC) of the finish."),
    job_name("job", nullable=False),
    Column("queue", Text, nullable=False),
    _count("started", "Runs whose first attempt started in this bucket."),
    _count("succeeded"),
    _count("failed"),
    _count("cancelled"),
    _count("cancelled_running", "Of `cancelled`, those that had started."),
    _count("skipped"),
    _count("dead"),
    _count("retried", "Attempts that failed and were followed by another."),
    _sum("duration_sum_ms", "Durations are those of runs that succeeded or failed."),
    Column("duration_min_ms", Integer),
    Column("duration_max_ms", Integer),
    _sum("wait_sum_ms", "Waits are those of runs that succeeded or failed."),
    Column("wait_max_ms", BigInteger),
    _histogram("duration_hist"),
    _histogram("wait_hist"),
    moment("last_run_at", comment="The latest start."),
    moment("last_success_at", comment="The latest finish that succeeded."),
    moment("last_failure_at", comment="The latest finish that failed or was dead."),
    _sum("lag_sum_ms", "From the slot to the message, of those whose wait counts."),
    _sum("delay_sum_ms", "From the message to the end of its delay, of the same."),
    _sum("hand_sum_ms", "Of wait_sum_ms, what passed in a worker's hand before the start."),
    *(_held(cause) for cause in CAUSES),
    Column(
        "busy_sum_ms",
        BigInteger,
        comment="What all attempts that ended took, retried ones too; NULL in old rows: see duration_sum_ms.",
    ),
    PrimaryKeyConstraint("width_s", "job", "queue", "bucket"),
    CheckConstraint("width_s IN (60, 3600, 86400)", name="width_s"),
    Index("rollups_width_s_bucket_idx", "width_s", "bucket"),
    comment="One row per width, job, queue and bucket in which something started or finished. "
    "Each width holds everything.",
)

queue_rollups = Table(
    "queue_rollups",
    metadata,
    Column("width_s", Integer, nullable=False, comment="60, 3600 or 86400."),
    moment("bucket", nullable=False, comment="The start of the minute, hour or day (UTC) of the finish."),
    Column("queue", Text, nullable=False),
    _count("finished", "Runs that succeeded, failed or were dead."),
    _count("failed", "Of those, the ones that failed or were dead."),
    _histogram("duration_hist"),
    _histogram("wait_hist"),
    _sum("wait_sum_ms", "Waits are those of runs that succeeded or failed."),
    _sum("lag_sum_ms", "From the slot to the message, of those whose wait counts."),
    _sum("delay_sum_ms", "From the message to the end of its delay, of the same."),
    _sum("hand_sum_ms", "Of wait_sum_ms, what passed in a worker's hand before the start."),
    *(_held(cause) for cause in CAUSES),
    PrimaryKeyConstraint("width_s", "queue", "bucket"),
    CheckConstraint("width_s IN (60, 3600, 86400)", name="width_s"),
    comment="One row per width, queue and bucket in which a run finished: what rollups of jobs add up to, "
    "so that a trend does not cost more the more jobs there are.",
)

schema_state = Table(
    "schema_state",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    moment("updated_at", nullable=False, server_default=NOW),
    comment="One row per fact about the schema itself; `fingerprint` is that of the SQL that made it.",
)
