"""Who may do what, and who did: users, their sessions, API tokens, the audit log."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from callboard.storage.tables.base import NOW, metadata, moment, one_of

ROLES = ("viewer", "operator", "admin")
NEW_ID = text("gen_random_uuid()")

users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=NEW_ID),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, comment="NULL for whoever signs in with a provider."),
    moment("created_at", nullable=False, server_default=NOW),
    moment("disabled_at"),
    Column("issuer", Text, comment="The OpenID Connect provider that vouches for them, and"),
    Column("subject", Text, comment="what it knows them by."),
    CheckConstraint(one_of("role", *ROLES), name="role"),
    CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="provider"),
    UniqueConstraint("issuer", "subject"),
    comment="One row per person who may log in.",
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=NEW_ID),
    Column("user_id", Uuid, ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    moment("created_at", nullable=False, server_default=NOW),
    moment("last_seen_at", nullable=False, server_default=NOW),
    moment("expires_at", nullable=False, index=True),
    moment("revoked_at"),
    comment="One row per login.",
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=NEW_ID),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    moment("created_at", nullable=False, server_default=NOW),
    moment("expires_at"),
    moment("revoked_at"),
    moment("last_used_at"),
    Column("permissions", ARRAY(Text), comment="All that it may do; NULL: whatever its role may."),
    Column("jobs", ARRAY(Text), comment="The jobs that it may do it with; NULL: all of them."),
    Column("created_by", Text),
    CheckConstraint(one_of("role", *ROLES), name="role"),
    comment="One row per API token; only its hash is kept.",
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    moment("at", nullable=False, server_default=NOW),
    Column("who", Text, nullable=False),
    Column("role", Text),
    Column("origin", Text, nullable=False),
    Column("address", Text),
    Column("action", Text, nullable=False),
    Column("target", Text),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("outcome", Text, nullable=False, server_default="done"),
    Column("reason", Text),
    CheckConstraint(one_of("origin", "api", "panel", "cli", "sql"), name="origin"),
    CheckConstraint(one_of("outcome", "done", "refused"), name="outcome"),
    Index("audit_at_idx", text("at DESC")),
    Index("audit_target_at_idx", "target", text("at DESC")),
    comment="One row per action that changed something, or that was refused.",
)
