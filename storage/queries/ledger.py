"""Occurrences: what became of each slot of a job's schedules."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

LEDGER = text("""
SELECT o.due_at, o.disposition, o.reason, o.run_id, o.decided_at, o.schedule_id, s.expr, s.tz
  FROM callboard.occurrences o
  LEFT JOIN callboard.schedules s ON s.id = o.schedule_id
 WHERE o.job_name = :job
 ORDER BY o.due_at DESC
 LIMIT :limit
""")


def ledger(connection: Connection, job: str, *, limit: int) -> Sequence[Row]:
    """One row a slot that was decided, the latest first."""
    return connection.execute(LEDGER, {"job": job, "limit": limit}).mappings().all()
