"""What an operator should hear of, or should have heard."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

LATEST = text("""
SELECT id, kind, subject, severity, message, details, opened_at, resolved_at
  FROM callboard.alerts
 WHERE (resolved_at IS NULL OR NOT cast(:open AS boolean))
   AND (cast(:kind AS text) IS NULL OR kind = :kind)
 ORDER BY resolved_at IS NOT NULL, opened_at DESC, id DESC
 LIMIT :limit
""")


def latest(connection: Connection, *, open_only: bool, kind: str | None, limit: int) -> Sequence[Row]:
    """One row an alert: those that are open first, and within that the latest."""
    values = {"open": open_only, "kind": kind, "limit": limit}
    return connection.execute(LATEST, values).mappings().all()
