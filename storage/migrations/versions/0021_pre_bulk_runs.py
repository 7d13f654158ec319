"""Actions on many runs; indexes for finding runs."""

import sqlalchemy as sa
from alembic import op

revision = "0021_pre_bulk_runs"
down_revision = "0020_pre_queue_samples"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("bulk_actions_what_check"), "bulk_actions", schema="callboard", type_="check")
    op.create_check_constraint(
        op.f("bulk_actions_what_check"),
        "bulk_actions",
        "what IN ('requeue', 'drop', 'retry', 'cancel')",
        schema="callboard",
    )
    op.create_table_comment(
        "bulk_actions",
        "One row per action on many dead letters (requeue, drop) or on many runs (retry, cancel).",
        schema="callboard",
        existing_comment="One row per action on many dead letters.",
    )
    op.create_index(
        "runs_unsuccessful_idx",
        "runs",
        ["enqueued_at", "run_id"],
        unique=False,
        schema="callboard",
        postgresql_where=sa.text("state <> 'succeeded'"),
    )
    op.create_index(
        "runs_enqueued_idx",
        "runs",
        ["enqueued_at"],
        unique=False,
        schema="callboard",
        postgresql_using="brin",
        postgresql_with={"autosummarize": True, "pages_per_range": 16},
    )
