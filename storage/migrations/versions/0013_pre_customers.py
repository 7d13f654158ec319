"""Customers, what they have bought, and the portal."""

import sqlalchemy as sa
from alembic import op

revision = "0013_pre_customers"
down_revision = "0012_pre_schedules"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "loyalty_tiers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False, comment="1 is the lowest."),
        sa.Column("points", sa.Integer(), nullable=False, comment="From which one has it."),
        sa.Column(
            "multiplier",
            sa.Numeric(precision=4, scale=2),
            server_default=sa.text("1"),
            nullable=False,
            comment="Of jobs' points.",
        ),
        sa.Column(
            "bonus",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Points for reaching it, once.",
        ),
        sa.CheckConstraint(
            "points >= 0 AND multiplier >= 1 AND bonus >= 0", name=op.f("loyalty_tiers_points_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("loyalty_tiers_pkey")),
        sa.UniqueConstraint("name", name=op.f("loyalty_tiers_name_key")),
        sa.UniqueConstraint("points", name=op.f("loyalty_tiers_points_key")),
        sa.UniqueConstraint("rank", name=op.f("loyalty_tiers_rank_key")),
        schema="business",
        comment="One row per tier.",
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True, comment="E.164: +33612345678."),
        sa.Column(
            "time_zone",
            sa.Text(),
            server_default="UTC",
            nullable=False,
            comment="IANA name; messages come at decent hours there.",
        ),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("birthday", sa.Date(), nullable=True),
        sa.Column(
            "whatsapp_consent_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Since when WhatsApp messages may be sent; NULL: they may not.",
        ),
        sa.Column(
            "email_consent_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Since when e-mail may be sent; NULL: it may not.",
        ),
        sa.Column(
            "marketing_consent_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Since when promotions may be sent at all.",
        ),
        sa.Column("tier_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "points",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="The sum of points_ledger.",
        ),
        sa.Column("referral_code", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("email LIKE '%_@_%'", name=op.f("customers_email_check")),
        sa.CheckConstraint("phone ~ '^\\+[1-9][0-9]{6,14}$'", name=op.f("customers_phone_check")),
        sa.ForeignKeyConstraint(
            ["tier_id"],
            ["business.loyalty_tiers.id"],
            name=op.f("customers_tier_id_fkey"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("customers_pkey")),
        sa.UniqueConstraint("email", name=op.f("customers_email_key")),
        sa.UniqueConstraint("phone", name=op.f("customers_phone_key")),
        sa.UniqueConstraint("referral_code", name=op.f("customers_referral_code_key")),
        schema="business",
        comment="One row per customer.",
    )
    op.create_index("customers_tier_id_idx", "customers", ["tier_id"], unique=False, schema="business")
    op.create_table(
        "completed_jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("completed_jobs_amount_cents_check")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["business.customers.id"],
            name=op.f("completed_jobs_customer_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("completed_jobs_pkey")),
        schema="business",
        comment="One row per piece of work that was done for a customer.",
    )
    op.create_index(
        "completed_jobs_completed_at_idx", "completed_jobs", ["completed_at"], unique=False, schema="business"
    )
    op.create_index(
        "completed_jobs_customer_id_completed_at_idx",
        "completed_jobs",
        ["customer_id", "completed_at"],
        unique=False,
        schema="business",
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "deleted_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Since when the session is only history.",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["business.customers.id"],
            name=op.f("sessions_customer_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("sessions_pkey")),
        schema="business",
        comment="One row per login of a customer to the portal.",
    )
    op.create_index("sessions_customer_id_idx", "sessions", ["customer_id"], unique=False, schema="business")
    op.create_index(
        "sessions_expires_at_idx",
        "sessions",
        ["expires_at"],
        unique=False,
        schema="business",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "portal_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), server_default="/", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('login', 'view', 'download', 'booking', 'payment')",
            name=op.f("portal_events_kind_check"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["business.customers.id"],
            name=op.f("portal_events_customer_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("portal_events_pkey")),
        schema="business",
        comment="One row per thing that was done in the portal.",
    )
    op.create_index("portal_events_at_idx", "portal_events", ["at"], unique=False, schema="business")
    op.create_index(
        "portal_events_customer_id_idx", "portal_events", ["customer_id"], unique=False, schema="business"
    )
    op.create_table(
        "portal_daily",
        sa.Column("day", sa.Date(), nullable=False, comment="UTC."),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False, comment="Different ones."),
        sa.Column("sessions", sa.Integer(), nullable=False, comment="Different ones."),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("day", "kind", name=op.f("portal_daily_pkey")),
        schema="business",
        comment="One row per day and kind of portal event; kind `all` is over all of them.",
    )
