"""Videos at the streaming provider that are not ready yet."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

QUEUED = "FROM business.streamings WHERE status = 'queued' AND provider = 'cloudflare'"
COUNT = text(f"SELECT count(*) {QUEUED}")
FETCH = text(f"""
SELECT id, external_id
  {QUEUED}
   AND id > :after
 ORDER BY id
 LIMIT :limit
""")
NOTE = text("""
UPDATE business.streamings s
   SET status = given.status, duration = given.duration, error = given.error, checked_at = now()
  FROM jsonb_to_recordset(:videos) AS given (id bigint, status text, duration numeric, error text)
 WHERE s.id = given.id AND s.status = 'queued'
""").bindparams(bindparam("videos", type_=JSONB))


def count_queued(connection: Connection) -> int:
    """How many videos are not ready yet."""
    count: int = connection.execute(COUNT).scalar_one()
    return count


def fetch_queued(connection: Connection, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """Videos that are not ready yet: `id, external_id`."""
    return connection.execute(FETCH, {"after": after or 0, "limit": limit}).all()


def note_states(connection: Connection, videos: Sequence[Mapping[str, Any]]) -> None:
    """Keep what the provider says of videos: `id, status, duration` (s), `error`."""
    connection.execute(NOTE, {"videos": list(videos)})
