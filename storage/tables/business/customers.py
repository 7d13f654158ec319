"""Customers, what they have bought, and how they use the portal."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

from callboard.storage.tables.base import NOW, ZERO, metadata, moment, one_of
from callboard.storage.tables.business.base import SCHEMA, key, refers, words

customers = Table(
    "customers",
    metadata,
    key(),
    words("name"),
    words("email", unique=True),
    Column("phone", Text, unique=True, comment="E.164: +33612345678."),
    words("time_zone", server_default="UTC", comment="IANA name; messages come at decent hours there."),
    words("language", server_default="en"),
    Column("birthday", Date),
    moment("whatsapp_consent_at", comment="Since when WhatsApp messages may be sent; NULL: they may not."),
    moment("email_consent_at", comment="Since when e-mail may be sent; NULL: it may not."),
    moment("marketing_consent_at", comment="Since when promotions may be sent at all."),
    refers("tier_id", "loyalty_tiers", ondelete="RESTRICT"),
    Column("points", Integer, nullable=False, server_default=ZERO, comment="The sum of points_ledger."),
    words("referral_code", unique=True),
    moment("created_at", nullable=False, server_default=NOW),
    CheckConstraint(r"phone ~ '^\+[1-9][0-9]{6,14}$'", name="phone"),
    CheckConstraint("email LIKE '%_@_%'", name="email"),
    Index("customers_tier_id_idx", "tier_id"),
    schema=SCHEMA,
    comment="One row per customer.",
)

completed_jobs = Table(
    "completed_jobs",
    metadata,
    key(),
    refers("customer_id", "customers", nullable=False),
    words("title"),
    Column("amount_cents", BigInteger, nullable=False),
    moment("completed_at", nullable=False),
    CheckConstraint("amount_cents >= 0", name="amount_cents"),
    Index("completed_jobs_customer_id_completed_at_idx", "customer_id", "completed_at"),
    Index("completed_jobs_completed_at_idx", "completed_at"),
    schema=SCHEMA,
    comment="One row per piece of work that was done for a customer.",
)

portal_sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    refers("customer_id", "customers", nullable=False),
    moment("created_at", nullable=False, server_default=NOW),
    moment("expires_at", nullable=False),
    moment("deleted_at", comment="Since when the session is only history."),
    Index("sessions_customer_id_idx", "customer_id"),
    Index("sessions_expires_at_idx", "expires_at", postgresql_where=text("deleted_at IS NULL")),
    schema=SCHEMA,
    comment="One row per login of a customer to the portal.",
)

portal_events = Table(
    "portal_events",
    metadata,
    key(),
    refers("customer_id", "customers"),
    Column("session_id", Uuid),
    words("kind"),
    words("path", server_default="/"),
    moment("at", nullable=False, server_default=NOW),
    CheckConstraint(one_of("kind", "login", "view", "download", "booking", "payment"), name="kind"),
    Index("portal_events_at_idx", "at"),
    Index("portal_events_customer_id_idx", "customer_id"),
    schema=SCHEMA,
    comment="One row per thing that was done in the portal.",
)

portal_daily = Table(
    "portal_daily",
    metadata,
    Column("day", Date, nullable=False, comment="UTC."),
    words("kind"),
    Column("events", Integer, nullable=False),
    Column("customers", Integer, nullable=False, comment="Different ones."),
    Column("sessions", Integer, nullable=False, comment="Different ones."),
    moment("computed_at", nullable=False, server_default=NOW),
    PrimaryKeyConstraint("day", "kind"),
    schema=SCHEMA,
    comment="One row per day and kind of portal event; kind `all` is over all of them.",
)
