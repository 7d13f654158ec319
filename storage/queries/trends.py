"""What happened over time, from the rollups."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

TIMELINE = text("SELECT * FROM public.get_cron_job_timeline(:job, :hours) ORDER BY time_bucket")

OUTCOMES = text("""
SELECT date_bin(cast(:width AS interval), bucket, cast(:start AS timestamptz)) AS at
     , sum(started)::bigint AS started
     , sum(succeeded)::bigint AS succeeded
     , sum(failed)::bigint AS failed
     , sum(dead)::bigint AS dead
     , sum(cancelled)::bigint AS cancelled
     , sum(skipped)::bigint AS skipped
     , sum(retried)::bigint AS retried
     , sum(duration_sum_ms)::float8 / nullif(sum(succeeded + failed), 0) AS average_ms
     , max(duration_max_ms) AS maximum_ms
     , sum(wait_sum_ms)::float8 / nullif(sum(succeeded + failed), 0) AS average_wait_ms
     , max(wait_max_ms) AS maximum_wait_ms
  FROM callboard.rollups
 WHERE width_s = :base_s
   AND bucket >= :start AND bucket < :until
   AND (cast(:job AS text) IS NULL OR job = :job)
   AND (cast(:queue AS text) IS NULL OR queue = :queue)
 GROUP BY 1
 ORDER BY 1
""")


def timeline(connection: Connection, job: str, *, hours: int) -> Sequence[Row]:
    """One row an hour in which the job ran: the public function `get_cron_job_timeline`."""
    return connection.execute(TIMELINE, {"job": job, "hours": hours}).mappings().all()


def outcomes(
    connection: Connection,
    *,
    start: datetime,
    until: datetime,
    width: timedelta,
    base_s: int,
    job: str | None,
    queue: str | None,
) -> Sequence[Row]:
    """One row a time bucket of the given width in which anything happened, counted from `start`.

    `base_s` is the width of the rollups to read (60, 3600 or 86400 s); it must divide the width.
    """
    values = {"start": start, "until": until, "width": width, "base_s": base_s, "job": job, "queue": queue}
    return connection.execute(OUTCOMES, values).mappings().all()
