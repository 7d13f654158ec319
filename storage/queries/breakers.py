"""What circuit breakers have done."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

CHANGES = text("""
SELECT breaker, at, from_state, to_state, cause, job, run_id
  FROM callboard.breaker_changes
 WHERE cast(:breaker AS text) IS NULL OR breaker = :breaker
 ORDER BY at DESC, id DESC
 LIMIT :limit
""")


def changes(connection: Connection, *, breaker: str | None, limit: int) -> Sequence[Row]:
    """One row a change, the latest first."""
    return connection.execute(CHANGES, {"breaker": breaker, "limit": limit}).mappings().all()
