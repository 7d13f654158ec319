"""The public ledger: one row for each expected occurrence, read by indexes alone."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg.rows import dict_row

from callboard.storage.engine import psycopg_url
from helpers.plans import scanned, touched
from helpers.runs import HOUR, NOW

SLOTS = 60_000

_FILL = """
WITH slot AS (
     SELECT n, date_trunc('minute', now()) - n * interval '40 seconds' AS due, 1 + n %% 6 AS schedule
          , md5('slot' || n)::uuid AS run
       FROM generate_series(1, %(slots)s) n
   ), run AS (
     INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank)
     SELECT run, due, 'job-' || schedule, 'default', 'succeeded', 19 FROM slot WHERE n %% 10 <> 0
   )
INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition, run_id, decided_at)
SELECT schedule, due, 'job-' || schedule, CASE WHEN n %% 10 = 0 THEN 'missed' ELSE 'fired' END
     , CASE WHEN n %% 10 <> 0 THEN run END, due + interval '10 ms'
  FROM slot
"""
#: A statement, and how many rows its scans may touch in all.
STATEMENTS = {
    "SELECT * FROM cron_ledger ORDER BY due_at DESC, schedule_id DESC LIMIT 50": 200,
    "SELECT * FROM cron_ledger WHERE job_name = 'job-3' ORDER BY due_at DESC LIMIT 50": 250,
    "SELECT * FROM cron_ledger WHERE schedule_id = 3 ORDER BY due_at DESC LIMIT 50": 250,
    "SELECT * FROM cron_ledger WHERE job_name = 'job-3' AND due_at > now() - interval '2 hours'": 200,
    "SELECT * FROM cron_ledger WHERE schedule_id = 3 AND due_at >= now() - interval '9 days'"
    " ORDER BY due_at LIMIT 1": 20,
    "SELECT * FROM cron_ledger WHERE due_at > now() - interval '1 hour' AND disposition = 'missed'": 200,
}


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(psycopg_url(module_database_url), autocommit=True) as connection:
        connection.execute("SELECT callboard.ensure_partitions(now() - interval '30 days', now())")
        connection.execute(_FILL, {"slots": SLOTS})
        connection.execute("ANALYZE")
        connection.execute("SET max_parallel_workers_per_gather = 0")
        yield connection


def test_a_slot_is_shown_once_with_its_schedule_and_its_run(database_url: str) -> None:
    due, run = NOW - HOUR, uuid.uuid4()
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as database:
        made = database.execute(
            "INSERT INTO callboard.schedules (job_name, key, expr, tz)"
            " VALUES ('a-job', 'mine', '0 * * * *', 'Asia/Tokyo') RETURNING id"
        ).fetchone()
        assert made is not None
        add = (
            "INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition, reason, run_id"
            ", decided_at) VALUES (%s, %s, 'a-job', %s, 'so', %s, %s)"
        )
        late = due + timedelta(hours=30)
        database.execute(add, (made["id"], due, "late", run, late))
        database.execute(add, (made["id"], due - HOUR, "missed", None, late))
        database.execute(add, (made["id"] + 1, due, "fired", uuid.uuid4(), due))
        database.execute(
            "INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, error)"
            " VALUES (%s, %s, 'a-job', 'default', 'failed', 19, 'no luck')",
            (run, late),
        )

        rows = database.execute("SELECT * FROM cron_ledger ORDER BY schedule_id, due_at").fetchall()

    assert [row["disposition"] for row in rows] == ["missed", "late", "fired"]
    assert rows[1] == {
        "schedule_id": made["id"],
        "job_name": "a-job",
        "schedule": "mine",
        "schedule_expr": "0 * * * *",
        "schedule_tz": "Asia/Tokyo",
        "due_at": due,
        "disposition": "late",
        "reason": "so",
        "run_id": run,
        "run_state": "failed",
        "run_reason": "no luck",
        "decided_at": late,
    }
    assert (rows[2]["schedule"], rows[2]["run_state"]) == (None, None)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_ledger_is_read_by_indexes_and_little_more_than_it_shows(
    filled: psycopg.Connection, statement: str
) -> None:
    row = filled.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT json) {statement}").fetchone()
    assert row is not None
    scans = [scan for scan in scanned(row[0][0]["Plan"]) if scan["Relation Name"] != "schedules"]
    assert scans
    assert [scan for scan in scans if scan["Node Type"] == "Seq Scan" and scan["Actual Rows"] > 100] == []
    assert sum(touched(scan) for scan in scans) <= STATEMENTS[statement]


def test_the_run_of_a_slot_is_looked_for_in_its_own_weeks_alone(filled: psycopg.Connection) -> None:
    query = "SELECT run_state FROM cron_ledger WHERE schedule_id = 3 ORDER BY due_at DESC LIMIT 50"
    row = filled.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT json) {query}").fetchone()
    assert row is not None

    runs = [scan for scan in scanned(row[0][0]["Plan"]) if scan["Relation Name"].startswith("runs")]

    assert len(runs) > 4
    assert sum(scan["Actual Loops"] > 0 for scan in runs) <= 2
