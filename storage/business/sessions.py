"""Customers' sessions in the portal."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Row, Uuid, bindparam, text

EXPIRED = "FROM business.sessions WHERE deleted_at IS NULL AND expires_at <= now()"
COUNT = text(f"SELECT count(*) {EXPIRED}")
FETCH = text(f"""
SELECT id
  {EXPIRED}
   AND (cast(:after AS uuid) IS NULL OR id > :after)
 ORDER BY id
 LIMIT :limit
   FOR NO KEY UPDATE SKIP LOCKED
""")
DELETE = text("UPDATE business.sessions SET deleted_at = now() WHERE id = ANY(:ids)").bindparams(
    bindparam("ids", type_=ARRAY(Uuid))
)


def count_expired(connection: Connection) -> int:
    """How many sessions have expired and are not marked as deleted."""
    count: int = connection.execute(COUNT).scalar_one()
    return count


def fetch_expired(connection: Connection, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """Sessions that have expired: `id`."""
    return connection.execute(FETCH, {"after": after, "limit": limit}).all()


def mark_deleted(connection: Connection, ids: Sequence[UUID]) -> None:
    """Mark sessions as deleted; what was done in them can still be told."""
    connection.execute(DELETE, {"ids": list(ids)})
