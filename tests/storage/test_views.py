"""What the public views show of runs."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg.rows import dict_row

from callboard.storage.engine import psycopg_url
from helpers.runs import HOUR, NOW, Database, add_run, logged, run


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        yield connection


@pytest.mark.parametrize(
    ("state", "started", "status"),
    [
        ("pending", False, None),
        ("pending", True, "started"),
        ("processing", True, "started"),
        ("succeeded", True, "completed"),
        ("failed", True, "failed"),
        ("dead", True, "failed"),
        ("cancelled", True, "failed"),
        ("cancelled", False, None),
        ("skipped", False, None),
        ("dead", False, None),
    ],
)
def test_the_log_has_one_of_three_words_for_a_run_that_started_and_does_not_list_others(
    database: Database, state: str, started: bool, status: str | None
) -> None:
    run_id = add_run(database, state, started)
    row = logged(database, run_id)
    assert (row["status"] if row else None) == status


def test_the_log_shows_a_run_under_the_published_names(database: Database) -> None:
    ended = NOW - HOUR / 4
    run_id = add_run(
        database, "failed", attempt=3, finished_at=ended, duration_ms=1234, error="The server is away"
    )
    assert logged(database, run_id) == {
        "id": run_id,
        "job_name": "a-job",
        "status": "failed",
        "started_at": NOW - HOUR / 2,
        "completed_at": ended,
        "duration_ms": 1234,
        "error_message": "The server is away",
        "attempts": 3,
        "created_at": NOW - HOUR / 2 - timedelta(seconds=1),
    }


def test_recent_executions_are_those_of_seven_days_the_latest_first(database: Database) -> None:
    ages = [timedelta(days=8), timedelta(days=6), timedelta(hours=1)]
    runs = [add_run(database, "succeeded", started_at=NOW - age) for age in ages]
    rows = database.execute("SELECT id FROM recent_cron_executions").fetchall()
    assert [row["id"] for row in rows] == [runs[2], runs[1]]


def test_failed_jobs_are_the_hundred_that_started_last(database: Database) -> None:
    for number in range(103):
        add_run(database, "failed", started_at=NOW - number * HOUR)
    add_run(database, "succeeded")
    rows = database.execute("SELECT started_at, status FROM failed_cron_jobs").fetchall()
    assert [row["started_at"] for row in rows] == [NOW - number * HOUR for number in range(100)]
    assert {row["status"] for row in rows} == {"failed"}


def test_running_jobs_are_those_of_the_last_hour_with_the_seconds_that_they_run(database: Database) -> None:
    add_run(database, "processing", started_at=NOW - 2 * HOUR)
    add_run(database, "succeeded", started_at=NOW - HOUR / 2)
    running = add_run(database, "processing", started_at=NOW - HOUR / 2)
    (row,) = database.execute("SELECT * FROM running_cron_jobs").fetchall()
    assert row["id"] == running
    assert 1800 <= row["running_duration_seconds"] < 3600


def test_success_rates_count_finished_runs_of_thirty_days_by_job(database: Database) -> None:
    insert = "INSERT INTO cron_job_logs (job_name, status, started_at, duration_ms) VALUES (%s, %s, %s, %s)"
    for status, ms, age in [
        ("completed", 100, 1),
        ("completed", 200, 20),
        ("failed", 600, 29),
        ("failed", 9, 31),
    ]:
        database.execute(insert, ("a-job", status, NOW - timedelta(days=age), ms))
    database.execute(insert, ("b-job", "failed", NOW - timedelta(days=2), 10))
    database.execute(insert, ("c-job", "started", NOW, None))
    rows = database.execute("SELECT * FROM cron_job_success_rates").fetchall()
    assert [[float(v) if k.endswith("percentage") else v for k, v in row.items()] for row in rows] == [
        ["a-job", 2, 1, 3, 66.67, 300, NOW - timedelta(days=1)],
        ["b-job", 0, 1, 1, 0.0, 10, NOW - timedelta(days=2)],
    ]


def test_attempts_of_a_run_come_from_their_own_rows_and_the_last_from_the_run_where_it_has_none(
    database: Database,
) -> None:
    # Given a run that failed once and now runs again
    first, second = uuid.uuid4(), uuid.uuid4()
    run_id = add_run(database, "processing", attempt=2, execution_id=second)
    made = run(database, run_id)["enqueued_at"]
    attempt = (
        "INSERT INTO callboard.attempts (run_id, enqueued_at, attempt, execution_id, state)"
        " VALUES (%s, %s, %s, %s, %s)"
    )
    database.execute(attempt, (run_id, made, 1, first, "failed"))
    query = (
        "SELECT attempt, execution_id, state FROM callboard.run_attempts WHERE run_id = %s ORDER BY attempt"
    )
    # Expect both; and still both once the second has a row of its own
    shown = [tuple(row.values()) for row in database.execute(query, (run_id,)).fetchall()]
    assert shown == [(1, first, "failed"), (2, second, "processing")]
    database.execute(attempt, (run_id, made, 2, second, "succeeded"))
    shown = [tuple(row.values()) for row in database.execute(query, (run_id,)).fetchall()]
    assert shown == [(1, first, "failed"), (2, second, "succeeded")]
