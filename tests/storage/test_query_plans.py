"""On a million runs no public view or function reads more than it shows, whatever the machine's speed.

What is asserted is the plan: which rows each scan of a table touched. Times are measured by hand
(docs/benchmarks.md), since they differ from machine to machine.
"""

from collections.abc import Iterator

import psycopg
import pytest

from callboard.storage.engine import psycopg_url
from callboard.storage.queries.anomalies import LATEST
from helpers.million import fill
from helpers.plans import scanned, touched

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]

RUNS = 1_000_000
#: The last runs of each job, which anomalies are found by.
LAST_RUNS = (
    str(LATEST)
    .replace(":largest", "2000")
    .replace(":limit", "60")
    .replace(":day", "now() - interval '1 day'")
    .replace(":hour", "now() - interval '1 hour'")
)
#: A statement, and how many rows its scans may touch in all: the rows it returns, and a little more.
STATEMENTS = {
    "SELECT * FROM recent_cron_executions": RUNS // 12,
    "SELECT * FROM recent_cron_executions ORDER BY started_at DESC LIMIT 50": 200,
    "SELECT * FROM recent_cron_executions WHERE job_name = 'job-07'": 2500,
    "SELECT * FROM failed_cron_jobs": 300,
    "SELECT * FROM failed_cron_jobs LIMIT 20": 300,
    "SELECT job_name, started_at, running_duration_seconds FROM running_cron_jobs": 600,
    "SELECT * FROM cron_job_success_rates": 8000,
    "SELECT * FROM get_cron_job_stats('job-07', 30)": 8000,
    "SELECT * FROM get_cron_job_stats('job-07', 90)": 12_000,
    "SELECT * FROM get_cron_job_timeline('job-07', 24)": 8000,
    "SELECT * FROM get_cron_job_timeline('job-07', 720)": 8000,
    "SELECT * FROM cron_job_logs WHERE job_name = 'job-07' ORDER BY started_at DESC LIMIT 10": 200,
    "SELECT * FROM cron_job_logs ORDER BY started_at DESC LIMIT 50": 200,
    "SELECT * FROM cron_job_logs WHERE id = md5('run77')::uuid": 20,
    """
    SELECT count(*) FROM cron_job_logs WHERE status = 'started' AND started_at < now() - interval '1 hour'
    """: 100,
    """
    SELECT error_message, count(*) FROM cron_job_logs
     WHERE job_name = 'job-07' AND status = 'failed' AND started_at > now() - interval '7 days' GROUP BY 1
    """: 200,
    "SELECT * FROM callboard.run_attempts WHERE run_id = md5('run77')::uuid": 40,
    "SELECT * FROM cron.job_run_details WHERE jobid = 7 ORDER BY start_time DESC LIMIT 10": 400,
    "SELECT * FROM cron.job_run_details WHERE start_time > now() - interval '1 hour'": 1500,
    "SELECT * FROM job_queue WHERE id = md5('run77')::uuid": 40,
    "SELECT * FROM job_queue WHERE status = 'pending' ORDER BY created_at": 200,
    "SELECT * FROM job_queue WHERE status = 'failed' AND completed_at > now() - interval '1 day'": 600,
    """
    SELECT * FROM job_queue
     WHERE status = 'succeeded' AND completed_at < now() - interval '89 days 23 hours'
    """: 4000,
    LAST_RUNS: 6000,
}


@pytest.fixture(scope="module")
def database(module_database_url: str) -> Iterator[psycopg.Connection]:
    fill(psycopg_url(module_database_url), runs=RUNS)
    with psycopg.connect(psycopg_url(module_database_url), autocommit=True) as connection:
        # A parallel scan hides how much is read behind how fast it goes.
        connection.execute("SET max_parallel_workers_per_gather = 0")
        yield connection


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_public_view_reads_by_indexes_and_little_more_than_it_shows(
    database: psycopg.Connection, statement: str
) -> None:
    row = database.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT json) {statement}").fetchone()
    assert row is not None
    scans = list(scanned(row[0][0]["Plan"]))
    assert scans, "the plan reads no table at all: a function hides what it does"
    whole = [scan for scan in scans if scan["Node Type"] == "Seq Scan" and touched(scan) > 100]
    assert whole == []
    assert sum(touched(scan) for scan in scans) <= STATEMENTS[statement]


@pytest.mark.parametrize("statement", [name for name in STATEMENTS if "rates" in name or "get_cron" in name])
def test_figures_are_read_from_rollups_and_never_from_runs(
    database: psycopg.Connection, statement: str
) -> None:
    row = database.execute(f"EXPLAIN (FORMAT json) {statement}").fetchone()
    assert row is not None
    assert {scan["Relation Name"] for scan in scanned(row[0][0]["Plan"])} == {"rollups"}


def test_the_million_is_there_and_its_rollups_agree_with_it(database: psycopg.Connection) -> None:
    raw = database.execute(
        "SELECT count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'failed')"
        " FROM cron_job_logs WHERE job_name = 'job-07'"
        " AND completed_at >= date_trunc('minute', now() - interval '30 days')"
    ).fetchone()
    figures = database.execute(
        "SELECT successful_runs, failed_runs FROM cron_job_success_rates WHERE job_name = 'job-07'"
    ).fetchone()
    assert database.execute("SELECT count(*) FROM callboard.runs").fetchone() == (RUNS,)
    assert figures == raw
    assert raw is not None
    assert min(raw) > 100
