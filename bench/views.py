"""Each public view and function on a million runs."""

import statistics
import sys
import time

import psycopg

from bench.harness import ROOT, servers, table

RUNS = 1_000_000

STATEMENTS = (
    "SELECT * FROM recent_cron_executions ORDER BY started_at DESC LIMIT 50",
    "SELECT * FROM running_cron_jobs",
    "SELECT * FROM cron_job_success_rates",
    "SELECT * FROM failed_cron_jobs LIMIT 20",
    "SELECT * FROM failed_cron_jobs",
    "SELECT * FROM get_cron_job_stats('job-07', 30)",
    "SELECT * FROM get_cron_job_timeline('job-07', 24)",
    "SELECT * FROM cron_job_logs WHERE job_name = 'job-07' ORDER BY started_at DESC LIMIT 10",
    "SELECT * FROM cron_job_config WHERE job_name = 'job-07'",
)


def main(*, quick: bool) -> None:
    """The median of several runs of each, warm, rows fetched."""
    sys.path.insert(0, str(ROOT / "tests"))
    from helpers.million import fill

    runs = 100_000 if quick else RUNS
    rows = []
    with servers() as where:
        fill(where.database_url, runs=runs)
        with psycopg.connect(where.database_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            for statement in STATEMENTS:
                times = [timed(connection, statement) for _ in range(8)][1:]
                rows.append((statement, statistics.median(times), max(times)))
    table(f"Public views on {runs:,} runs, ms", ("statement", "median", "worst"), rows)


def timed(connection: psycopg.Connection, statement: str) -> float:
    """Milliseconds to run a statement and fetch all its rows."""
    begun = time.perf_counter()
    connection.execute(statement).fetchall()  # type: ignore[call-overload]
    return (time.perf_counter() - begun) * 1000
