"""How long history is kept: runs with their attempts, log lines and slots, and the rollups that outlive them.

Each call is one batch in the caller's transaction. It may be broken off at any point and made again.
"""

from typing import NamedTuple

from sqlalchemy import Connection, text

from callboard.storage.locks import LOCK_TIMEOUT_MS

_PATIENCE = text("SELECT set_config('lock_timeout', cast(:ms AS text), true)")

_DROP = text("""
SELECT weeks, executions
  FROM callboard.drop_old_partitions(now() - :days * interval '24 hours', 1)
""")

_DELETE = text("""
SELECT runs, executions, occurrences
  FROM callboard.delete_old_runs(now() - :days * interval '24 hours', :limit)
""")

_COUNT = text("""
SELECT count(*)
  FROM callboard.runs
 WHERE enqueued_at < now() - :days * interval '24 hours'
   AND started_at IS NOT NULL AND state NOT IN ('pending', 'processing', 'skipped')
""")

_DELETE_ROLLUPS = {
    name: text(f"""
DELETE FROM callboard.{name}
 WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM callboard.{name}
        WHERE (width_s = 60 AND bucket < now() - :minute_days * interval '24 hours')
           OR (width_s = 3600 AND bucket < now() - :hour_days * interval '24 hours')
        LIMIT :limit))
""")
    for name in ("rollups", "queue_rollups")
}

#: Days that rollups are kept by the minute and by the hour; those by the day are kept for ever.
MINUTE_DAYS = 35
HOUR_DAYS = 400


class Deleted(NamedTuple):
    """What one batch has deleted."""

    runs: int
    #: Those of the runs that had begun: rows of `cron_job_logs`.
    executions: int
    occurrences: int


class Dropped(NamedTuple):
    """What one call has dropped: a week or none, and the executions that went with it."""

    weeks: int
    executions: int


def drop_old_week(connection: Connection, days: int) -> Dropped:
    """Drop the oldest week that is wholly older than so many days and holds no run that has not finished.

    That locks everybody out of the history until the transaction ends: do nothing else in it.

    Raises:
        sqlalchemy.exc.OperationalError: others held on to the history for too long; see `locks.is_busy`.
    """
    connection.execute(_PATIENCE, {"ms": LOCK_TIMEOUT_MS})
    return Dropped(*connection.execute(_DROP, {"days": days}).one())


def delete_old_runs(connection: Connection, days: int, limit: int) -> Deleted:
    """Delete up to `limit` finished runs, and slots, older than so many days, from weeks that had to stay."""
    return Deleted(*connection.execute(_DELETE, {"days": days, "limit": limit}).one())


def count_old_executions(connection: Connection, days: int) -> int:
    """How many executions are older than so many days."""
    count: int = connection.execute(_COUNT, {"days": days}).scalar_one()
    return count


def delete_old_rollups(
    connection: Connection, limit: int, *, minute_days: int = MINUTE_DAYS, hour_days: int = HOUR_DAYS
) -> int:
    """Delete up to `limit` rollups, by the minute and the hour, older than so many days. Returns how many.

    Those of jobs go first; once none of them is left, those of queues.
    """
    values = {"limit": limit, "minute_days": minute_days, "hour_days": hour_days}
    for query in _DELETE_ROLLUPS.values():
        if deleted := connection.execute(query, values).rowcount:
            return deleted
    return 0
