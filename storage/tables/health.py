"""How the system is: the uptime log and alerts."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from callboard.storage.tables.base import NOW, ZERO, metadata, moment, one_of

uptime_checks = Table(
    "uptime_checks",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    moment("checked_at", nullable=False, server_default=NOW),
    Column("status", Text, nullable=False),
    Column("duration_ms", Integer),
    Column("checks", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    CheckConstraint(one_of("status", "healthy", "degraded", "down"), name="status"),
    Index("uptime_checks_checked_at_idx", text("checked_at DESC")),
    comment="One row per health check: the uptime log.",
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    moment("opened_at", nullable=False, server_default=NOW),
    moment("resolved_at"),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("details", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    moment("acknowledged_at"),
    Column("acknowledged_by", Text),
    Column("ack_note", Text),
    Index("alerts_opened_at_idx", text("opened_at DESC")),
    Index("alerts_resolved_at_idx", "resolved_at"),
    Index("alerts_open_key", "kind", "subject", unique=True, postgresql_where=text("resolved_at IS NULL")),
    comment="One row per alert, open until resolved_at.",
)

queue_samples = Table(
    "queue_samples",
    metadata,
    Column("queue", Text, nullable=False),
    moment("at", nullable=False),
    Column("depth", Integer, nullable=False, comment="What is due and waits for a worker."),
    Column("oldest_due_ms", BigInteger, nullable=False),
    Column("in_flight", Integer, nullable=False, comment="Taken by workers, not yet finished."),
    Column("dead", Integer, nullable=False),
    Column("workers", Integer, nullable=False, comment="Alive, and serving the queue."),
    Column("slots", Integer, nullable=False, comment="Their threads."),
    Column("busy", Integer, nullable=False, comment="Of the threads, those with work of this queue."),
    Column(
        "parked",
        Integer,
        nullable=False,
        server_default=ZERO,
        comment="Held back by a limit, a mutex, a breaker or a pause.",
    ),
    PrimaryKeyConstraint("queue", "at"),
    Index("queue_samples_at_idx", "at"),
    # For when a queue was last without work.
    Index("queue_samples_idle_idx", "queue", "at", postgresql_where=text("depth = 0")),
    comment="One row per queue and ten seconds: how much waited, and who was there to do it.",
)


def _sum(name: str) -> Column[int]:
    return Column(f"{name}_sum", BigInteger, nullable=False)


queue_sample_hours = Table(
    "queue_sample_hours",
    metadata,
    Column("queue", Text, nullable=False),
    moment("bucket", nullable=False, comment="The start of the hour (UTC)."),
    Column("samples", Integer, nullable=False, comment="How many were taken in it."),
    moment("first_at", nullable=False),
    moment("last_at", nullable=False),
    Column("depth_max", Integer, nullable=False),
    Column("dead_max", Integer, nullable=False),
    *(_sum(name) for name in ("depth", "parked", "in_flight", "busy", "slots")),
    PrimaryKeyConstraint("queue", "bucket"),
    Index("queue_sample_hours_bucket_idx", "bucket"),
    comment="One row per queue and hour: what its samples add up to.",
)
