"""What circuit breakers have done."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

CHANGES = text("""
SELECT id, breaker, at, from_state, to_state, cause, job, run_id
  FROM callboard.breaker_changes
 WHERE (cast(:breaker AS text) IS NULL OR breaker = :breaker)
   AND (cast(:at AS timestamptz) IS NULL OR (at, id) < (:at, :id))
 ORDER BY at DESC, id DESC
 LIMIT :limit
""")


def changes(
    connection: Connection, *, breaker: str | None, limit: int, after: tuple[datetime, int] | None = None
) -> Sequence[Row]:
    """One row a change, the latest first; `after` is the last one of the page before."""
    at, last = after or (None, None)
    values = {"breaker": breaker, "limit": limit, "at": at, "id": last}
    return connection.execute(CHANGES, values).mappings().all()
