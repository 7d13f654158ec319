"""Each public view and function on a million runs."""

import statistics
import sys
import time

import psycopg

from bench.harness import ROOT, aim, servers, table

RUNS = 1_000_000

STATEMENTS = (
    "SELECT * FROM recent_cron_executions",
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
    """The median of several runs of each, warm: in the server, and with every row fetched by this client."""
    sys.path.insert(0, str(ROOT / "tests"))
    from helpers.million import fill

    runs = 100_000 if quick else RUNS
    rows = []
    with servers() as where:
        fill(where.database_url, runs=runs)
        with psycopg.connect(where.database_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            for statement in STATEMENTS:
                measured = [
                    (served(connection, statement), *fetched(connection, statement)) for _ in range(8)
                ]
                server, client, counts = zip(*measured[1:], strict=True)
                rows.append(
                    (
                        statement,
                        f"{counts[0]:,}",
                        statistics.median(server),
                        max(server),
                        statistics.median(client),
                    )
                )
    aim("views, slowest, ms in the server", max(row[2] for row in rows), most=100)
    table(
        f"Public views on {runs:,} runs, ms (the server's part: under 100)",
        ("statement", "rows", "server", "worst", "fetched"),
        rows,
    )


def served(connection: psycopg.Connection, statement: str) -> float:
    """Milliseconds that the server takes to plan and execute a statement."""
    plan = connection.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}").fetchone()  # type: ignore[call-overload]
    return plan[0][0]["Planning Time"] + plan[0][0]["Execution Time"]


def fetched(connection: psycopg.Connection, statement: str) -> tuple[float, int]:
    """Milliseconds until all rows are Python objects in this process, and how many there are."""
    begun = time.perf_counter()
    rows = connection.execute(statement).fetchall()  # type: ignore[call-overload]
    return (time.perf_counter() - begun) * 1000, len(rows)
