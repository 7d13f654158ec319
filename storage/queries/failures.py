"""Runs that failed, of all jobs together."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from callboard.storage.queries import Row
from callboard.storage.queries.runs import COLUMNS

FAILURES = text(f"""
SELECT {COLUMNS}
  FROM callboard.runs
 WHERE state IN ('failed', 'dead')
   AND finished_at >= :since
   AND (cast(:job AS text) IS NULL OR job = :job)
 ORDER BY finished_at DESC
 LIMIT :limit
""")


def failures(connection: Connection, *, since: datetime, limit: int, job: str | None = None) -> Sequence[Row]:
    """One row a run that failed or died since then, the latest first."""
    return connection.execute(FAILURES, {"since": since, "limit": limit, "job": job}).mappings().all()
