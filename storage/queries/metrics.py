"""Sums over runs and alerts, for what is scraped."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

BY_JOB = text("""
SELECT job, sum(succeeded)::bigint AS succeeded, sum(failed)::bigint AS failed
     , sum(cancelled)::bigint AS cancelled, sum(skipped)::bigint AS skipped, sum(dead)::bigint AS dead
     , sum(retried)::bigint AS retried
     , sum(duration_sum_ms)::float8 AS duration_sum_ms, sum(wait_sum_ms)::float8 AS wait_sum_ms
  FROM callboard.rollups_between(:since)
 GROUP BY job
 ORDER BY job
""")

OPEN_ALERTS = text("""
SELECT kind, severity, count(*) AS open
  FROM callboard.alerts
 WHERE resolved_at IS NULL
 GROUP BY kind, severity
 ORDER BY kind, severity
""")


def by_job(connection: Connection, *, since: datetime) -> Sequence[Row]:
    """One row a job of which anything started or ended since then."""
    return connection.execute(BY_JOB, {"since": since}).mappings().all()


def open_alerts(connection: Connection) -> Sequence[Row]:
    """One row a kind and severity of which alerts are open: how many."""
    return connection.execute(OPEN_ALERTS).mappings().all()
