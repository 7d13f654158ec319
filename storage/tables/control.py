"""What operators hold back, and what breakers have done."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

from callboard.storage.tables.base import NOW, metadata, moment, one_of

pauses = Table(
    "pauses",
    metadata,
    Column("scope", Text, nullable=False),
    Column("name", Text, nullable=False, comment="Of the queue or the job; empty for everything."),
    Column("reason", Text, nullable=False),
    Column("paused_by", Text, nullable=False, server_default=text("session_user")),
    moment("paused_at", nullable=False, server_default=NOW),
    PrimaryKeyConstraint("scope", "name"),
    CheckConstraint(one_of("scope", "all", "queue", "job"), name="scope"),
    CheckConstraint("(scope = 'all') = (name = '')", name="name"),
    comment="One row per queue or job that is paused, or for everything. Read by the fleet at once.",
)

breaker_changes = Table(
    "breaker_changes",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("breaker", Text, nullable=False),
    moment("at", nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("cause", Text),
    Column("job", Text, comment="Whose run it was."),
    Column("run_id", Uuid),
    CheckConstraint(one_of("to_state", "closed", "open", "half_open"), name="to_state"),
    Index("breaker_changes_breaker_at_idx", "breaker", text("at DESC")),
    Index("breaker_changes_at_idx", "at"),
    comment="One row per change of a circuit breaker's state.",
)
