"""What can run and when: jobs as the code declares them, their switches, their schedules."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from callboard.storage.tables.base import FALSE, NOW, TRUE, job_name, metadata, moment, one_of

jobs = Table(
    "jobs",
    metadata,
    job_name("name", primary_key=True, comment="The actor's name."),
    Column("queue", Text, nullable=False, server_default="default"),
    Column("description", Text),
    Column("category", Text),
    Column(
        "source", Text, nullable=False, comment="The list of modules (CALLBOARD_ACTORS) that declared it."
    ),
    Column(
        "declared",
        Boolean,
        nullable=False,
        server_default=TRUE,
        comment="False once its source no longer declares it; its history stays.",
    ),
    Column(
        "enabled_default",
        Boolean,
        nullable=False,
        server_default=TRUE,
        comment="What the code says; public.cron_job_config says what holds.",
    ),
    Column(
        "options",
        JSONB,
        nullable=False,
        server_default=text("'{}'::jsonb"),
        comment="Actor options: time_limit, max_retries, backoff, mutex, overlap, misfire, grace_ms ...",
    ),
    Column("time_limit_ms", BigInteger),
    Column("max_attempts", Integer, comment="Attempts in all, the first included."),
    Column(
        "signature",
        JSONB,
        nullable=False,
        server_default=text("'[]'::jsonb"),
        comment='The arguments it takes: [{"name", "kind", "type", "default", "required"}].',
    ),
    moment("first_seen_at", nullable=False, server_default=NOW),
    moment("last_seen_at", nullable=False, server_default=NOW),
    comment="One row per job that any running code has ever declared.",
)

cron_job_config = Table(
    "cron_job_config",
    metadata,
    job_name(primary_key=True),
    Column("enabled", Boolean, server_default=TRUE, comment="Only false switches a job off; NULL is on."),
    moment("last_modified_at", server_default=NOW),
    Column(
        "last_modified_by", Uuid, comment="A user of callboard.users, or of another system; not enforced."
    ),
    Column("notes", Text),
    schema="public",
    comment="Public contract: one row per job, its switch. A change reaches the running fleet at once.",
)

schedules = Table(
    "schedules",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    job_name(nullable=False),
    Column(
        "key",
        Text,
        nullable=False,
        comment="Names the schedule within its job; code:<n> if declared in code.",
    ),
    Column("expr", Text, nullable=False, comment="Cron expression that holds, five fields or six."),
    Column("tz", Text, nullable=False, server_default="UTC", comment="IANA time zone of the expression."),
    Column("args", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("kwargs", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column(
        "declared",
        JSONB,
        comment="What the code says, by column; what holds differs from it where an operator changed it.",
    ),
    Column("origin", Text, nullable=False, server_default="operator"),
    Column("enabled", Boolean, nullable=False, server_default=TRUE),
    Column(
        "misfire",
        Text,
        nullable=False,
        server_default="run_once",
        comment="What becomes of slots found late.",
    ),
    Column(
        "misfire_limit",
        Integer,
        nullable=False,
        server_default=text("100"),
        comment="At most so many at once.",
    ),
    Column(
        "grace_ms", Integer, nullable=False, server_default=text("60000"), comment="Later than this is late."
    ),
    moment(
        "checked_until",
        nullable=False,
        server_default=NOW,
        comment="Every slot up to and including this moment has its occurrence.",
    ),
    Column(
        "retired",
        Boolean,
        nullable=False,
        server_default=FALSE,
        comment="Switched off because the code no longer declares it; comes back on when it does.",
    ),
    moment("created_at", nullable=False, server_default=NOW),
    moment("changed_at", nullable=False, server_default=NOW),
    Column("changed_by", Text),
    UniqueConstraint("job_name", "key"),
    CheckConstraint(one_of("origin", "code", "operator"), name="origin"),
    CheckConstraint(one_of("misfire", "skip", "run_once", "run_all"), name="misfire"),
    CheckConstraint("misfire_limit >= 0 AND grace_ms >= 0", name="limits"),
    comment="One row per schedule: a job, a cron expression, a time zone, arguments.",
)
