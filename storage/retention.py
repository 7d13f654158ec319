"""How long history is kept: runs with their attempts, log lines and slots. Rollups outlive them all."""

from typing import NamedTuple

from sqlalchemy import Connection, text

_DROP = text("SELECT callboard.drop_old_partitions(now() - :days * interval '1 day')")

_DELETE = text("""
SELECT runs, executions, occurrences
  FROM callboard.delete_old_runs(now() - :days * interval '1 day', :limit)
""")

_COUNT = text("""
SELECT count(*)
  FROM callboard.runs
 WHERE enqueued_at < now() - :days * interval '1 day'
   AND started_at IS NOT NULL AND state NOT IN ('pending', 'processing', 'skipped')
""")


class Deleted(NamedTuple):
    """What one batch has deleted."""

    runs: int
    #: Those of the runs that had begun: rows of `cron_job_logs`.
    executions: int
    occurrences: int


def drop_old_weeks(connection: Connection, days: int) -> int:
    """Drop the weeks that are wholly older than so many days. Returns how many executions went with them."""
    count: int = connection.execute(_DROP, {"days": days}).scalar_one()
    return count


def delete_old_runs(connection: Connection, days: int, limit: int) -> Deleted:
    """Delete up to `limit` finished runs, and slots, older than so many days, from weeks that had to stay."""
    return Deleted(*connection.execute(_DELETE, {"days": days, "limit": limit}).one())


def count_old_executions(connection: Connection, days: int) -> int:
    """How many executions are older than so many days."""
    count: int = connection.execute(_COUNT, {"days": days}).scalar_one()
    return count
