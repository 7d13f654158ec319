"""What the samples of an hour add up to, made from those that there are."""

import sqlalchemy as sa
from alembic import op

revision = "0030_pre_sample_hours"
down_revision = "0029_pre_busy_time"
branch_labels = None
depends_on = None

SUMS = ("depth", "parked", "in_flight", "busy", "slots")

FILL = f"""
INSERT INTO callboard.queue_sample_hours
       (queue, bucket, samples, first_at, last_at, depth_max, dead_max
      , {", ".join(f"{name}_sum" for name in SUMS)})
SELECT queue, date_trunc('hour', at, 'UTC'), count(*), min(at), max(at), max(depth), max(dead)
     , {", ".join(f"sum({name})" for name in SUMS)}
  FROM callboard.queue_samples
 GROUP BY 1, 2
"""


def upgrade() -> None:
    op.create_table(
        "queue_sample_hours",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column(
            "bucket", sa.TIMESTAMP(timezone=True), nullable=False, comment="The start of the hour (UTC)."
        ),
        sa.Column("samples", sa.Integer(), nullable=False, comment="How many were taken in it."),
        sa.Column("first_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("last_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("depth_max", sa.Integer(), nullable=False),
        sa.Column("dead_max", sa.Integer(), nullable=False),
        *(sa.Column(f"{name}_sum", sa.BigInteger(), nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint("queue", "bucket", name=op.f("queue_sample_hours_pkey")),
        schema="callboard",
        comment="One row per queue and hour: what its samples add up to.",
    )
    op.create_index(
        "queue_sample_hours_bucket_idx", "queue_sample_hours", ["bucket"], unique=False, schema="callboard"
    )
    op.create_index(
        "queue_samples_idle_idx",
        "queue_samples",
        ["queue", "at"],
        unique=False,
        schema="callboard",
        postgresql_where=sa.text("depth = 0"),
    )
    op.execute(FILL)
