"""What is old goes, in batches; what is not finished or not old stays."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import Engine, text

from callboard.storage.engine import psycopg_url
from callboard.storage.retention import (
    count_old_executions,
    delete_old_rollups,
    delete_old_runs,
    drop_old_week,
)
from helpers.runs import DAY, NOW, Database, add_run, log, one
from helpers.waiting import wait_for


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        yield connection


def remaining(database: Database, table: str) -> int:
    number: int = one(database, f"SELECT count(*) AS n FROM callboard.{table}")["n"]
    return number


def add_occurrence(database: Database, schedule: int, age: timedelta) -> None:
    database.execute(
        "INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition)"
        " VALUES (%s, %s, 'a-job', 'fired')",
        (schedule, NOW - age),
    )


def test_a_batch_deletes_no_more_than_its_limit_and_the_last_one_nothing(
    database: Database, engine: Engine
) -> None:
    # Given five old runs, one of them skipped, seven old slots, and one of each that is young
    for number in range(5):
        add_run(
            database, "skipped" if number == 0 else "failed", started=number > 0, enqueued_at=NOW - 91 * DAY
        )
    add_run(database, "succeeded")
    for number in range(7):
        add_occurrence(database, number, 91 * DAY)
    add_occurrence(database, 9, DAY)
    with engine.connect() as connection:
        assert count_old_executions(connection, 90) == 4
    # When batches of three are deleted
    batches = []
    for _ in range(4):
        with engine.begin() as connection:
            batches.append(delete_old_runs(connection, 90, 3))
    # Expect three at a time, and what is young to stay
    assert [batch.runs for batch in batches] == [3, 2, 0, 0]
    assert sum(batch.executions for batch in batches) == 4
    assert [batch.occurrences for batch in batches] == [3, 3, 1, 0]
    assert (remaining(database, "runs"), remaining(database, "occurrences")) == (1, 1)


def test_attempts_and_log_lines_go_with_their_runs_and_only_with_theirs(
    database: Database, engine: Engine
) -> None:
    for age in (91 * DAY, DAY):
        run_id = add_run(database, "failed", enqueued_at=NOW - age)
        database.execute(
            "INSERT INTO callboard.attempts (run_id, enqueued_at, attempt, execution_id, state)"
            " VALUES (%s, %s, 1, gen_random_uuid(), 'failed')",
            (run_id, NOW - age),
        )
        database.execute(
            "INSERT INTO callboard.log_lines (run_id, enqueued_at, attempt, seq, at, level, message)"
            " VALUES (%s, %s, 1, 0, now(), 'info', 'hello')",
            (run_id, NOW - age),
        )
    with engine.begin() as connection:
        delete_old_runs(connection, 90, 100)
    assert [remaining(database, table) for table in ("runs", "attempts", "log_lines")] == [1, 1, 1]


def test_old_weeks_are_dropped_whole_but_not_one_with_a_run_that_has_not_finished(
    database: Database, engine: Engine
) -> None:
    # Given two old weeks, in one of which a run still goes on
    database.execute("SELECT callboard.ensure_partitions(%s, %s)", (NOW - 120 * DAY, NOW))
    add_run(database, "succeeded", enqueued_at=NOW - 110 * DAY)
    add_occurrence(database, 1, 110 * DAY)
    add_run(database, "succeeded", enqueued_at=NOW - 103 * DAY)
    add_run(database, "processing", enqueued_at=NOW - 103 * DAY)
    before = one(
        database, "SELECT count(*) AS n FROM pg_inherits WHERE inhparent = 'callboard.runs'::regclass"
    )
    assert drop_all(engine) == 1
    # Expect the first week to be gone and the second to be whole
    after = one(
        database, "SELECT count(*) AS n FROM pg_inherits WHERE inhparent = 'callboard.runs'::regclass"
    )
    assert after["n"] < before["n"]
    assert (remaining(database, "runs"), remaining(database, "occurrences")) == (2, 0)


def test_rollups_by_the_minute_go_first_then_those_by_the_hour_and_those_by_the_day_never(
    database: Database, engine: Engine
) -> None:
    for age in (401, 100, 10):
        log(database, "completed", NOW - age * DAY)
    with engine.begin() as connection:
        assert delete_old_rollups(connection, 2) == 2
        deleted = 2
        while batch := delete_old_rollups(connection, 2):
            deleted += batch
    rows = database.execute(
        "SELECT width_s, sum(succeeded)::int AS n FROM callboard.rollups GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [tuple(row.values()) for row in rows] == [(60, 1), (3600, 2), (86400, 3)]
    assert deleted >= 3


def test_dropping_weeks_does_not_cross_a_recorder_at_work(engine: Engine) -> None:
    # Given a recorder that has written runs and has not come to the log lines
    with engine.begin() as connection:
        connection.execute(text("SELECT callboard.ensure_partitions(now() - interval '90 days')"))
    recorder = engine.connect()
    recorder.execute(text("LOCK TABLE callboard.runs IN ROW EXCLUSIVE MODE"))

    # When an old week is dropped
    def drop() -> None:
        with engine.begin() as connection:
            drop_old_week(connection, 30)

    with ThreadPoolExecutor() as pool:
        dropping = pool.submit(drop)
        wait_for(lambda: waiting_for_locks(engine))

        # Then neither waits for the other for ever
        recorder.execute(text("LOCK TABLE callboard.attempts, callboard.log_lines IN ROW EXCLUSIVE MODE"))
        recorder.commit()
        dropping.result(10)
    recorder.close()


def drop_all(engine: Engine) -> int:
    """Drop week after week; the number of executions that went."""
    executions = 0
    while True:
        with engine.begin() as connection:
            dropped = drop_old_week(connection, 90)
        if not dropped.weeks:
            return executions
        executions += dropped.executions


def waiting_for_locks(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
