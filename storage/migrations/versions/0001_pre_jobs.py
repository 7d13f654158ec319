"""Jobs, their switches and schedules."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001_pre_jobs"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("name", sa.String(length=100), nullable=False, comment="The actor's name."),
        sa.Column("queue", sa.Text(), server_default="default", nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="The list of modules (CALLBOARD_ACTORS) that declared it.",
        ),
        sa.Column(
            "declared",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="False once its source no longer declares it; its history stays.",
        ),
        sa.Column(
            "enabled_default",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="What the code says; public.cron_job_config says what holds.",
        ),
        sa.Column(
            "options",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Actor options: time_limit, max_retries, backoff, mutex, overlap, misfire, grace_ms ...",
        ),
        sa.Column("time_limit_ms", sa.BigInteger(), nullable=True),
        sa.Column(
            "max_attempts", sa.Integer(), nullable=True, comment="Attempts in all, the first included."
        ),
        sa.Column(
            "signature",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment='The arguments it takes: [{"name", "kind", "type", "default", "required"}].',
        ),
        sa.Column(
            "first_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("jobs_pkey")),
        schema="callboard",
        comment="One row per job that any running code has ever declared.",
    )
    op.create_table(
        "cron_job_config",
        sa.Column("job_name", sa.String(length=100), nullable=False),
        sa.Column(
            "enabled",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=True,
            comment="Only false switches a job off; NULL is on.",
        ),
        sa.Column(
            "last_modified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True
        ),
        sa.Column(
            "last_modified_by",
            sa.Uuid(),
            nullable=True,
            comment="A user of callboard.users, or of another system; not enforced.",
        ),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("job_name", name=op.f("cron_job_config_pkey")),
        schema="public",
        comment="Public contract: one row per job, its switch. A change reaches the running fleet at once.",
    )
    op.create_table(
        "schedules",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job_name", sa.String(length=100), nullable=False),
        sa.Column(
            "key",
            sa.Text(),
            nullable=False,
            comment="Names the schedule within its job; code:<n> if declared in code.",
        ),
        sa.Column(
            "expr", sa.Text(), nullable=False, comment="Cron expression that holds, five fields or six."
        ),
        sa.Column(
            "tz", sa.Text(), server_default="UTC", nullable=False, comment="IANA time zone of the expression."
        ),
        sa.Column(
            "args",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "kwargs",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "declared",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="What the code says, by column; what holds differs from it where an operator changed it.",
        ),
        sa.Column("origin", sa.Text(), server_default="operator", nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "misfire",
            sa.Text(),
            server_default="run_once",
            nullable=False,
            comment="What becomes of slots found late.",
        ),
        sa.Column(
            "misfire_limit",
            sa.Integer(),
            server_default=sa.text("100"),
            nullable=False,
            comment="At most so many at once.",
        ),
        sa.Column(
            "grace_ms",
            sa.Integer(),
            server_default=sa.text("60000"),
            nullable=False,
            comment="Later than this is late.",
        ),
        sa.Column(
            "checked_until",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Every slot up to and including this moment has its occurrence.",
        ),
        sa.Column(
            "retired",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Switched off because the code no longer declares it; comes back on when it does.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "misfire IN ('skip', 'run_once', 'run_all')", name=op.f("schedules_misfire_check")
        ),
        sa.CheckConstraint("origin IN ('code', 'operator')", name=op.f("schedules_origin_check")),
        sa.CheckConstraint("misfire_limit >= 0 AND grace_ms >= 0", name=op.f("schedules_limits_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("schedules_pkey")),
        sa.UniqueConstraint("job_name", "key", name=op.f("schedules_job_name_key_key")),
        schema="callboard",
        comment="One row per schedule: a job, a cron expression, a time zone, arguments.",
    )
    op.create_table(
        "schema_state",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("schema_state_pkey")),
        schema="callboard",
        comment="One row per fact about the schema itself; `fingerprint` is that of the SQL that made it.",
    )
