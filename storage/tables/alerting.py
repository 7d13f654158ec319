"""Who is told of alerts, and who is not: messages that go out, and windows in which none does."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from callboard.storage.tables.base import NOW, ZERO, metadata, moment, one_of
from callboard.storage.tables.health import alerts

silences = Table(
    "silences",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("kind", Text, comment="Of the alerts; null for every kind."),
    Column("subject", Text, comment="Of the alerts, where * stands for anything; null for every subject."),
    moment("from_at", nullable=False, server_default=NOW),
    moment("until_at", nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_by", Text, nullable=False, server_default=text("session_user")),
    moment("created_at", nullable=False, server_default=NOW),
    Column("ended_by", Text, comment="Who ended it before its time."),
    CheckConstraint("until_at >= from_at", name="order"),
    Index("silences_until_at_idx", "until_at"),
    comment="One row per window of time in which nobody is told of some alerts.",
)

alert_messages = Table(
    "alert_messages",
    metadata,
    Column("alert_id", BigInteger, ForeignKey(alerts.c.id, ondelete="CASCADE"), nullable=False),
    Column("place", Text, nullable=False, comment="Where it goes, without what is secret of it."),
    Column("what", Text, nullable=False),
    Column("nth", Integer, nullable=False, server_default=ZERO, comment="Of reminders."),
    Column("severity", Text, nullable=False),
    moment("created_at", nullable=False, server_default=NOW),
    moment("due_at", nullable=False),
    Column("attempts", Integer, nullable=False, server_default=ZERO),
    moment("claimed_until", comment="Until then it is a scheduler's that sends it."),
    moment("sent_at"),
    Column("last_error", Text),
    PrimaryKeyConstraint("alert_id", "place", "what", "nth"),
    CheckConstraint(one_of("what", "opened", "reminder", "resolved"), name="what"),
    Index("alert_messages_unsent_idx", "place", "due_at", postgresql_where=text("sent_at IS NULL")),
    comment="One row per alert, place and thing to tell of it: an outbox, and a record of what was sent.",
)
