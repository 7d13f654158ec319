"""What goes out: messages and e-mail; and what could not be done."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from callboard.storage.tables.base import FALSE, NOW, ZERO, job_name, metadata, moment, one_of
from callboard.storage.tables.business.base import SCHEMA, key, words

EMPTY = text("'{}'::jsonb")

outbound_jobs = Table(
    "OutboundJob",
    metadata,
    key(),
    Column("customerId", BigInteger, ForeignKey(f"{SCHEMA}.customers.id", ondelete="CASCADE"), nullable=True),
    words("to", comment="The telephone number, E.164."),
    words(
        "kind",
        server_default="text",
        comment="`text` goes out as it is, `template` as payload.template says; "
        "`reply` answers payload.inbound.",
    ),
    Column(
        "marketing",
        Boolean,
        nullable=False,
        server_default=FALSE,
        comment="Whether it needs consent to promotions too.",
    ),
    Column("payload", JSONB, nullable=False, server_default=EMPTY),
    words("status", server_default="queued"),
    Column("attempts", Integer, nullable=False, server_default=ZERO),
    Column("maxAttempts", Integer, nullable=False, server_default=text("5")),
    moment("runAt", nullable=False, server_default=NOW, comment="Not before."),
    words(
        "idempotencyKey",
        unique=True,
        server_default=text("(gen_random_uuid())::text"),
        comment="What the provider knows the message by: it is sent once, however often it is tried.",
    ),
    Column("requestId", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    Column("providerMessageId", Text, unique=True),
    Column("error", Text),
    moment("createdAt", nullable=False, server_default=NOW),
    moment("startedAt"),
    moment("completedAt"),
    CheckConstraint(one_of("status", "queued", "running", "done", "failed", "uncertain"), name="status"),
    CheckConstraint(one_of("kind", "text", "template", "reply"), name="kind"),
    CheckConstraint('attempts >= 0 AND "maxAttempts" >= 1', name="attempts"),
    Index("OutboundJob_queued_idx", "runAt", "id", postgresql_where=text("status = 'queued'")),
    Index(
        "OutboundJob_replies_idx",
        "runAt",
        "id",
        postgresql_where=text("status = 'queued' AND kind = 'reply'"),
    ),
    Index("OutboundJob_running_idx", "startedAt", postgresql_where=text("status = 'running'")),
    Index("OutboundJob_status_completedAt_idx", "status", "completedAt"),
    Index("OutboundJob_customerId_idx", "customerId"),
    schema=SCHEMA,
    comment="One row per message that is to go out, or has gone out.",
)

email_queue = Table(
    "email_queue",
    metadata,
    key(),
    words("to_address"),
    words("subject"),
    words("body"),
    words("status", server_default="pending"),
    Column("attempts", Integer, nullable=False, server_default=ZERO),
    Column("max_attempts", Integer, nullable=False, server_default=text("5")),
    moment("run_at", nullable=False, server_default=NOW, comment="Not before."),
    words(
        "message_id",
        unique=True,
        server_default=text("(('<'::text || (gen_random_uuid())::text) || '@callboard>'::text)"),
        comment="The header of that name, the same in every attempt.",
    ),
    Column("dedupe_key", Text, unique=True),
    Column("error", Text),
    moment("created_at", nullable=False, server_default=NOW),
    moment("claimed_at", comment="Since when a run has been at it; NULL: none is."),
    moment("sent_at"),
    CheckConstraint(one_of("status", "pending", "sent", "failed"), name="status"),
    Index("email_queue_pending_idx", "run_at", "id", postgresql_where=text("status = 'pending'")),
    schema=SCHEMA,
    comment="One row per e-mail that is to go out, or has gone out.",
)

item_failures = Table(
    "item_failures",
    metadata,
    key(),
    job_name(nullable=False),
    words("item", comment="What could not be dealt with: `offers:17`."),
    words("error"),
    Column("times", Integer, nullable=False, server_default=text("1")),
    Column("run_id", Uuid, comment="The latest run that has met it."),
    moment("first_at", nullable=False, server_default=NOW),
    moment("last_at", nullable=False, server_default=NOW),
    moment("resolved_at", comment="When a later run has dealt with it."),
    UniqueConstraint("job_name", "item"),
    schema=SCHEMA,
    comment="One row per item that a job has passed over because of an error.",
)

sync_cursors = Table(
    "sync_cursors",
    metadata,
    Column("name", Text, primary_key=True),
    words("cursor", comment="Where the next synchronisation goes on."),
    moment("updated_at", nullable=False, server_default=NOW),
    schema=SCHEMA,
    comment="One row per synchronisation: how far it has come.",
)

external_records = Table(
    "external_records",
    metadata,
    key(),
    words("external_id", unique=True),
    Column("data", JSONB, nullable=False, server_default=EMPTY),
    moment("changed_at", nullable=False, comment="There."),
    moment("synced_at", nullable=False, server_default=NOW),
    moment("deleted_at"),
    schema=SCHEMA,
    comment="One row per record of the external service, as it was when last synchronised.",
)

reports = Table(
    "reports",
    metadata,
    key(),
    words("kind"),
    words("day", comment="YYYY-MM-DD."),
    words("scope", server_default="all"),
    Column("content", JSONB, nullable=False),
    moment("made_at", nullable=False, server_default=NOW),
    UniqueConstraint("kind", "day", "scope"),
    schema=SCHEMA,
    comment="One row per report of a day.",
)
