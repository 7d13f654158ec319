"""Points, tiers, achievements, referrals."""

import sqlalchemy as sa
from alembic import op

revision = "0014_pre_loyalty"
down_revision = "0013_pre_customers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tier_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("from_tier_id", sa.BigInteger(), nullable=True),
        sa.Column("to_tier_id", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False, comment="That the customer had."),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["business.customers.id"],
            name=op.f("tier_changes_customer_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["from_tier_id"],
            ["business.loyalty_tiers.id"],
            name=op.f("tier_changes_from_tier_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["to_tier_id"],
            ["business.loyalty_tiers.id"],
            name=op.f("tier_changes_to_tier_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("tier_changes_pkey")),
        schema="business",
        comment="One row per customer's change of tier.",
    )
    op.create_index(
        "tier_changes_customer_id_idx", "tier_changes", ["customer_id"], unique=False, schema="business"
    )
    op.create_index(
        "tier_changes_from_tier_id_idx", "tier_changes", ["from_tier_id"], unique=False, schema="business"
    )
    op.create_index(
        "tier_changes_to_tier_id_idx", "tier_changes", ["to_tier_id"], unique=False, schema="business"
    )
    op.create_table(
        "points_ledger",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False, comment="Negative where points were spent."),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "reference",
            sa.Text(),
            nullable=False,
            comment="What they were for; with reason and customer, unique.",
        ),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "reason IN ('job', 'achievement', 'referral', 'tier', 'redeemed')",
            name=op.f("points_ledger_reason_check"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["business.customers.id"],
            name=op.f("points_ledger_customer_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("points_ledger_pkey")),
        sa.UniqueConstraint(
            "customer_id", "reason", "reference", name=op.f("points_ledger_customer_id_reason_reference_key")
        ),
        schema="business",
        comment="One row per gain or loss of points. Never changed, never removed.",
    )
    op.create_table(
        "achievements",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "threshold", sa.Integer(), nullable=False, comment="Jobs, cents, referrals, reviews or days."
        ),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('jobs', 'spent', 'referrals', 'reviews', 'days')", name=op.f("achievements_kind_check")
        ),
        sa.CheckConstraint("threshold > 0 AND points >= 0", name=op.f("achievements_threshold_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("achievements_pkey")),
        sa.UniqueConstraint("code", name=op.f("achievements_code_key")),
        schema="business",
        comment="One row per achievement that customers may reach.",
    )
    op.create_table(
        "customer_achievements",
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("achievement_id", sa.BigInteger(), nullable=False),
        sa.Column("awarded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["achievement_id"],
            ["business.achievements.id"],
            name=op.f("customer_achievements_achievement_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["business.customers.id"],
            name=op.f("customer_achievements_customer_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("customer_id", "achievement_id", name=op.f("customer_achievements_pkey")),
        schema="business",
        comment="One row per achievement that a customer has reached.",
    )
    op.create_index(
        "customer_achievements_achievement_id_idx",
        "customer_achievements",
        ["achievement_id"],
        unique=False,
        schema="business",
    )
    op.create_table(
        "referrals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("referrer_id", sa.BigInteger(), nullable=False),
        sa.Column("referred_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "converted_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the referred customer's first job was completed.",
        ),
        sa.Column("rewarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'rewarded', 'expired')", name=op.f("referrals_status_check")
        ),
        sa.CheckConstraint("referrer_id <> referred_id", name=op.f("referrals_referred_id_check")),
        sa.ForeignKeyConstraint(
            ["referred_id"],
            ["business.customers.id"],
            name=op.f("referrals_referred_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["referrer_id"],
            ["business.customers.id"],
            name=op.f("referrals_referrer_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("referrals_pkey")),
        sa.UniqueConstraint("referred_id", name=op.f("referrals_referred_id_key")),
        schema="business",
        comment="One row per customer who came by another's recommendation.",
    )
    op.create_index(
        "referrals_pending_idx",
        "referrals",
        ["id"],
        unique=False,
        schema="business",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "referrals_referrer_id_idx", "referrals", ["referrer_id"], unique=False, schema="business"
    )
