"""Samples of the queues."""

import sqlalchemy as sa
from alembic import op

revision = "0020_pre_queue_samples"
down_revision = "0019_pre_air_quality"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "queue_samples",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False, comment="What is due and waits for a worker."),
        sa.Column("oldest_due_ms", sa.BigInteger(), nullable=False),
        sa.Column("in_flight", sa.Integer(), nullable=False, comment="Taken by workers, not yet finished."),
        sa.Column("dead", sa.Integer(), nullable=False),
        sa.Column("workers", sa.Integer(), nullable=False, comment="Alive, and serving the queue."),
        sa.Column("slots", sa.Integer(), nullable=False, comment="Their threads."),
        sa.Column(
            "busy", sa.Integer(), nullable=False, comment="Of the threads, those with work of this queue."
        ),
        sa.PrimaryKeyConstraint("queue", "at", name=op.f("queue_samples_pkey")),
        schema="callboard",
        comment="One row per queue and ten seconds: how much waited, and who was there to do it.",
    )
    op.create_index("queue_samples_at_idx", "queue_samples", ["at"], unique=False, schema="callboard")
