"""The uptime log, and the figures that tell whether the parts around the database keep up."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

_STORE = text("""
INSERT INTO callboard.uptime_checks (status, duration_ms, checks)
VALUES (:status, :duration_ms, :checks)
""").bindparams(bindparam("checks", type_=JSONB))

_POSITION = text("SELECT last_id FROM callboard.stream_position WHERE stream = :stream")

_UNSENT = text("""
SELECT count(*), min(greatest(created_at, not_before))
  FROM callboard.outbox
 WHERE coalesce(not_before, '-infinity'::timestamptz) <= now()
""")


class Unsent(NamedTuple):
    """The messages that are due and wait in the outbox."""

    messages: int
    #: Since when the oldest could have been sent.
    since: datetime | None


def store_check(connection: Connection, status: str, duration_ms: int, checks: dict[str, Any]) -> None:
    """Add a row to the uptime log. `status` is healthy, degraded or down."""
    connection.execute(_STORE, {"status": status, "duration_ms": duration_ms, "checks": checks})


def recorded_until(connection: Connection, stream: str) -> str | None:
    """The id of the last entry of an event stream that is in the database."""
    last_id: str | None = connection.execute(_POSITION, {"stream": stream}).scalar_one_or_none()
    return last_id


def count_unsent(connection: Connection) -> Unsent:
    """What the outbox holds that should be in Redis by now."""
    return Unsent(*connection.execute(_UNSENT).one())
