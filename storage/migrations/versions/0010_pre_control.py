"""What operators hold back, what breakers have done, and which run does which again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010_pre_control"
down_revision = "0009_pre_dead_letters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pauses",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column(
            "name",
            sa.Text(),
            nullable=False,
            comment="Of the queue or the job; empty for everything.",
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("paused_by", sa.Text(), server_default=sa.text("session_user"), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("scope IN ('all', 'queue', 'job')", name=op.f("pauses_scope_check")),
        sa.CheckConstraint("(scope = 'all') = (name = '')", name=op.f("pauses_name_check")),
        sa.PrimaryKeyConstraint("scope", "name", name=op.f("pauses_pkey")),
        schema="callboard",
        comment="One row per queue or job that is paused, or for everything. Read by the fleet at once.",
    )
    op.create_table(
        "breaker_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("breaker", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("job", sa.Text(), nullable=True, comment="Whose run it was."),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "to_state IN ('closed', 'open', 'half_open')", name=op.f("breaker_changes_to_state_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("breaker_changes_pkey")),
        schema="callboard",
        comment="One row per change of a circuit breaker's state.",
    )
    op.create_index(
        "breaker_changes_breaker_at_idx",
        "breaker_changes",
        ["breaker", sa.text("at DESC")],
        schema="callboard",
    )
    op.create_index("breaker_changes_at_idx", "breaker_changes", ["at"], schema="callboard")
    op.add_column(
        "runs",
        sa.Column("retry_of", sa.Uuid(), nullable=True, comment="The run that this one does again."),
        schema="callboard",
    )
    op.add_column(
        "runs",
        sa.Column(
            "flow",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="The chain and the group that it is a part of.",
        ),
        schema="callboard",
    )
    op.create_index(
        "runs_group_idx",
        "runs",
        [sa.text("(flow -> 'group' ->> 'id')")],
        schema="callboard",
        postgresql_where=sa.text("flow -> 'group' IS NOT NULL"),
    )
    op.create_index(
        "runs_retry_of_idx",
        "runs",
        ["retry_of"],
        schema="callboard",
        postgresql_where=sa.text("retry_of IS NOT NULL"),
    )
