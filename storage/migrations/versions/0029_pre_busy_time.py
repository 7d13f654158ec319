"""How long attempts kept threads busy, whatever came of them."""

import sqlalchemy as sa
from alembic import op

revision = "0029_pre_busy_time"
down_revision = "0028_pre_queue_rollups"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "What all attempts that ended took, retried ones too; NULL in old rows: see duration_sum_ms."
    op.add_column("rollups", sa.Column("busy_sum_ms", sa.BigInteger(), comment=comment), schema="callboard")
