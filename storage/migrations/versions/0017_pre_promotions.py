"""Promotions, their triggers, deliveries and figures."""

import sqlalchemy as sa
from alembic import op

revision = "0017_pre_promotions"
down_revision = "0016_pre_opportunities"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "promotions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False, comment="With {name}, {discount} and {promotion}."),
        sa.Column("discount_percent", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('draft', 'active', 'ended')", name=op.f("promotions_status_check")),
        sa.CheckConstraint(
            "discount_percent BETWEEN 0 AND 100", name=op.f("promotions_discount_percent_check")
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("promotions_ends_at_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("promotions_pkey")),
        sa.UniqueConstraint("name", name=op.f("promotions_name_key")),
        schema="business",
        comment="One row per promotion.",
    )
    op.create_table(
        "promotion_triggers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("promotion_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "days",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Of inactivity, or since joining.",
        ),
        sa.Column(
            "amount_cents", sa.BigInteger(), nullable=True, comment="What was spent, for the kind `spent`."
        ),
        sa.Column("cooldown_days", sa.Integer(), server_default=sa.text("90"), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("last_evaluated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(amount_cents IS NOT NULL) = (kind = 'spent')",
            name=op.f("promotion_triggers_amount_cents_check"),
        ),
        sa.CheckConstraint(
            "kind IN ('inactive', 'birthday', 'joined', 'spent')", name=op.f("promotion_triggers_kind_check")
        ),
        sa.CheckConstraint("cooldown_days >= 1 AND days >= 0", name=op.f("promotion_triggers_days_check")),
        sa.ForeignKeyConstraint(
            ["promotion_id"],
            ["business.promotions.id"],
            name=op.f("promotion_triggers_promotion_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("promotion_triggers_pkey")),
        schema="business",
        comment="One row per condition that gives a promotion to a customer.",
    )
    op.create_index(
        "promotion_triggers_promotion_id_idx",
        "promotion_triggers",
        ["promotion_id"],
        unique=False,
        schema="business",
    )
    op.create_table(
        "promotion_deliveries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("promotion_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("trigger_id", sa.BigInteger(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False, comment="The day for which the customer was chosen."),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it was passed over."),
        sa.Column("queued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "handled_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was handed to the outbound runner, or passed over.",
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revenue_cents", sa.BigInteger(), nullable=True),
        sa.Column("outbound_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "status IN ('queued', 'sent', 'failed', 'passed_over')",
            name=op.f("promotion_deliveries_status_check"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["business.customers.id"],
            name=op.f("promotion_deliveries_customer_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["outbound_id"],
            ["business.OutboundJob.id"],
            name=op.f("promotion_deliveries_outbound_id_fkey"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["promotion_id"],
            ["business.promotions.id"],
            name=op.f("promotion_deliveries_promotion_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["trigger_id"],
            ["business.promotion_triggers.id"],
            name=op.f("promotion_deliveries_trigger_id_fkey"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("promotion_deliveries_pkey")),
        sa.UniqueConstraint(
            "promotion_id",
            "customer_id",
            "due_on",
            name=op.f("promotion_deliveries_promotion_id_customer_id_due_on_key"),
        ),
        schema="business",
        comment="One row per promotion that a customer is to have.",
    )
    op.create_index(
        "promotion_deliveries_customer_id_idx",
        "promotion_deliveries",
        ["customer_id"],
        unique=False,
        schema="business",
    )
    op.create_index(
        "promotion_deliveries_outbound_id_idx",
        "promotion_deliveries",
        ["outbound_id"],
        unique=False,
        schema="business",
    )
    op.create_index(
        "promotion_deliveries_queued_at_idx",
        "promotion_deliveries",
        ["queued_at"],
        unique=False,
        schema="business",
    )
    op.create_index(
        "promotion_deliveries_queued_idx",
        "promotion_deliveries",
        ["id"],
        unique=False,
        schema="business",
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "promotion_deliveries_trigger_id_idx",
        "promotion_deliveries",
        ["trigger_id"],
        unique=False,
        schema="business",
    )
    op.create_table(
        "promotion_daily",
        sa.Column("day", sa.Date(), nullable=False, comment="UTC."),
        sa.Column("promotion_id", sa.BigInteger(), nullable=False),
        sa.Column("queued", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("passed_over", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("redeemed", sa.Integer(), nullable=False),
        sa.Column("revenue_cents", sa.BigInteger(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["promotion_id"],
            ["business.promotions.id"],
            name=op.f("promotion_daily_promotion_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("promotion_id", "day", name=op.f("promotion_daily_pkey")),
        schema="business",
        comment="One row per promotion and day on which deliveries were queued: what became of them.",
    )
