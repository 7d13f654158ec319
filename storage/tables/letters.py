"""Actions on many dead letters, or many runs, at once."""

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.storage.tables.base import FALSE, NOW, ZERO, metadata, moment, one_of

bulk_actions = Table(
    "bulk_actions",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("what", Text, nullable=False),
    Column("filter", JSONB, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("run_id", Uuid, comment="The run that works it off."),
    moment("created_at", nullable=False, server_default=NOW),
    moment("finished_at"),
    Column("state", Text, nullable=False, server_default=text("'queued'")),
    Column("total", Integer, nullable=False, comment="How many there were when it was asked for."),
    Column("done", Integer, nullable=False, server_default=ZERO),
    Column("failed", Integer, nullable=False, server_default=ZERO),
    Column("last_error", Text),
    Column("abort", Boolean, nullable=False, server_default=FALSE),
    moment("cursor_at", comment="The enqueued_at of the last run dealt with."),
    Column("cursor_id", Uuid, comment="Its id."),
    Column("removing", JSONB, comment="[queue, id in Redis] of the letters to be removed there next."),
    CheckConstraint(one_of("what", "requeue", "drop", "retry", "cancel"), name="what"),
    CheckConstraint(one_of("state", "queued", "running", "done", "aborted"), name="state"),
    Index(
        "bulk_actions_open_key",
        "what",
        "filter",
        unique=True,
        postgresql_where=text("state IN ('queued', 'running')"),
    ),
    comment="One row per action on many dead letters (requeue, drop) or on many runs (retry, cancel).",
)
