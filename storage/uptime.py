"""The uptime log, and the figures that tell whether the parts around the database keep up."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

_STORE = text("""
INSERT INTO callboard.uptime_checks (status, duration_ms, checks)
VALUES (:status, :duration_ms, :checks)
""").bindparams(bindparam("checks", type_=JSONB))

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


def count_unsent(connection: Connection) -> Unsent:
    """What the outbox holds that should be in Redis by now."""
    return Unsent(*connection.execute(_UNSENT).one())
