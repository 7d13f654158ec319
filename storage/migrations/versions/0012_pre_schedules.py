"""The ledger of all jobs together, the latest first."""

import sqlalchemy as sa
from alembic import op

revision = "0012_pre_schedules"
down_revision = "0011_pre_sql_surface"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "occurrences_due_at_schedule_id_idx",
        "occurrences",
        [sa.text("due_at DESC"), sa.text("schedule_id DESC")],
        unique=False,
        schema="callboard",
    )
