"""What the health of queues is judged by: rollups of a window, and of the time before."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, TextClause, text

from callboard.storage.queries import Row
from callboard.storage.tables.runs import LOG_STATUS, UNFINISHED_OR_FAILED

CELLS = text("""
SELECT queue, job, bucket, started, succeeded + failed + dead AS finished, failed + dead AS failed, retried
     , coalesce(busy_sum_ms, duration_sum_ms)::float8 AS busy_ms, duration_hist, wait_hist
     , coalesce(wait_sum_ms, 0)::float8 AS waited_ms
     , coalesce(held_pause_ms, 0)::float8 AS held_pause_ms
     , coalesce(held_mutex_ms, 0)::float8 AS held_mutex_ms
     , coalesce(held_limit_ms, 0)::float8 AS held_limit_ms
     , coalesce(held_breaker_ms, 0)::float8 AS held_breaker_ms
     , coalesce(held_overlap_ms, 0)::float8 AS held_overlap_ms
  FROM callboard.rollups
 WHERE width_s = :width_s AND bucket >= :start AND bucket < :until
   AND (cast(:queue AS text) IS NULL OR queue = :queue)
 ORDER BY bucket
""")

_BINNED = """
SELECT date_bin(cast(:width AS interval), bucket, timestamptz 'epoch') AS at
     , sum({finished})::bigint AS finished
     , sum({failed})::bigint AS failed
     , callboard.hist_sum(duration_hist) AS duration_hist
     , callboard.hist_sum(wait_hist) AS wait_hist
  FROM callboard.{whose}
 WHERE width_s = :base_s AND {when}
 GROUP BY 1
 ORDER BY 1
"""
_OF_QUEUE = {"finished": "finished", "failed": "failed", "whose": "queue_rollups"}
_OF_JOB = {"finished": "succeeded + failed + dead", "failed": "failed + dead", "whose": "rollups"}
_BETWEEN = "bucket >= :start AND bucket < :until"
_AT = "bucket = ANY (cast(:buckets AS timestamptz[]))"
QUEUE_BETWEEN, QUEUE_AT, JOB_BETWEEN, JOB_AT = (
    text(_BINNED.format(when=f"{when} AND {subject} = :{subject}", **of))
    for subject, of in (("queue", _OF_QUEUE), ("job", _OF_JOB))
    for when in (_BETWEEN, _AT)
)

WAITED = text("""
SELECT min(date_bin(cast(:width AS interval), bucket, timestamptz 'epoch')) AS at
     , coalesce(sum((SELECT sum(n) FROM unnest(wait_hist) AS n)), 0)::bigint AS runs
     , coalesce(sum(wait_sum_ms), 0)::float8 AS wait_ms
     , coalesce(sum(lag_sum_ms), 0)::float8 AS lag_ms
     , coalesce(sum(delay_sum_ms), 0)::float8 AS delay_ms
     , coalesce(sum(hand_sum_ms), 0)::float8 AS hand_ms
     , coalesce(sum(held_pause_ms), 0)::float8 AS held_pause_ms
     , coalesce(sum(held_mutex_ms), 0)::float8 AS held_mutex_ms
     , coalesce(sum(held_limit_ms), 0)::float8 AS held_limit_ms
     , coalesce(sum(held_breaker_ms), 0)::float8 AS held_breaker_ms
     , coalesce(sum(held_overlap_ms), 0)::float8 AS held_overlap_ms
  FROM callboard.queue_rollups
 WHERE width_s = :base_s AND bucket >= :start AND bucket < :until AND queue = :queue
""")

BUSY = text("""
SELECT job, date_bin(cast(:width AS interval), bucket, timestamptz 'epoch') AS at
     , sum(coalesce(busy_sum_ms, duration_sum_ms))::float8 AS busy_ms
  FROM callboard.rollups
 WHERE width_s = :base_s AND bucket = ANY (cast(:buckets AS timestamptz[])) AND queue = :queue
 GROUP BY 1, 2
""")

BEGAN = text("""
SELECT j.name AS job, r.bucket AS began
  FROM callboard.jobs j
 CROSS JOIN LATERAL (SELECT bucket
                       FROM callboard.rollups
                      WHERE width_s = 3600 AND job = j.name AND queue = :queue
                      ORDER BY bucket
                      LIMIT 1) r
""")
QUEUE_BEGAN = text("SELECT min(bucket) FROM callboard.queue_rollups WHERE width_s = 3600 AND queue = :queue")
JOB_BEGAN = text("SELECT min(bucket) FROM callboard.rollups WHERE width_s = 3600 AND job = :job")

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

# A run that failed has started; the conditions are those of the index by job and status.
FAILURES = text(f"""
SELECT r.*
  FROM unnest(cast(:jobs AS text[])) AS j (job)
 CROSS JOIN LATERAL (
       SELECT job, error_type, left(error, 500) AS error, fingerprint
         FROM callboard.runs
        WHERE job = j.job AND state IN ('failed', 'dead') AND {UNFINISHED_OR_FAILED}
          AND {LOG_STATUS} = 'failed' AND started_at >= :since AND enqueued_at >= :since
        ORDER BY started_at DESC
        LIMIT 10) r
""")

WINDOWS = text("""
SELECT r.job
     , sum(n) FILTER (WHERE width_s = 60 AND bucket >= :min_5)::int AS finished_5
     , sum(bad) FILTER (WHERE width_s = 60 AND bucket >= :min_5)::int AS failed_5
     , sum(n) FILTER (WHERE width_s = 60 AND bucket >= :min_30)::int AS finished_30
     , sum(bad) FILTER (WHERE width_s = 60 AND bucket >= :min_30)::int AS failed_30
     , sum(n) FILTER (WHERE width_s = 60 AND bucket >= :hour)::int AS finished_60
     , sum(bad) FILTER (WHERE width_s = 60 AND bucket >= :hour)::int AS failed_60
     , sum(n) FILTER (WHERE width_s = 60)::int AS finished_360
     , sum(bad) FILTER (WHERE width_s = 60)::int AS failed_360
     , sum(n) FILTER (WHERE width_s = 3600)::int AS finished_4320
     , sum(bad) FILTER (WHERE width_s = 3600)::int AS failed_4320
  FROM (SELECT job, width_s, bucket, succeeded + failed + dead AS n, failed + dead AS bad
          FROM callboard.rollups
         WHERE width_s = 60 AND bucket >= :hours_6
         UNION ALL
        SELECT job, width_s, bucket, succeeded + failed + dead, failed + dead
          FROM callboard.rollups
         WHERE width_s = 3600 AND bucket >= :days_3) r
  JOIN callboard.jobs j ON j.name = r.job AND j.declared
 GROUP BY r.job
HAVING sum(bad) > 0
 ORDER BY r.job
""")

EXCUSED = text("""
SELECT DISTINCT j.name
  FROM callboard.jobs j
  JOIN callboard.alerts a
    ON a.kind = 'breaker_open'
   AND a.subject = CASE WHEN j.options ->> 'breaker' = 'true' THEN j.name ELSE j.options ->> 'breaker' END
 WHERE j.declared
   AND (a.resolved_at IS NULL
        OR a.resolved_at >= :days_3
           AND NOT EXISTS (SELECT FROM callboard.rollups r
                            WHERE r.width_s = 3600 AND r.job = j.name AND r.bucket >= :days_3
                              AND r.last_failure_at > a.resolved_at))
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


def binned(
    connection: Connection,
    *,
    width: timedelta,
    base_s: int,
    start: datetime,
    until: datetime,
    queue: str | None = None,
    job: str | None = None,
) -> Sequence[Row]:
    """One row a bucket of that width in which something ended, the oldest first, of either a queue or a job.

    The width is counted from the Unix epoch; `base_s` is that of the rollups to read and must divide it.
    """
    values = {"width": width, "base_s": base_s, "start": start, "until": until}
    return _of(connection, values, QUEUE_BETWEEN, JOB_BETWEEN, queue, job)


def waited(
    connection: Connection, *, width: timedelta, base_s: int, start: datetime, until: datetime, queue: str
) -> Row:
    """What the runs of a queue that ended then waited for, in ms together, and how many they are.

    `at` is the first bucket of that width in which something ended; None where nothing did.
    """
    values = {"width": width, "base_s": base_s, "start": start, "until": until, "queue": queue}
    return connection.execute(WAITED, values).mappings().one()


def binned_at(
    connection: Connection,
    buckets: Sequence[datetime],
    *,
    width: timedelta,
    base_s: int,
    queue: str | None = None,
    job: str | None = None,
) -> Sequence[Row]:
    """The same, of the rollups of those moments only."""
    values = {"width": width, "base_s": base_s, "buckets": list(buckets)}
    return _of(connection, values, QUEUE_AT, JOB_AT, queue, job)


def busy(
    connection: Connection, buckets: Sequence[datetime], *, width: timedelta, base_s: int, queue: str
) -> Sequence[Row]:
    """One row a job and bucket of that width: the ms that its runs in a queue took, of those moments."""
    values = {"width": width, "base_s": base_s, "buckets": list(buckets), "queue": queue}
    return connection.execute(BUSY, values).mappings().all()


def began(connection: Connection, queue: str) -> dict[str, datetime]:
    """By job: the hour of the first rollup there is of it in a queue."""
    rows = connection.execute(BEGAN, {"queue": queue}).mappings()
    return {row["job"]: row["began"] for row in rows}


def first(connection: Connection, *, queue: str | None = None, job: str | None = None) -> datetime | None:
    """The hour of the first rollup there is of either a queue or a job."""
    query, values = (JOB_BEGAN, {"job": job}) if queue is None else (QUEUE_BEGAN, {"queue": queue})
    found: datetime | None = connection.execute(query, values).scalar_one()
    return found


def last_runs(connection: Connection, *, since: datetime, enough: int) -> Sequence[Row]:
    """One row a declared job: what became of its runs in the last minutes since then that hold `enough`."""
    return connection.execute(LAST, {"since": since, "enough": enough}).mappings().all()


def last_failures(connection: Connection, jobs: Collection[str], *, since: datetime) -> Sequence[Row]:
    """One row a run of these jobs that failed since then, at most ten of each, the latest first."""
    # Of conditions that go together the planner expects so few rows that it would read and sort all.
    connection.execute(text("SET LOCAL enable_sort = off"))
    rows = connection.execute(FAILURES, {"jobs": list(jobs), "since": since}).mappings().all()
    connection.execute(text("SET LOCAL enable_sort = on"))
    return rows


def windows(connection: Connection, now: datetime) -> Sequence[Row]:
    """One row a declared job that has failed: what became of its runs in the last 5, 30, ... minutes."""
    lengths = {"min_5": 5, "min_30": 30, "hour": 60, "hours_6": 360, "days_3": 4_320}
    values = {name: now - timedelta(minutes=minutes) for name, minutes in lengths.items()}
    return connection.execute(WINDOWS, values).mappings().all()


def excused(connection: Connection, now: datetime) -> set[str]:
    """The jobs whose failures the alert of a circuit breaker tells of: it is open, or none came since."""
    return set(connection.execute(EXCUSED, {"days_3": now - timedelta(days=3)}).scalars())


def breakers(connection: Connection) -> Sequence[Row]:
    """One row a job with a breaker: its queue and the breaker's name."""
    return connection.execute(BREAKERS).mappings().all()


def _of(
    connection: Connection,
    values: dict[str, Any],
    of_queue: TextClause,
    of_job: TextClause,
    queue: str | None,
    job: str | None,
) -> Sequence[Row]:
    query, subject = (of_job, {"job": job}) if queue is None else (of_queue, {"queue": queue})
    return connection.execute(query, values | subject).mappings().all()
