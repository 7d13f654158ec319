"""What the last failures of jobs say is read without reading all of them."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text

from callboard.storage.queries.health import last_failures

JOBS = ("job-1", "job-2", "job-3")
#: A day of many runs, and a storm in which each of three jobs has failed two thousand times.
RUNS = text("""
INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, started_at, error_type)
SELECT gen_random_uuid(), at, 'job-' || number % 40, 'default', 'succeeded', 19, at, NULL
  FROM generate_series(1, 40000) AS number
 CROSS JOIN LATERAL (SELECT now() - number * interval '2 s' AS at) AS moment
 UNION ALL
SELECT gen_random_uuid(), at, 'job-' || 1 + number % 3, 'default', 'failed', 19, at, 'KeyError'
  FROM generate_series(1, 6000) AS number
 CROSS JOIN LATERAL (SELECT now() - number * interval '14 s' AS at) AS moment
""")
READ = text("""
SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))
  FROM pg_stat_xact_user_tables
 WHERE relname LIKE 'runs%'
""")


def test_of_a_storm_of_failures_the_last_ones_are_read_and_no_more(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT callboard.ensure_partitions(now() - interval '2 days', now())"))
        connection.execute(RUNS)
        connection.execute(text("ANALYZE callboard.runs"))

    with engine.begin() as connection:
        before = connection.execute(READ).scalar_one()
        found = last_failures(connection, JOBS, since=datetime.now(UTC) - timedelta(days=1))
        read = connection.execute(READ).scalar_one() - before

    assert Counter(row["job"] for row in found) == dict.fromkeys(JOBS, 10)
    assert {row["error_type"] for row in found} == {"KeyError"}
    assert read <= 100
