"""Dead letters: runs that ended badly and whose message is kept."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

#: The letters of a filter. `since` and `until` are by the end of the run.
MATCH = """r.dead_letter IS NOT NULL AND r.state IN ('failed', 'dead')
   AND (cast(:job AS text) IS NULL OR r.job = :job)
   AND (cast(:fingerprint AS text) IS NULL OR r.fingerprint = :fingerprint)
   AND (cast(:text AS text) IS NULL
        OR strpos(lower(concat_ws(' ', r.error_type, r.error, r.reason)), lower(:text)) > 0)
   AND (cast(:since AS timestamptz) IS NULL OR r.finished_at >= :since)
   AND (cast(:until AS timestamptz) IS NULL OR r.finished_at <= :until)"""

LETTERS = text(f"""
SELECT r.run_id, r.enqueued_at, r.job, r.queue, r.state, r.attempt, r.finished_at, r.error_type, r.error
     , r.reason, r.fingerprint
  FROM callboard.runs r
 WHERE {MATCH}
   AND (cast(:at AS timestamptz) IS NULL OR (r.enqueued_at, r.run_id) < (:at, cast(:id AS uuid)))
 ORDER BY r.enqueued_at DESC, r.run_id DESC
 LIMIT :limit
""")

GROUPS = text(f"""
SELECT r.fingerprint, count(*) AS letters, array_agg(DISTINCT r.job) AS jobs, min(r.finished_at) AS first_at
     , max(r.finished_at) AS last_at
     , (array_agg(r.error_type ORDER BY r.finished_at DESC))[1] AS error_type
     , (array_agg(coalesce(r.error, r.reason) ORDER BY r.finished_at DESC))[1] AS error
     , (array_agg(r.run_id ORDER BY r.finished_at DESC))[1] AS run_id
  FROM callboard.runs r
 WHERE {MATCH}
 GROUP BY r.fingerprint
 ORDER BY letters DESC, last_at DESC
 LIMIT :limit
""")

COUNT = text(f"SELECT count(*) FROM callboard.runs r WHERE {MATCH}")

NO_FILTER: Mapping[str, Any] = dict.fromkeys(("job", "fingerprint", "text", "since", "until"))


def letters(
    connection: Connection,
    wanted: Mapping[str, Any],
    *,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
) -> Sequence[Row]:
    """One row a dead letter, the latest sent first; `after` is the last one of the page before."""
    at, last = after or (None, None)
    values = {**NO_FILTER, **wanted, "limit": limit, "at": at, "id": last}
    return connection.execute(LETTERS, values).mappings().all()


def groups(connection: Connection, wanted: Mapping[str, Any], *, limit: int) -> Sequence[Row]:
    """One row a fingerprint, with how many dead letters it has, the most first."""
    return connection.execute(GROUPS, {**NO_FILTER, **wanted, "limit": limit}).mappings().all()


def count(connection: Connection, wanted: Mapping[str, Any]) -> int:
    """How many dead letters there are."""
    found: int = connection.execute(COUNT, {**NO_FILTER, **wanted}).scalar_one()
    return found
