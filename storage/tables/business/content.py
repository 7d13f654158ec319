"""Streaming videos, and the game platform's competitors."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    Uuid,
    text,
)

from callboard.storage.tables.base import FALSE, NOW, ZERO, metadata, moment, one_of
from callboard.storage.tables.business.base import SCHEMA, key, words

streamings = Table(
    "streamings",
    metadata,
    key(),
    words("external_id", unique=True),
    words("provider", server_default="cloudflare"),
    words("title", server_default=""),
    words("status", server_default="queued"),
    Column("duration", Numeric(10, 1), comment="Seconds."),
    Column("error", Text),
    moment("created_at", nullable=False, server_default=NOW),
    moment("checked_at"),
    CheckConstraint(one_of("status", "queued", "ready", "error"), name="status"),
    Index("streamings_queued_idx", "id", postgresql_where=text("status = 'queued'")),
    schema=SCHEMA,
    comment="One row per video at a streaming provider.",
)

profiles = Table(
    "profiles",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    words("name"),
    words("email", unique=True),
    words("role", server_default="coach"),
    moment("created_at", nullable=False, server_default=NOW),
    CheckConstraint(one_of("role", "coach", "admin"), name="role"),
    schema=SCHEMA,
    comment="One row per coach.",
)

competitors = Table(
    "competitors",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("coach_id", Uuid, ForeignKey(f"{SCHEMA}.profiles.id", ondelete="CASCADE"), nullable=False),
    words("name"),
    words("email", unique=True, comment="By which the game platform knows the competitor."),
    Column("platform_id", Text, unique=True, comment="NULL: not linked to the game platform."),
    Column("needs_totals_refresh", Boolean, nullable=False, server_default=FALSE),
    moment("synced_at"),
    Index("competitors_coach_id_idx", "coach_id"),
    Index("competitors_flagged_idx", "id", postgresql_where=text("needs_totals_refresh")),
    schema=SCHEMA,
    comment="One row per competitor.",
)

challenge_solves = Table(
    "challenge_solves",
    metadata,
    key(),
    Column("competitor_id", Uuid, ForeignKey(f"{SCHEMA}.competitors.id", ondelete="CASCADE"), nullable=False),
    words("solve_id", unique=True, comment="The platform's."),
    words("challenge"),
    words("category"),
    Column("points", Integer, nullable=False),
    moment("solved_at", nullable=False),
    moment("synced_at", nullable=False, server_default=NOW),
    Index("challenge_solves_competitor_id_solved_at_idx", "competitor_id", "solved_at"),
    schema=SCHEMA,
    comment="One row per challenge that a competitor has solved.",
)

competitor_totals = Table(
    "competitor_totals",
    metadata,
    Column(
        "competitor_id", Uuid, ForeignKey(f"{SCHEMA}.competitors.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("solves", Integer, nullable=False, server_default=ZERO),
    Column("points", BigInteger, nullable=False, server_default=ZERO),
    Column("rank", Integer),
    moment("last_solve_at"),
    moment("refreshed_at", nullable=False, server_default=NOW),
    schema=SCHEMA,
    comment="One row per competitor: the figures over all solves, as the platform tells them.",
)
