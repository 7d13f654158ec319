"""From a due slot to a sent message: occurrences, the outbox, signals to the fleet."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.storage.tables.base import NOW, ZERO, job_name, metadata, moment, one_of

DISPOSITIONS = (
    "fired",
    "late",
    "skipped_overlap",
    "skipped_paused",
    "skipped_disabled",
    "skipped_breaker",
    "skipped_stale",
    "missed",
    "coalesced",
    "cancelled",
)

occurrences = Table(
    "occurrences",
    metadata,
    Column("schedule_id", BigInteger, primary_key=True, autoincrement=False),
    moment("due_at", primary_key=True),
    job_name(nullable=False),
    Column("disposition", Text, nullable=False, comment="What became of the slot."),
    Column("reason", Text),
    Column("run_id", Uuid, comment="The run that it became, if it became one."),
    moment("decided_at", nullable=False, server_default=NOW),
    CheckConstraint(one_of("disposition", *DISPOSITIONS), name="disposition"),
    Index("occurrences_run_id_idx", "run_id"),
    Index("occurrences_job_name_due_at_idx", "job_name", text("due_at DESC")),
    Index("occurrences_due_at_schedule_id_idx", text("due_at DESC"), text("schedule_id DESC")),
    postgresql_partition_by="RANGE (due_at)",
    comment="One row per slot of a schedule that has been decided. The key makes a slot fire once.",
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("run_id", Uuid, nullable=False, unique=True),
    job_name(nullable=False),
    Column("queue", Text, nullable=False),
    Column(
        "message",
        JSONB,
        nullable=False,
        comment="The whole Dramatiq message, as its broker encodes it.",
    ),
    moment("not_before", comment="Not to be sent earlier; NULL is at once."),
    moment("created_at", nullable=False, server_default=NOW),
    Column("attempts", Integer, nullable=False, server_default=ZERO, comment="Failed attempts to send it."),
    Column("last_error", Text),
    Index("outbox_ready_idx", text("coalesce(not_before, '-infinity'::timestamptz)"), "id"),
    comment="One row per message that is not yet sent. Sending deletes the row.",
)

signals = Table(
    "signals",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("payload", JSONB, nullable=False, comment="end_run: {run_id, state, reason, by}."),
    moment("created_at", nullable=False, server_default=NOW),
    CheckConstraint(one_of("kind", "end_run"), name="kind"),
    comment="One row per signal to the fleet that is not yet sent. Sending deletes the row.",
)

stream_position = Table(
    "stream_position",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("last_id", Text, nullable=False),
    moment("updated_at", nullable=False, server_default=NOW),
    comment="One row per event stream: the last entry whose events are committed here.",
)
