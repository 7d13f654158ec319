"""Opportunities, offers, reviews."""

import sqlalchemy as sa
from alembic import op

revision = "0016_pre_opportunities"
down_revision = "0015_pre_outbound"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "opportunities",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("value_cents", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "missed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the customer's chance passed by without an answer of ours.",
        ),
        sa.Column(
            "closed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was won, lost or expired.",
        ),
        sa.CheckConstraint(
            "(closed_at IS NOT NULL) = (status IN ('won', 'lost', 'expired'))",
            name=op.f("opportunities_closed_at_check"),
        ),
        sa.CheckConstraint(
            "source IN ('missed_call', 'abandoned_quote', 'expired_quote', 'web_form')",
            name=op.f("opportunities_source_check"),
        ),
        sa.CheckConstraint(
            "status IN ('open', 'offered', 'won', 'lost', 'expired')", name=op.f("opportunities_status_check")
        ),
        sa.CheckConstraint("value_cents >= 0", name=op.f("opportunities_value_cents_check")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["business.customers.id"],
            name=op.f("opportunities_customer_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("opportunities_pkey")),
        schema="business",
        comment="One row per chance to do business with a customer.",
    )
    op.create_index(
        "opportunities_closed_at_idx", "opportunities", ["closed_at"], unique=False, schema="business"
    )
    op.create_index(
        "opportunities_created_at_idx", "opportunities", ["created_at"], unique=False, schema="business"
    )
    op.create_index(
        "opportunities_customer_id_idx", "opportunities", ["customer_id"], unique=False, schema="business"
    )
    op.create_index(
        "opportunities_missed_idx",
        "opportunities",
        ["id"],
        unique=False,
        schema="business",
        postgresql_where=sa.text("status = 'open' AND missed_at IS NOT NULL"),
    )
    op.create_index(
        "opportunities_offered_idx",
        "opportunities",
        ["id"],
        unique=False,
        schema="business",
        postgresql_where=sa.text("status = 'offered'"),
    )
    op.create_table(
        "offers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("opportunity_id", sa.BigInteger(), nullable=False),
        sa.Column("discount_percent", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminders", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_reminder_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbound_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("discount_percent BETWEEN 0 AND 100", name=op.f("offers_discount_percent_check")),
        sa.CheckConstraint("expires_at > made_at", name=op.f("offers_expires_at_check")),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["business.opportunities.id"],
            name=op.f("offers_opportunity_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["outbound_id"],
            ["business.OutboundJob.id"],
            name=op.f("offers_outbound_id_fkey"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("offers_pkey")),
        sa.UniqueConstraint("opportunity_id", name=op.f("offers_opportunity_id_key")),
        schema="business",
        comment="One row per automated offer; an opportunity has one at most.",
    )
    op.create_index("offers_made_at_idx", "offers", ["made_at"], unique=False, schema="business")
    op.create_index("offers_outbound_id_idx", "offers", ["outbound_id"], unique=False, schema="business")
    op.create_table(
        "opportunity_daily",
        sa.Column("day", sa.Date(), nullable=False, comment="UTC."),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("offered", sa.Integer(), nullable=False),
        sa.Column("won", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.Column("expired", sa.Integer(), nullable=False),
        sa.Column("created_cents", sa.BigInteger(), nullable=False),
        sa.Column("won_cents", sa.BigInteger(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("day", "source", name=op.f("opportunity_daily_pkey")),
        schema="business",
        comment="One row per day and source: what was created and what became of opportunities on that day.",
    )
    op.create_table(
        "review_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("completed_job_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default="requested", nullable=False),
        sa.Column(
            "requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("reminders", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_reminder_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column(
            "escalated_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When a bad review was given to a person.",
        ),
        sa.Column("outbound_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "status IN ('requested', 'reviewed', 'escalated', 'expired')",
            name=op.f("review_requests_status_check"),
        ),
        sa.CheckConstraint(
            "(rating IS NOT NULL) = (reviewed_at IS NOT NULL)", name=op.f("review_requests_reviewed_at_check")
        ),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("review_requests_rating_check")),
        sa.ForeignKeyConstraint(
            ["completed_job_id"],
            ["business.completed_jobs.id"],
            name=op.f("review_requests_completed_job_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["business.customers.id"],
            name=op.f("review_requests_customer_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["outbound_id"],
            ["business.OutboundJob.id"],
            name=op.f("review_requests_outbound_id_fkey"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("review_requests_pkey")),
        sa.UniqueConstraint("completed_job_id", name=op.f("review_requests_completed_job_id_key")),
        schema="business",
        comment="One row per completed job whose customer was asked for a review.",
    )
    op.create_index(
        "review_requests_customer_id_idx", "review_requests", ["customer_id"], unique=False, schema="business"
    )
    op.create_index(
        "review_requests_open_idx",
        "review_requests",
        ["id"],
        unique=False,
        schema="business",
        postgresql_where=sa.text("status IN ('requested', 'reviewed')"),
    )
    op.create_index(
        "review_requests_outbound_id_idx", "review_requests", ["outbound_id"], unique=False, schema="business"
    )
