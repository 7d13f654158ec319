"""Loyalty: tiers, points, achievements, referrals."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)

from callboard.storage.tables.base import NOW, ZERO, metadata, moment, one_of
from callboard.storage.tables.business.base import SCHEMA, key, refers, words

loyalty_tiers = Table(
    "loyalty_tiers",
    metadata,
    key(),
    words("name", unique=True),
    Column("rank", Integer, nullable=False, unique=True, comment="1 is the lowest."),
    Column("points", Integer, nullable=False, unique=True, comment="From which one has it."),
    Column("multiplier", Numeric(4, 2), nullable=False, server_default=text("1"), comment="Of jobs' points."),
    Column("bonus", Integer, nullable=False, server_default=ZERO, comment="Points for reaching it, once."),
    CheckConstraint("points >= 0 AND multiplier >= 1 AND bonus >= 0", name="points"),
    schema=SCHEMA,
    comment="One row per tier.",
)

tier_changes = Table(
    "tier_changes",
    metadata,
    key(),
    refers("customer_id", "customers", nullable=False),
    refers("from_tier_id", "loyalty_tiers"),
    refers("to_tier_id", "loyalty_tiers", nullable=False),
    Column("points", Integer, nullable=False, comment="That the customer had."),
    moment("changed_at", nullable=False, server_default=NOW),
    Index("tier_changes_customer_id_idx", "customer_id"),
    Index("tier_changes_from_tier_id_idx", "from_tier_id"),
    Index("tier_changes_to_tier_id_idx", "to_tier_id"),
    schema=SCHEMA,
    comment="One row per customer's change of tier.",
)

points_ledger = Table(
    "points_ledger",
    metadata,
    key(),
    refers("customer_id", "customers", nullable=False),
    Column("points", Integer, nullable=False, comment="Negative where points were spent."),
    words("reason"),
    words("reference", comment="What they were for; with reason and customer, unique."),
    moment("at", nullable=False, server_default=NOW),
    UniqueConstraint("customer_id", "reason", "reference"),
    CheckConstraint(one_of("reason", "job", "achievement", "referral", "tier", "redeemed"), name="reason"),
    schema=SCHEMA,
    comment="One row per gain or loss of points. Never changed, never removed.",
)

achievements = Table(
    "achievements",
    metadata,
    key(),
    words("code", unique=True),
    words("name"),
    words("kind"),
    Column("threshold", Integer, nullable=False, comment="Jobs, cents, referrals, reviews or days."),
    Column("points", Integer, nullable=False),
    CheckConstraint(one_of("kind", "jobs", "spent", "referrals", "reviews", "days"), name="kind"),
    CheckConstraint("threshold > 0 AND points >= 0", name="threshold"),
    schema=SCHEMA,
    comment="One row per achievement that customers may reach.",
)

customer_achievements = Table(
    "customer_achievements",
    metadata,
    refers("customer_id", "customers", nullable=False),
    refers("achievement_id", "achievements", nullable=False),
    moment("awarded_at", nullable=False, server_default=NOW),
    PrimaryKeyConstraint("customer_id", "achievement_id"),
    Index("customer_achievements_achievement_id_idx", "achievement_id"),
    schema=SCHEMA,
    comment="One row per achievement that a customer has reached.",
)

referrals = Table(
    "referrals",
    metadata,
    key(),
    refers("referrer_id", "customers", nullable=False),
    refers("referred_id", "customers", nullable=False, unique=True),
    words("status", server_default="pending"),
    moment("created_at", nullable=False, server_default=NOW),
    moment("converted_at", comment="When the referred customer's first job was completed."),
    moment("rewarded_at"),
    CheckConstraint(one_of("status", "pending", "rewarded", "expired"), name="status"),
    CheckConstraint("referrer_id <> referred_id", name="referred_id"),
    Index("referrals_referrer_id_idx", "referrer_id"),
    Index("referrals_pending_idx", "id", postgresql_where=text("status = 'pending'")),
    schema=SCHEMA,
    comment="One row per customer who came by another's recommendation.",
)
