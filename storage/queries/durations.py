"""Histograms of durations and waits, from the rollups."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

HISTOGRAMS = text("""
SELECT date_bin(cast(:width AS interval), bucket, cast(:start AS timestamptz)) AS at
     , duration_hist, wait_hist
  FROM callboard.rollups
 WHERE width_s = :base_s
   AND bucket >= :start AND bucket < :until
   AND (cast(:job AS text) IS NULL OR job = :job)
""")

DAYS = text("""
SELECT job, bucket AS day
     , sum(succeeded)::bigint AS successes
     , sum(failed + dead + cancelled_running)::bigint AS failures
  FROM callboard.rollups
 WHERE width_s = 86400 AND bucket >= :start
 GROUP BY job, bucket
""")

DAY_HISTOGRAMS = text("""
SELECT job, bucket AS day, duration_hist
  FROM callboard.rollups
 WHERE width_s = 86400 AND bucket >= :start
   AND (cast(:jobs AS text[]) IS NULL OR job = ANY(cast(:jobs AS text[])))
""")


def histograms(
    connection: Connection,
    *,
    start: datetime,
    until: datetime,
    width: timedelta,
    base_s: int,
    job: str | None,
) -> Sequence[Row]:
    """One row a rollup, with the bucket of the given width (counted from `start`) that it falls into."""
    values = {"start": start, "until": until, "width": width, "base_s": base_s, "job": job}
    return connection.execute(HISTOGRAMS, values).mappings().all()


def days(connection: Connection, *, start: datetime) -> Sequence[Row]:
    """One row a job and UTC day since then on which runs of it ended."""
    return connection.execute(DAYS, {"start": start}).mappings().all()


def day_histograms(
    connection: Connection, *, start: datetime, jobs: Collection[str] | None = None
) -> Sequence[Row]:
    """One row a job, queue and UTC day since then: the durations in ms, of some jobs or of all."""
    values = {"start": start, "jobs": None if jobs is None else sorted(jobs)}
    return connection.execute(DAY_HISTOGRAMS, values).mappings().all()
