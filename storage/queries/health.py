"""What the health of queues is judged by: rollups of a window, of the time before, and samples."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

CELLS = text("""
SELECT queue, job, bucket, started, succeeded + failed + dead AS finished, failed + dead AS failed, retried
     , coalesce(duration_sum_ms, 0)::float8 AS busy_ms, duration_hist, wait_hist
  FROM callboard.rollups
 WHERE width_s = :width_s AND bucket >= :start AND bucket < :until
   AND (cast(:queue AS text) IS NULL OR queue = :queue)
 ORDER BY bucket
""")

SAMPLES = text("""
SELECT q.queue, f.at AS first_at, f.depth AS first_depth, f.dead AS first_dead
     , coalesce((SELECT min(s.at)
                   FROM callboard.queue_samples s
                  WHERE s.queue = q.queue AND s.at > coalesce(z.at, :day)), NULL) AS since
  FROM unnest(cast(:queues AS text[])) AS q (queue)
  LEFT JOIN LATERAL (SELECT at, depth, dead
                       FROM callboard.queue_samples s
                      WHERE s.queue = q.queue AND s.at >= :start
                      ORDER BY at
                      LIMIT 1) f ON true
  LEFT JOIN LATERAL (SELECT at
                       FROM callboard.queue_samples s
                      WHERE s.queue = q.queue AND s.at >= :day AND s.depth = 0
                      ORDER BY at DESC
                      LIMIT 1) z ON true
""")

LAST = text("""
SELECT job, sum(finished)::int AS finished, sum(failed)::int AS failed
  FROM (SELECT r.job, r.succeeded + r.failed + r.dead AS finished, r.failed + r.dead AS failed
             , sum(r.succeeded + r.failed + r.dead) OVER (
                   PARTITION BY r.job ORDER BY r.bucket DESC, r.queue
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS later
          FROM callboard.rollups r
          JOIN callboard.jobs j ON j.name = r.job AND j.declared
         WHERE r.width_s = 60 AND r.bucket >= :since) minutes
 WHERE coalesce(later, 0) < :enough
 GROUP BY job
 ORDER BY job
""")

BREAKERS = text("""
SELECT queue
     , CASE WHEN options ->> 'breaker' = 'true' THEN name ELSE options ->> 'breaker' END AS breaker
  FROM callboard.jobs
 WHERE declared AND options ->> 'breaker' IS NOT NULL AND options ->> 'breaker' <> 'false'
""")


def cells(
    connection: Connection, *, width_s: int, start: datetime, until: datetime, queue: str | None = None
) -> Sequence[Row]:
    """One row a queue, job and bucket of that width (60, 3600 or 86400 s), the oldest first."""
    values = {"width_s": width_s, "start": start, "until": until, "queue": queue}
    return connection.execute(CELLS, values).mappings().all()


def sampled(
    connection: Connection, queues: Sequence[str], *, start: datetime, day: datetime
) -> dict[str, Row]:
    """By queue: the first sample since `start`, and since when (at most since `day`) work has waited."""
    values = {"queues": list(queues), "start": start, "day": day}
    return {row["queue"]: row for row in connection.execute(SAMPLES, values).mappings()}


def last_runs(connection: Connection, *, since: datetime, enough: int) -> Sequence[Row]:
    """One row a declared job: what became of its runs in the last minutes since then that hold `enough`."""
    return connection.execute(LAST, {"since": since, "enough": enough}).mappings().all()


def breakers(connection: Connection) -> Sequence[Row]:
    """One row a job with a breaker: its queue and the breaker's name."""
    return connection.execute(BREAKERS).mappings().all()
