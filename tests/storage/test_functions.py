"""The public functions."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from callboard.storage.engine import psycopg_url
from helpers.runs import DAY, HOUR, NOW, Database, add_job, add_run, log, one, run

USER = uuid.UUID("b9d2f1c4-5a0e-4c1b-9f62-0d7a3c8e4b15")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        yield connection


def test_stats_count_finished_runs_within_the_days_asked_for(database: Database) -> None:
    for status, age, ms in [
        ("completed", HOUR, 100),
        ("completed", 20 * DAY, 500),
        ("failed", 29 * DAY, 900),
    ]:
        log(database, status, NOW - age, ms)
    log(database, "failed", NOW - 30 * DAY - 2 * HOUR, 7)
    row = one(database, "SELECT * FROM get_cron_job_stats('a-job', 30)")
    assert {**row, "success_rate": float(row["success_rate"])} == {
        "total_runs": 3,
        "successful_runs": 2,
        "failed_runs": 1,
        "success_rate": 66.67,
        "avg_duration_ms": 500,
        "min_duration_ms": 100,
        "max_duration_ms": 900,
        "last_run_at": NOW - HOUR - timedelta(milliseconds=100),
        "last_success_at": NOW - HOUR,
        "last_failure_at": NOW - 29 * DAY,
    }
    assert one(database, "SELECT total_runs FROM get_cron_job_stats('a-job', 60)") == {"total_runs": 4}
    assert one(database, "SELECT total_runs FROM get_cron_job_stats('a-job', 1)") == {"total_runs": 1}


def test_stats_of_a_job_that_never_ran_are_one_row_of_zeros_and_nulls(database: Database) -> None:
    row = one(database, "SELECT * FROM get_cron_job_stats('nobody', 30)")
    assert list(row.values()) == [0, 0, 0] + [None] * 7


def test_a_timeline_has_every_hour_in_order_and_adds_up_to_what_finished_in_its_window(
    database: Database,
) -> None:
    with database.transaction():
        now = one(database, "SELECT now()")["now"]
        # Given runs in four of the last 24 hours, and one from before
        for age in (1, 90, 91, 500, 23 * 60 + 50, 24 * 60 + 10):
            log(database, "completed" if age % 2 else "failed", now - timedelta(minutes=age), ms=age)
        rows = database.execute("SELECT * FROM get_cron_job_timeline('a-job', 24)").fetchall()
    # Expect 25 hours, the first and the last of them begun or still going on
    hour = now.replace(minute=0, second=0, microsecond=0)
    assert [row["time_bucket"] for row in rows] == [hour - number * HOUR for number in range(24, -1, -1)]
    # and all runs but the old one, with each hour's own average
    assert sum(row["executions"] for row in rows) == 5
    assert sum(row["successes"] for row in rows) == 2
    assert sum(row["failures"] for row in rows) == 3
    assert all((row["avg_duration_ms"] is None) == (row["executions"] == 0) for row in rows)


def test_counts_add_up_the_numbers_of_results_by_day_and_name(database: Database) -> None:
    noon = NOW.replace(hour=12, minute=0, second=0)
    today, before = noon - 2 * DAY, noon - 3 * DAY
    for at, result in [
        (today, {"processed": 3, "failed": 0, "seconds": 0.5, "cursor": "abc", "ok": True}),
        (today, {"processed": 4, "failed": 1, "pages": {"read": 2}}),
        (before, {"processed": 9}),
        (today, 17),
        (today, ["processed"]),
        (today, None),
        (noon - 40 * DAY, {"processed": 100}),
    ]:
        add_run(database, "succeeded", started_at=at, result=Jsonb(result))
    add_run(database, "failed", started_at=today, result=Jsonb({"processed": 1_000}))
    add_run(database, "succeeded", started_at=today, job="another", result=Jsonb({"processed": 1_000}))

    rows = database.execute("SELECT * FROM get_cron_job_counts('a-job', 30)").fetchall()

    assert [tuple(row.values()) for row in rows] == [
        (before.date(), "processed", 9, 1),
        (today.date(), "failed", 1, 2),
        (today.date(), "processed", 7, 2),
        (today.date(), "seconds", Decimal("0.5"), 1),
    ]


@pytest.mark.parametrize("by", [None, "user-uuid", str(USER), USER])
def test_toggling_keeps_who_it_was_where_that_is_a_uuid(database: Database, by: Any) -> None:
    add_job(database)
    for enabled in (False, True):
        database.execute("SELECT toggle_cron_job('a-job', %s, %s)", (enabled, by))
        row = one(database, "SELECT enabled, last_modified_by FROM cron_job_config WHERE job_name = 'a-job'")
        known = None if by in (None, "user-uuid") else uuid.UUID(str(by))
        assert row == {"enabled": enabled, "last_modified_by": known}


def test_toggling_an_unknown_job_or_to_null_is_refused(database: Database) -> None:
    with pytest.raises(errors.NoDataFound, match='There is no job "nobody"'):
        database.execute("SELECT toggle_cron_job('nobody', true)")
    add_job(database)
    with pytest.raises(errors.NullValueNotAllowed, match="not to NULL"):
        database.execute("SELECT toggle_cron_job('a-job', NULL)")


def test_cleaning_up_drops_old_weeks_deletes_the_rest_and_returns_the_number_of_executions(
    database: Database,
) -> None:
    # Given executions of 100 and 91 days ago in weeks of their own, and of 89 days ago
    database.execute("SELECT callboard.ensure_partitions(%s, %s)", (NOW - 120 * DAY, NOW))
    for age in (100, 91, 89):
        log(database, "completed", NOW - age * DAY)
    add_run(database, "skipped", started=False, enqueued_at=NOW - 95 * DAY)
    # When what is older than 90 days is deleted
    assert one(database, "SELECT cleanup_old_cron_logs(90) AS n") == {"n": 2}
    # Expect the two executions to be gone, with the skipped run, and with the oldest partitions
    assert one(database, "SELECT count(*) AS n FROM callboard.runs") == {"n": 1}
    oldest = (NOW - 100 * DAY).date()
    monday = oldest - timedelta(days=oldest.weekday())
    assert one(database, "SELECT to_regclass(%s) AS t", f"callboard.runs_{monday:%Y%m%d}") == {"t": None}
    # and the figures to know them still
    assert one(database, "SELECT total_runs FROM get_cron_job_stats('a-job', 120)") == {"total_runs": 3}


def test_cleaning_up_goes_around_weeks_that_must_stay(database: Database) -> None:
    # Given old weeks, in the middle one of which a run still goes on
    database.execute("SELECT callboard.ensure_partitions(%s, %s)", (NOW - 150 * DAY, NOW))
    for age in (140, 126, 112, 91, 89):
        log(database, "completed", NOW - age * DAY)
    going = add_run(database, "processing", started_at=NOW - 126 * DAY)
    # Expect all that is old and finished to be gone, and nothing else
    assert one(database, "SELECT cleanup_old_cron_logs(90) AS n") == {"n": 4}
    left = database.execute("SELECT run_id FROM callboard.runs ORDER BY enqueued_at").fetchall()
    assert [row["run_id"] == going for row in left] == [True, False]


def test_a_run_that_has_not_finished_survives_any_cleanup(database: Database) -> None:
    database.execute("SELECT callboard.ensure_partitions(%s, %s)", (NOW - 120 * DAY, NOW))
    running = add_run(database, "processing", started_at=NOW - 100 * DAY)
    add_run(database, "succeeded", started_at=NOW - 100 * DAY)
    assert one(database, "SELECT cleanup_old_cron_logs(0) AS n") == {"n": 1}
    assert run(database, running)["state"] == "processing"


def test_a_negative_number_of_days_is_refused(database: Database) -> None:
    with pytest.raises(errors.InvalidParameterValue, match="cannot be -1"):
        database.execute("SELECT cleanup_old_cron_logs(-1)")
