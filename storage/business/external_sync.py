"""Records of the external service, as they were when last synchronised."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

#: Only what is newer than what is there, so that a page may come twice, or late.
STORE = text("""
  WITH given AS (
SELECT DISTINCT ON (external_id) *
  FROM jsonb_to_recordset(:records)
       AS r (external_id text, data jsonb, changed_at timestamptz, deleted boolean)
 ORDER BY external_id, changed_at DESC
     ), stored AS (
INSERT INTO business.external_records AS e (external_id, data, changed_at, deleted_at)
SELECT external_id, coalesce(data, '{}'), changed_at, CASE WHEN deleted THEN changed_at END
  FROM given
 ORDER BY external_id
    ON CONFLICT (external_id) DO UPDATE
   SET data = CASE WHEN excluded.deleted_at IS NULL THEN excluded.data ELSE e.data END
     , changed_at = excluded.changed_at, deleted_at = excluded.deleted_at, synced_at = now()
 WHERE e.changed_at < excluded.changed_at
RETURNING deleted_at IS NOT NULL AS deleted
     )
SELECT count(*) FILTER (WHERE NOT deleted) AS stored, count(*) FILTER (WHERE deleted) AS deleted FROM stored
""").bindparams(bindparam("records", type_=JSONB))


def store_records(connection: Connection, records: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Keep changed records (`external_id, data, changed_at, deleted`): how many were stored, and deleted.

    A deleted one keeps its last data, and is marked.
    """
    row = connection.execute(STORE, {"records": list(records)}).one()
    return row.stored, row.deleted
