"""Videos at the streaming provider that are not ready yet."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

QUEUED = "FROM business.streamings WHERE status = 'queued' AND provider = 'cloudflare'"
COUNT = text(f"SELECT count(*) {QUEUED}")
FETCH = text(f"SELECT id, external_id {QUEUED} ORDER BY checked_at NULLS FIRST, id LIMIT :limit")
NOTE = text("""
UPDATE business.streamings s
   SET status = given.status, duration = given.duration, error = given.error
  FROM jsonb_to_recordset(:videos) AS given (id bigint, status text, duration numeric, error text)
 WHERE s.id = given.id AND s.status = 'queued'
""").bindparams(bindparam("videos", type_=JSONB))
CHECKED = text("UPDATE business.streamings SET checked_at = now() WHERE id = ANY(:ids)").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger))
)


def count_queued(connection: Connection) -> int:
    """How many videos are not ready yet."""
    count: int = connection.execute(COUNT).scalar_one()
    return count


def fetch_queued(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    """Videos that are not ready yet, those first that were not looked at for longest: `id, external_id`."""
    return connection.execute(FETCH, {"limit": limit}).all()


def note_states(connection: Connection, videos: Sequence[Mapping[str, Any]]) -> None:
    """Keep what the provider says of videos: `id, status, duration` (s), `error`."""
    connection.execute(NOTE, {"videos": list(videos)})


def mark_checked(connection: Connection, ids: Sequence[int]) -> None:
    """Note that these videos have been looked at, whatever came of it."""
    connection.execute(CHECKED, {"ids": list(ids)})
