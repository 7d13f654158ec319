"""What runs waited for: sums in the rollups, and what is held back in the samples."""

import sqlalchemy as sa
from alembic import op

revision = "0022_pre_wait_parts"
down_revision = "0021_pre_bulk_runs"
branch_labels = None
depends_on = None

SUMS = {
    "lag_sum_ms": "From the slot to the message, of those whose wait counts.",
    "delay_sum_ms": "From the message to the end of its delay, of the same.",
    "hand_sum_ms": "Of wait_sum_ms, what passed in a worker's hand before the start.",
}


def upgrade() -> None:
    for name, comment in SUMS.items():
        column = sa.Column(
            name, sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment=comment
        )
        op.add_column("rollups", column, schema="callboard")
    op.add_column(
        "queue_samples",
        sa.Column(
            "parked",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Held back by a limit, a mutex, a breaker or a pause.",
        ),
        schema="callboard",
    )
