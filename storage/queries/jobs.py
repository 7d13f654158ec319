"""Jobs, their schedules and what became of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

#: Counting waiting runs stops here: beyond it the exact number no longer matters, and counting costs.
COUNT_LIMIT = 10_000

JOBS = text("""
SELECT j.name, j.queue, j.description, j.category, j.declared, j.options, j.time_limit_ms, j.max_attempts
     , j.signature, j.first_seen_at, j.last_seen_at
     , CASE WHEN c.job_name IS NULL THEN j.enabled_default ELSE c.enabled IS NOT FALSE END AS enabled
     , c.last_modified_at, coalesce(u.name, c.last_modified_by::text) AS last_modified_by, c.notes
     , l.run_id AS last_run_id, l.state AS last_state, l.started_at AS last_started_at
     , l.finished_at AS last_finished_at, l.duration_ms AS last_duration_ms, l.error AS last_error
  FROM callboard.jobs j
  LEFT JOIN public.cron_job_config c ON c.job_name = j.name
  LEFT JOIN callboard.users u ON u.id = c.last_modified_by
  LEFT JOIN LATERAL (
       SELECT r.run_id, r.state, r.started_at, r.finished_at, r.duration_ms, r.error
         FROM callboard.runs r
        WHERE r.job = j.name AND r.started_at IS NOT NULL
        ORDER BY r.started_at DESC
        LIMIT 1) l ON true
 WHERE j.declared
   AND (cast(:job AS text) IS NULL OR j.name = :job)
   AND (cast(:category AS text) IS NULL OR j.category = :category)
 ORDER BY j.category NULLS LAST, j.name
""")

QUEUES = text("SELECT DISTINCT queue FROM callboard.jobs WHERE declared ORDER BY queue")

NAMES = text("SELECT name FROM callboard.jobs WHERE declared ORDER BY name")

SCHEDULES = text("""
SELECT s.id, s.job_name, s.key, s.expr, s.tz, s.args, s.kwargs, s.origin, s.enabled, s.misfire
     , s.misfire_limit, s.grace_ms, s.declared ->> 'expr' AS declared_expr
     , s.declared ->> 'tz' AS declared_tz, s.changed_at, s.changed_by, j.signature
  FROM callboard.schedules s
  JOIN callboard.jobs j ON j.name = s.job_name AND j.declared
 WHERE cast(:job AS text) IS NULL OR s.job_name = :job
 ORDER BY s.job_name, s.key
""")

LIVE = text("""
SELECT job, state, count(*) AS runs
  FROM (SELECT job, state
          FROM callboard.runs
         WHERE state = 'processing'
         UNION ALL
       (SELECT job, state
          FROM callboard.runs
         WHERE state = 'pending'
         LIMIT :count_limit)) live
 GROUP BY job, state
""")

STATS = text("""
SELECT job
     , coalesce(sum(succeeded), 0)::bigint AS successes
     , coalesce(sum(failed + dead + cancelled_running), 0)::bigint AS failures
     , coalesce(sum(skipped), 0)::bigint AS skipped
     , coalesce(sum(retried), 0)::bigint AS retried
     , sum(duration_sum_ms)::float8 / nullif(sum(succeeded + failed), 0) AS duration_avg_ms
     , min(duration_min_ms) AS duration_min_ms
     , max(duration_max_ms) AS duration_max_ms
     , max(last_run_at) AS last_run_at
     , max(last_success_at) AS last_success_at
     , max(last_failure_at) AS last_failure_at
  FROM callboard.rollups_between(:since)
 WHERE cast(:job AS text) IS NULL OR job = :job
 GROUP BY job
""")


def jobs(connection: Connection, *, job: str | None = None, category: str | None = None) -> Sequence[Row]:
    """One row a declared job, with its switch and its last run."""
    return connection.execute(JOBS, {"job": job, "category": category}).mappings().all()


def names(connection: Connection) -> list[str]:
    """The names of all declared jobs."""
    return list(connection.execute(NAMES).scalars())


def queues(connection: Connection) -> list[str]:
    """The names of the queues of all declared jobs."""
    return list(connection.execute(QUEUES).scalars())


def schedules(connection: Connection, *, job: str | None = None) -> Sequence[Row]:
    """One row a schedule of a declared job."""
    return connection.execute(SCHEDULES, {"job": job}).mappings().all()


def live(connection: Connection) -> Sequence[Row]:
    """One row a job and unfinished state, with the number of runs in it (waiting ones up to a limit)."""
    return connection.execute(LIVE, {"count_limit": COUNT_LIMIT}).mappings().all()


def stats(connection: Connection, *, since: datetime, job: str | None = None) -> Sequence[Row]:
    """One row a job that ran since then (whole minutes), from rollups, as `get_cron_job_stats` counts."""
    return connection.execute(STATS, {"since": since, "job": job}).mappings().all()
