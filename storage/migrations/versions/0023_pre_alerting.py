"""Alerts that are acknowledged, silenced, and sent to people."""

import sqlalchemy as sa
from alembic import op

revision = "0023_pre_alerting"
down_revision = "0022_pre_wait_parts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "alerts", sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True), schema="callboard"
    )
    op.add_column("alerts", sa.Column("acknowledged_by", sa.Text(), nullable=True), schema="callboard")
    op.add_column("alerts", sa.Column("ack_note", sa.Text(), nullable=True), schema="callboard")
    op.create_table(
        "silences",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True, comment="Of the alerts; null for every kind."),
        sa.Column(
            "subject",
            sa.Text(),
            nullable=True,
            comment="Of the alerts, where * stands for anything; null for every subject.",
        ),
        sa.Column("from_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), server_default=sa.text("session_user"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True, comment="Who ended it before its time."),
        sa.CheckConstraint("until_at >= from_at", name=op.f("silences_order_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("silences_pkey")),
        schema="callboard",
        comment="One row per window of time in which nobody is told of some alerts.",
    )
    op.create_index("silences_until_at_idx", "silences", ["until_at"], unique=False, schema="callboard")
    op.create_table(
        "alert_messages",
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False, comment="Where it goes, without what is secret of it."),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("nth", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Of reminders."),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "claimed_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Until then it is a scheduler's that sends it.",
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "what IN ('opened', 'reminder', 'resolved')", name=op.f("alert_messages_what_check")
        ),
        sa.ForeignKeyConstraint(
            ["alert_id"],
            ["callboard.alerts.id"],
            name=op.f("alert_messages_alert_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("alert_id", "place", "what", "nth", name=op.f("alert_messages_pkey")),
        schema="callboard",
        comment="One row per alert, place and thing to tell of it: an outbox, and a record of what was sent.",
    )
    op.create_index(
        "alert_messages_unsent_idx",
        "alert_messages",
        ["place", "due_at"],
        unique=False,
        schema="callboard",
        postgresql_where=sa.text("sent_at IS NULL"),
    )
