"""What tokens are limited to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009_pre_dead_letters"
down_revision = "0004_pre_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "tokens",
        sa.Column(
            "permissions",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="All that it may do; NULL: whatever its role may.",
        ),
        schema="callboard",
    )
    op.add_column(
        "tokens",
        sa.Column(
            "jobs",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="The jobs that it may do it with; NULL: all of them.",
        ),
        schema="callboard",
    )
    op.add_column("tokens", sa.Column("created_by", sa.Text(), nullable=True), schema="callboard")
