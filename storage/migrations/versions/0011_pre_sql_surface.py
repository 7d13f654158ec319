"""What finds runs by the schedule that fired them, and by when they finished."""

import sqlalchemy as sa
from alembic import op

revision = "0011_pre_sql_surface"
down_revision = "0010_pre_control"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "runs_finished_idx",
        "runs",
        ["finished_at"],
        unique=False,
        schema="callboard",
        postgresql_using="brin",
        postgresql_with={"autosummarize": True, "pages_per_range": 16},
    )
    op.create_index(
        "runs_schedule_idx",
        "runs",
        ["schedule_id", sa.text("started_at DESC")],
        unique=False,
        schema="callboard",
        postgresql_where=sa.text("schedule_id IS NOT NULL"),
    )
