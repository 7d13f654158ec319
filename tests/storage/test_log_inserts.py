"""What an INSERT into `cron_job_logs`, and a DELETE from it, do."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import dict_row

from callboard.storage.engine import psycopg_url
from helpers.runs import HOUR, NOW, Database, add_run, logged, run


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        yield connection


def test_an_execution_logged_by_sql_is_a_run_and_is_counted_once_it_has_ended(database: Database) -> None:
    # Given a program that logs its start
    database.execute("INSERT INTO callboard.jobs (name, queue, source) VALUES ('a-job', 'reports', 'tests')")
    row = database.execute(
        "INSERT INTO cron_job_logs (job_name, status, started_at) VALUES ('a-job', 'started', %s)"
        " RETURNING *",
        (NOW - HOUR,),
    ).fetchone()
    assert row is not None
    assert (row["attempts"], row["created_at"]) == (1, NOW - HOUR)
    # When it logs its end
    database.execute(
        "UPDATE cron_job_logs SET status = 'completed', completed_at = %s, duration_ms = 5 WHERE id = %s",
        (NOW, row["id"]),
    )
    # Expect one run of trigger `sql` in that job's queue, counted as one start and one success
    made = run(database, row["id"])
    assert (made["trigger"], made["queue"], made["state"]) == ("sql", "reports", "succeeded")
    figures = database.execute("SELECT * FROM get_cron_job_stats('a-job', 1)").fetchone()
    assert figures is not None
    assert (figures["total_runs"], figures["avg_duration_ms"], figures["last_run_at"]) == (1, 5, NOW - HOUR)


@pytest.mark.parametrize(
    ("given", "ended", "duration"),
    [
        ({"completed_at": NOW}, NOW, 3_600_000),
        ({"duration_ms": 1000}, NOW - HOUR + timedelta(seconds=1), 1000),
        ({"completed_at": NOW, "duration_ms": 1000}, NOW, 1000),
        ({}, NOW - HOUR, None),
    ],
)
def test_of_end_and_duration_the_one_that_is_not_given_follows_from_the_other(
    database: Database, given: dict[str, Any], ended: datetime, duration: int | None
) -> None:
    columns = {"job_name": "a-job", "status": "failed", "started_at": NOW - HOUR, **given}
    names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
    row = database.execute(
        f"INSERT INTO cron_job_logs ({names}) VALUES ({places}) RETURNING completed_at, duration_ms",
        list(columns.values()),
    ).fetchone()
    assert row == {"completed_at": ended, "duration_ms": duration}


def test_an_insert_without_a_job_of_an_unknown_status_or_with_a_known_id_is_refused(
    database: Database,
) -> None:
    with pytest.raises(errors.NotNullViolation):
        database.execute("INSERT INTO cron_job_logs (status) VALUES ('started')")
    with pytest.raises(errors.CheckViolation, match="Use started, completed or failed"):
        database.execute("INSERT INTO cron_job_logs (job_name, status) VALUES ('a-job', 'running')")
    run_id = add_run(database, "succeeded")
    with pytest.raises(errors.UniqueViolation):
        database.execute(
            "INSERT INTO cron_job_logs (id, job_name, status) VALUES (%s, 'a', 'failed')", (run_id,)
        )


def test_deleting_removes_finished_executions_with_what_belongs_to_them_and_leaves_the_rest(
    database: Database,
) -> None:
    running, finished = add_run(database, "processing"), add_run(database, "failed")
    made = run(database, finished)["enqueued_at"]
    database.execute(
        "INSERT INTO callboard.attempts (run_id, enqueued_at, attempt, execution_id, state)"
        " VALUES (%s, %s, 1, %s, 'failed')",
        (finished, made, uuid.uuid4()),
    )
    database.execute(
        "INSERT INTO callboard.log_lines (run_id, enqueued_at, attempt, seq, at, level, message)"
        " VALUES (%s, %s, 1, 0, now(), 'info', 'hello')",
        (finished, made),
    )
    assert database.execute("DELETE FROM cron_job_logs").rowcount == 1
    for table, left in (("runs", 1), ("attempts", 0), ("log_lines", 0)):
        assert database.execute(f"SELECT count(*) FROM callboard.{table}").fetchone() == {"count": left}
    assert logged(database, running) is not None
