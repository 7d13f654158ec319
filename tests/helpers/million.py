"""A quarter's worth of runs, made by the server itself: for query plans and for timing."""

import psycopg

#: The states of every 200 runs; the last rows of all are those that have not finished.
_FILL = """
INSERT INTO callboard.runs (
    run_id, enqueued_at, job, queue, state, rank, attempt, max_attempts, trigger, ready_at, started_at,
    attempt_started_at, finished_at, wait_ms, duration_ms, execution_id, worker, error_type, error
)
SELECT gen_random_uuid(), at, job, queue, state,
       CASE state WHEN 'pending' THEN 10 WHEN 'processing' THEN 15 ELSE 19 END, 1, 3, 'schedule', at,
       CASE WHEN state NOT IN ('skipped', 'pending') THEN started_at END,
       CASE WHEN state NOT IN ('skipped', 'pending') THEN started_at END,
       CASE WHEN state NOT IN ('pending', 'processing') THEN started_at + duration_ms * interval '1 millisecond' END,
       CASE WHEN state NOT IN ('skipped', 'pending') THEN wait_ms END,
       CASE WHEN state NOT IN ('skipped', 'pending', 'processing') THEN duration_ms END,
       CASE WHEN state NOT IN ('skipped', 'pending') THEN gen_random_uuid() END,
       'worker-1',
       CASE WHEN state IN ('failed', 'dead') THEN 'ValueError' END,
       CASE WHEN state IN ('failed', 'dead') THEN 'The server answered ' || number %% 7 END
  FROM (
        SELECT number, at, at + wait_ms * interval '1 millisecond' AS started_at, wait_ms, duration_ms,
               'job-' || lpad((number %% %(jobs)s)::text, 2, '0') AS job,
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
                       date_trunc('milliseconds', now() - (%(runs)s - number) * (%(days)s * interval '24 hours' / %(runs)s))
                           AS at,
                       hashint4(number) & 1023 AS wait_ms,
                       (exp((hashint4(number + 1) & 65535) / 65536.0 * 10) + 1)::integer AS duration_ms,
                       (hashint4(number + 2) & 1048575) %% 200 AS spread
                  FROM generate_series(1, %(runs)s) AS number
               ) AS base
       ) AS run
"""


def fill(url: str, *, runs: int = 1_000_000, jobs: int = 60, days: int = 90) -> None:
    """Add so many runs of so many jobs (`job-00` ...), spread evenly over the last days, and their rollups.

    The last 60 have not finished: 40 run, 20 wait.
    """
    numbers = {"runs": runs, "jobs": jobs, "days": days}
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL synchronous_commit = off")
        connection.execute(
            "SELECT callboard.ensure_partitions(now() - %(days)s * interval '24 hours', now())", numbers
        )
        connection.execute(
            "INSERT INTO callboard.jobs (name, source, category)"
            " SELECT 'job-' || lpad(number::text, 2, '0'), 'helpers', 'category ' || number %% 6"
            " FROM generate_series(0, %(jobs)s - 1) AS number",
            numbers,
        )
        connection.execute(_FILL, numbers)
        connection.execute(
            "SELECT callboard.rebuild_rollups(now() - (%(days)s + 1) * interval '24 hours', now())", numbers
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE callboard.runs, callboard.rollups")
