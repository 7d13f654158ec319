"""A quarter's worth of runs, made by the server itself: for query plans and for timing."""

import psycopg

#: The states of every 200 runs; the last rows of all are those that have not finished.
_FILL = """
INSERT INTO callboard.runs (
    run_id, enqueued_at, job, queue, state, rank, attempt, max_attempts, trigger, schedule_id, ready_at,
    started_at, attempt_started_at, finished_at, wait_ms, duration_ms, execution_id, worker, error_type,
    error, args, kwargs
)
SELECT md5('run' || number)::uuid, at, job, queue, state,
       CASE state WHEN 'pending' THEN 10 WHEN 'processing' THEN 15 ELSE 19 END, 1, 3, 'schedule',
       schedule_id, at,
       CASE WHEN state NOT IN ('skipped', 'pending') THEN started_at END,
       CASE WHEN state NOT IN ('skipped', 'pending') THEN started_at END,
       CASE WHEN state NOT IN ('pending', 'processing') THEN finished_at END,
       CASE WHEN state NOT IN ('skipped', 'pending') THEN wait_ms END,
       CASE WHEN state NOT IN ('skipped', 'pending', 'processing') THEN duration_ms END,
       CASE WHEN state NOT IN ('skipped', 'pending') THEN md5('execution' || number)::uuid END,
       'worker-1',
       CASE WHEN state IN ('failed', 'dead') THEN 'ValueError' END,
       CASE WHEN state IN ('failed', 'dead') THEN 'The server answered ' || number %% 7 END,
       CASE number %% 2 WHEN 0 THEN '[]' ELSE jsonb_build_array(number / 2 %% 1000) END,
       CASE number %% 2 WHEN 0 THEN jsonb_build_object('coach_id', number / 2 %% 1000) ELSE '{}' END
  FROM (
        SELECT number, at, at + wait_ms * interval '1 millisecond' AS started_at, wait_ms, duration_ms,
               at + (wait_ms + duration_ms) * interval '1 millisecond' AS finished_at,
               'job-' || lpad((number %% %(jobs)s)::text, 2, '0') AS job,
               number %% %(jobs)s + 1 AS schedule_id,
               CASE WHEN number %% %(jobs)s < 50 THEN 'default' ELSE 'reports' END AS queue,
               CASE WHEN number > %(runs)s - 40 THEN 'processing'
                    WHEN number > %(runs)s - 60 THEN 'pending'
                    WHEN spread < 4 THEN 'failed'
                    WHEN spread = 4 THEN 'cancelled'
                    WHEN spread = 5 THEN 'dead'
                    WHEN spread < 8 THEN 'skipped'
                    ELSE 'succeeded' END AS state
          FROM (
                SELECT number,
                       date_trunc('milliseconds', now() - %(days)s * interval '24 hours'
                           * ((%(runs)s - number)::double precision / %(runs)s)) AS at,
                       hashint4(number) & 1023 AS wait_ms,
                       (exp((hashint4(number + 1) & 65535) / 65536.0 * 10) + 1)::integer AS duration_ms,
                       (hashint4(number + 2) & 1048575) %% 200 AS spread
                  FROM generate_series(1, %(runs)s) AS number
               ) AS base
       ) AS run
"""


#: Rows first, their indexes after: that takes a third of the time.
_CONSTRAINTS = """
SELECT quote_ident(conname), pg_get_constraintdef(oid)
  FROM pg_constraint
 WHERE conrelid = 'callboard.runs'::regclass AND contype IN ('p', 'c')
"""
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
  FROM pg_index
 WHERE indrelid = 'callboard.runs'::regclass AND NOT indisprimary
"""


#: A sample every ten seconds for a week, of a queue that is busier by day; by the hour for all the days.
_SAMPLES = """
INSERT INTO callboard.queue_samples
       (queue, at, depth, oldest_due_ms, in_flight, dead, workers, slots, busy, parked)
SELECT queue, at, greatest(0, load - 4), greatest(0, load - 4) * 50, load, 3, 2, 16, least(16, load), load % 3
  FROM unnest(ARRAY['default', 'reports']) AS queue
 CROSS JOIN generate_series(date_bin('10 s', now(), 'epoch') - interval '7 days', now(), '10 s') AS at
 CROSS JOIN LATERAL (
       SELECT (4 + 4 * sin(extract(epoch FROM at) / 13751) + (hashtext(queue || at) & 7))::int AS load
       ) AS noise
"""
_HOURS = """
INSERT INTO callboard.queue_sample_hours
       (queue, bucket, samples, first_at, last_at, depth_max, dead_max
      , depth_sum, parked_sum, in_flight_sum, busy_sum, slots_sum)
SELECT queue, bucket, 360, bucket, bucket + interval '3590 s', 11, 3, 1400, 300, 2700, 2700, 5760
  FROM unnest(ARRAY['default', 'reports']) AS queue
 CROSS JOIN generate_series(
       date_trunc('hour', now(), 'UTC') - %(days)s * interval '24 hours', now(), '1 hour') AS bucket
"""


def fill(url: str, *, runs: int = 1_000_000, jobs: int = 60, days: int = 90) -> None:
    """Add so many runs of so many jobs (`job-00` ...), spread evenly over the last days, and their rollups.

    The last 60 have not finished: 40 run, 20 wait. Each has an argument `coach_id` from 0 to 999, by its name
    or at the first place. Their queues have samples.
    """
    numbers = {"runs": runs, "jobs": jobs, "days": days}
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL synchronous_commit = off")
        connection.execute("SET LOCAL work_mem = '256MB'")
        connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
        connection.execute(
            "SELECT callboard.ensure_partitions(now() - %(days)s * interval '24 hours', now())", numbers
        )
        connection.execute(
            "INSERT INTO callboard.jobs (name, source, category, signature)"
            " SELECT 'job-' || lpad(number::text, 2, '0'), 'helpers', 'category ' || number %% 6"
            '      , \'[{"name": "coach_id"}]\''
            " FROM generate_series(0, %(jobs)s - 1) AS number",
            numbers,
        )
        constraints, indexes = (connection.execute(query).fetchall() for query in (_CONSTRAINTS, _INDEXES))
        for name, _ in constraints:
            connection.execute(f"ALTER TABLE callboard.runs DROP CONSTRAINT {name}")
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute(_FILL, numbers)
        for name, definition in constraints:
            connection.execute(f"ALTER TABLE callboard.runs ADD CONSTRAINT {name} {definition}")
        for _, definition in indexes:
            connection.execute(definition.replace(" ON ONLY ", " ON "))
        for widths, kept in (([3600, 86400], days + 1), ([60], 35)):
            connection.execute(
                "SELECT callboard.rebuild_rollups(now() - %s * interval '24 hours', now(), %s)",
                (kept, widths),
            )
        connection.execute(_SAMPLES)
        connection.execute(_HOURS, numbers)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "VACUUM ANALYZE callboard.runs, callboard.rollups, callboard.queue_rollups"
            ", callboard.queue_samples, callboard.queue_sample_hours"
        )
