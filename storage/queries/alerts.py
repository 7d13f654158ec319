"""What an operator should hear of, or should have heard."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

LATEST = text("""
SELECT id, kind, subject, severity, message, details, opened_at, resolved_at
  FROM callboard.alerts
 WHERE (resolved_at IS NULL OR NOT cast(:open AS boolean))
   AND (cast(:kind AS text) IS NULL OR kind = :kind)
   AND (cast(:at AS timestamptz) IS NULL OR (opened_at, id) < (:at, :id))
 ORDER BY opened_at DESC, id DESC
 LIMIT :limit
""")


def latest(
    connection: Connection,
    *,
    open_only: bool,
    kind: str | None,
    limit: int,
    after: tuple[datetime, int] | None = None,
) -> Sequence[Row]:
    """One row an alert, the latest first; `after` is the last one of the page before."""
    at, last = after or (None, None)
    values = {"open": open_only, "kind": kind, "limit": limit, "at": at, "id": last}
    return connection.execute(LATEST, values).mappings().all()
