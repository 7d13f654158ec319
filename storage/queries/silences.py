"""Windows of time in which nobody is told of some alerts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

_COLUMNS = "id, kind, subject, from_at, until_at, reason, created_by, created_at, ended_by"

LATEST = text(f"""
SELECT {_COLUMNS}
  FROM callboard.silences
 WHERE (until_at > now() OR NOT cast(:open AS boolean))
   AND (cast(:at AS timestamptz) IS NULL OR (created_at, id) < (:at, :id))
 ORDER BY created_at DESC, id DESC
 LIMIT :limit
""")
ONE = text(f"SELECT {_COLUMNS} FROM callboard.silences WHERE id = :id FOR UPDATE")
ADD = text(f"""
INSERT INTO callboard.silences (kind, subject, from_at, until_at, reason, created_by)
VALUES (:kind, :subject, coalesce(cast(:from_at AS timestamptz), now()), :until_at, :reason, :by)
RETURNING {_COLUMNS}
""")
END = text(f"""
UPDATE callboard.silences
   SET until_at = greatest(now(), from_at), ended_by = :by
 WHERE id = :id
RETURNING {_COLUMNS}
""")


def latest(
    connection: Connection, *, open_only: bool, limit: int, after: tuple[datetime, int] | None = None
) -> Sequence[Row]:
    """One row a silence, the latest first; `open_only`: those that are not over."""
    at, last = after or (None, None)
    values = {"open": open_only, "limit": limit, "at": at, "id": last}
    return connection.execute(LATEST, values).mappings().all()


def silence(connection: Connection, silence_id: int) -> Row | None:
    """One silence, locked, or None."""
    return connection.execute(ONE, {"id": silence_id}).mappings().one_or_none()


def add(
    connection: Connection,
    *,
    kind: str | None,
    subject: str | None,
    from_at: datetime | None,
    until_at: datetime,
    reason: str,
    by: str,
) -> Row:
    """Add one; without `from_at` it begins now."""
    values = {
        "kind": kind,
        "subject": subject,
        "from_at": from_at,
        "until_at": until_at,
        "reason": reason,
        "by": by,
    }
    return connection.execute(ADD, values).mappings().one()


def end(connection: Connection, silence_id: int, *, by: str) -> Row:
    """End one now, or before it has begun."""
    return connection.execute(END, {"id": silence_id, "by": by}).mappings().one()
