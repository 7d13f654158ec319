"""What anomalies are found by: last runs of each job, the schedulers' lag, hours of the week, open alerts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from callboard.core.health.alarms import OF_QUEUES
from callboard.storage.queries import Row

#: Results that are larger than this many bytes are not opened for a count.
LARGEST_RESULT = 2_000

LATEST = text("""
SELECT j.name AS job, r.*
  FROM callboard.jobs j
 CROSS JOIN LATERAL (
       SELECT array_agg(run_id::text) FILTER (WHERE successful) AS run_ids
            , array_agg(extract(epoch FROM finished_at)::float8) FILTER (WHERE successful) AS ended_s
            , array_agg(coalesce(duration_ms, 0)) FILTER (WHERE successful) AS took_ms
            , array_agg(processed) FILTER (WHERE successful) AS processed
            , array_agg(began_at) FILTER (WHERE lately) AS began
            , array_agg(due_at IS NOT NULL) FILTER (WHERE lately) AS due
            , array_agg(schedule_id) FILTER (WHERE lately) AS schedules
         FROM (
              SELECT run_id, schedule_id, due_at, finished_at, duration_ms
                   , state = 'succeeded' AND finished_at IS NOT NULL AS successful
                   , coalesce(due_at, started_at) AS began_at
                   , retry_of IS NULL AND flow IS NULL AND trigger <> 'manual'
                     AND coalesce(due_at, started_at) >= :hour AS lately
                   , CASE WHEN state = 'succeeded' AND pg_column_size(result) <= :largest
                           AND jsonb_typeof(result -> 'processed') = 'number'
                           AND result ->> 'dry_run' IS DISTINCT FROM 'true'
                          THEN (result ->> 'processed')::float8 END AS processed
                FROM callboard.runs
               WHERE job = j.name AND started_at IS NOT NULL
               ORDER BY started_at DESC
               LIMIT :limit) latest) r
 WHERE j.declared
   AND EXISTS (SELECT
                 FROM callboard.rollups h
                WHERE h.width_s = 86400 AND h.job = j.name AND h.bucket >= :day)
 ORDER BY j.name
""")

LAG = text("""
SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM decided_at - due_at) * 1000)::float8
  FROM (SELECT due_at, decided_at
          FROM callboard.occurrences
         WHERE disposition = 'fired' AND due_at >= :since
         ORDER BY due_at DESC
         LIMIT :limit) latest
""")

HOURS = text("""
SELECT job, bucket, duration_hist
  FROM callboard.rollups
 WHERE width_s = 3600
   AND job = ANY(cast(:jobs AS text[])) AND bucket = ANY(cast(:hours AS timestamptz[]))
""")

SLOWED = text("""
SELECT j.name
  FROM callboard.jobs j
 WHERE j.declared
   AND j.queue IN (
       SELECT q.name
         FROM callboard.alerts a
        CROSS JOIN LATERAL jsonb_array_elements_text(
              coalesce(a.details -> 'queues', jsonb_build_array(a.subject))) AS q (name)
        WHERE a.resolved_at IS NULL AND a.kind = ANY(cast(:kinds AS text[]))
          AND a.details ->> 'cause' = 'slow_dependency'
          AND callboard.silenced(a.kind, a.subject, now()) IS NULL)
""")


def latest(connection: Connection, *, day: datetime, hour: datetime, limit: int) -> Sequence[Row]:
    """One row a declared job that did anything since that UTC day: arrays of its last runs, the latest first.

    `run_ids`, `ended_s` (since the epoch), `took_ms` and `processed` (None where the result does not tell it)
    of those that succeeded. `began`, whether that is when it was `due`, and the ids of the `schedules` of
    those since that hour that nobody asked for by hand and that are no part of a chain or group. An array is
    None where there are no such runs.
    """
    values = {"day": day, "hour": hour, "limit": limit, "largest": LARGEST_RESULT}
    return connection.execute(LATEST, values).mappings().all()


def lag_p99_ms(connection: Connection, *, since: datetime, limit: int = 500) -> float | None:
    """The 99th percentile of the time from due to decided, of the last slots that were fired."""
    found: float | None = connection.execute(LAG, {"since": since, "limit": limit}).scalar_one()
    return found


def slowed(connection: Connection) -> set[str]:
    """The jobs of queues whose open alerts, which people are told of, say that runs have become slow."""
    return set(connection.execute(SLOWED, {"kinds": sorted(OF_QUEUES)}).scalars())


def hours(connection: Connection, jobs: Sequence[str], hours: Sequence[datetime]) -> Sequence[Row]:
    """One row a job, queue and UTC hour, of those jobs and hours: the durations in ms."""
    return connection.execute(HOURS, {"jobs": list(jobs), "hours": list(hours)}).mappings().all()
