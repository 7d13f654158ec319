"""What the weekly cleanup deletes, and what it leaves, on real history."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, insert, text

from callboard.core.policies import LOW
from callboard.storage.tables.business import (
    current_day,
    item_failures,
    locations,
    measurements,
    reports,
)
from helpers.promises import Promise, assert_kept
from helpers.rows import rows
from helpers.runs import Database, add_run

NAME = "weekly-cleanup"
FETCH = "fetch-paris-data"
NOTHING = {"completed": {}, "failed_runs": {}, "logs": 0, "metrics": 0, "temporary": 0}


def ago(days: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)


@pytest.fixture
def job(surroundings: Any, database: Database) -> Any:
    database.execute("SELECT callboard.ensure_partitions(now() - interval '200 days')")
    return surroundings.get_actor(NAME)


@pytest.fixture
def database(database_url: str) -> Any:
    with psycopg.connect(database_url, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        yield connection


def add(
    database: Database, *days: float, job: str = FETCH, state: str = "succeeded", lines: int = 0, **more: Any
) -> None:
    """Runs that ended so many days ago, each with one attempt and as many log lines."""
    for each in days:
        ended = ago(each)
        run_id = add_run(database, state, job=job, started_at=ended, finished_at=ended, **more)
        keys = (run_id, ended - timedelta(seconds=1))
        database.execute(
            "INSERT INTO callboard.attempts (run_id, enqueued_at, attempt, execution_id, state)"
            " VALUES (%s, %s, 1, gen_random_uuid(), %s)",
            (*keys, state),
        )
        for line in range(lines):
            database.execute(
                "INSERT INTO callboard.log_lines (run_id, enqueued_at, attempt, seq, at, level, message)"
                " VALUES (%s, %s, 1, %s, now(), 'info', 'said')",
                (*keys, line),
            )


def left(engine: Engine, job: str = FETCH) -> dict[str, list[int]]:
    """How many days ago the runs that are left ended, by state."""
    found: dict[str, list[int]] = {}
    query = (
        "SELECT state, round(extract(epoch FROM now() - finished_at) / 86400)::int FROM callboard.runs"
        f" WHERE job = '{job}' ORDER BY finished_at DESC"
    )
    for state, days in rows(engine, query):
        found.setdefault(state, []).append(days)
    return found


def test_the_job_is_declared_as_promised(surroundings: Any) -> None:
    assert_kept(surroundings, NAME, Promise("0 2 * * 0", 600, 2, "cleanup"))
    assert surroundings.get_actor(NAME).priority == LOW


def test_runs_go_by_their_age_and_those_of_other_jobs_stay(
    job: Any, database: Database, engine: Engine
) -> None:
    add(database, 1, 6, 8, 60, lines=2)
    add(database, 8, 29, 31, state="failed")
    add(database, 31, state="cancelled")
    add(database, 8, state="skipped")
    add(database, 8, 31, 89, job="health-check", lines=1)

    first, second = job(batch_size=1), job()

    assert first["rows"] == NOTHING | {"completed": {"default": 3}, "failed_runs": {"default": 2}}
    assert first["processed"] == 5
    assert second == {"processed": 0, "failed": 0, "rows": NOTHING}
    assert left(engine) == {"succeeded": [1, 6], "failed": [8, 29]}
    assert left(engine, "health-check") == {"succeeded": [8, 31, 89]}
    assert rows(engine, "SELECT count(*) FROM callboard.attempts") == [(7,)]
    assert rows(engine, "SELECT count(*) FROM callboard.log_lines") == [(7,)], "logs go with their runs"


def test_runs_go_by_their_number_of_each_job_and_the_latest_stay(
    job: Any, database: Database, engine: Engine
) -> None:
    add(database, 1, 2, 3, 4)
    add(database, 1, 2, 3, state="failed")
    add(database, 1, 2, 3, job="daily-statistics")

    result = job(completed_count=2, failed_count=1)

    assert result["rows"]["completed"] == {"default": 3}
    assert result["rows"]["failed_runs"] == {"default": 2}
    assert left(engine) == {"succeeded": [1, 2], "failed": [1]}
    assert left(engine, "daily-statistics") == {"succeeded": [1, 2]}


def test_what_goes_on_what_has_just_ended_and_what_can_be_requeued_stays(
    job: Any, database: Database, engine: Engine
) -> None:
    add(database, 0.001, 0.002)
    add(database, 60, state="processing")
    add(database, 60, state="dead", dead_letter="a-message")
    add(database, 60, state="dead")

    result = job(completed_count=0, failed_count=0)

    assert result["rows"] == NOTHING | {"failed_runs": {"default": 1}}
    assert left(engine) == {"succeeded": [0, 0], "processing": [60], "dead": [60]}


def test_other_jobs_and_whole_queues_are_cleaned_where_they_are_named(
    job: Any, database: Database, engine: Engine
) -> None:
    add(database, 8)
    add(database, 8, job="sync")
    add(database, 8, 9, job="send", queue="mail")
    add(database, 8, job="other", queue="default")

    result = job(jobs=["sync"], queues=["mail"])

    assert result["rows"]["completed"] == {"default": 1, "mail": 2}
    assert (left(engine), left(engine, "other")) == ({"succeeded": [8]}, {"succeeded": [8]})
    assert (left(engine, "sync"), left(engine, "send")) == ({}, {})


def test_logs_go_before_their_runs_where_runs_are_kept_longer(
    job: Any, database: Database, engine: Engine
) -> None:
    add(database, 10, 31, lines=3)

    result = job(completed_days=60, batch_size=2)

    assert result["rows"] == NOTHING | {"logs": 3}
    assert left(engine) == {"succeeded": [10, 31]}
    assert rows(engine, "SELECT count(*) FROM callboard.log_lines") == [(3,)]


def test_figures_go_after_ninety_days_and_those_by_the_day_stay(
    job: Any, database: Database, engine: Engine
) -> None:
    database.execute(
        "INSERT INTO callboard.rollups (width_s, bucket, job, queue)"
        " SELECT width, date_trunc('day', now()) - days * interval '1 day', job, 'default'"
        "   FROM unnest('{60,3600,86400}'::int[]) AS width, unnest('{80,100}'::int[]) AS days"
        "      , unnest('{fetch-paris-data,health-check}'::text[]) AS job"
    )
    database.execute(
        "INSERT INTO callboard.queue_samples"
        " (queue, at, depth, oldest_due_ms, in_flight, dead, workers, slots, busy)"
        " SELECT 'default', now() - days * interval '1 day', 0, 0, 0, 0, 0, 0, 0"
        "   FROM unnest('{1,8}'::int[]) AS days"
    )

    result = job()

    assert result["rows"] == NOTHING | {"metrics": 3}
    counted = "SELECT job, count(*) FROM callboard.rollups GROUP BY job ORDER BY job"
    assert rows(engine, counted) == [("fetch-paris-data", 4), ("health-check", 6)]
    assert rows(engine, "SELECT count(*) FROM callboard.queue_samples") == [(1,)]


def test_temporary_data_go_and_what_is_of_use_stays(job: Any, engine: Engine) -> None:
    with engine.begin() as connection:
        place = {"name": "A", "latitude": 1.0, "longitude": 2.0, "time_zone": "Pacific/Kiritimati"}
        for number, slug in enumerate(("near", "far"), start=1):
            connection.execute(insert(locations).values(place | {"slug": slug, "id": number}))
        for number, days in ((1, 0), (2, 5)):
            day = {"location_id": number, "day": ago(days).date(), "measurements": 1}
            connection.execute(insert(current_day).values(day))
        for kind, days in (("air-quality", 89), ("air-quality", 92), ("daily", 92)):
            report = {"kind": kind, "day": str(ago(days).date()), "content": {}}
            connection.execute(insert(reports).values(report))
        for job_name, item, solved in (
            (FETCH, "a", 31),
            (FETCH, "b", 29),
            (FETCH, "c", None),
            ("x", "d", 31),
        ):
            at = None if solved is None else ago(solved)
            failure = {"job_name": job_name, "item": item, "error": "no", "resolved_at": at}
            connection.execute(insert(item_failures).values(failure))

    result = job()

    assert result["rows"] == NOTHING | {"temporary": 2, "logs": 1}
    assert rows(engine, "SELECT location_id FROM business.current_day_aggregates") == [(1,)]
    assert rows(engine, "SELECT kind FROM business.reports ORDER BY kind") == [("air-quality",), ("daily",)]
    assert rows(engine, "SELECT item FROM business.item_failures ORDER BY 1") == [("b",), ("c",), ("d",)]


def test_measurements_go_where_that_is_asked_for_and_by_whole_days_of_their_place(
    job: Any, engine: Engine
) -> None:
    # Given a place fourteen hours ahead, and a measurement of every hour
    with engine.begin() as connection:
        place = {"id": 1, "slug": "a", "name": "A", "latitude": 1.0, "longitude": 2.0}
        connection.execute(insert(locations).values(place | {"time_zone": "Pacific/Kiritimati"}))
        latest = ago(0).replace(minute=0, second=0)
        hours = [latest - timedelta(hours=hour) for hour in range(24 * 20)]
        connection.execute(insert(measurements), [{"location_id": 1, "measured_at": at} for at in hours])

    assert job()["rows"] == NOTHING
    result = job(measurements_days=15)

    local = "(measured_at AT TIME ZONE 'Pacific/Kiritimati')"
    by_day = f"SELECT count(*) FROM business.measurements GROUP BY {local}::date ORDER BY {local}::date"
    counts = [count for (count,) in rows(engine, by_day)]
    assert len(counts) == 16, "today, and fifteen days before it"
    assert set(counts[:-1]) == {24}
    assert result["rows"]["measurements"] == 24 * 20 - sum(counts)


def test_a_dry_run_counts_what_would_go_and_deletes_nothing(
    job: Any, database: Database, engine: Engine
) -> None:
    add(database, 1, 8, lines=1)
    add(database, 31, state="failed")
    add(database, 31, job="send", queue="mail")

    result = job(queues=["mail"], dry_run=True)

    assert result["rows"]["completed"] == {"default": 1, "mail": 1}
    assert result["rows"]["failed_runs"] == {"default": 1}
    assert {name: result[name] for name in ("processed", "found", "dry_run")} == {
        "processed": 0,
        "found": 3,
        "dry_run": True,
    }
    assert left(engine) == {"succeeded": [1, 8], "failed": [31]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"completed_days": 0}, "completed_days is 0; it must be at least 1."),
        ({"failed_count": -1}, "failed_count is -1; it must be at least 0."),
        ({"measurements_days": 7}, "measurements_days is 7; it must be at least 14."),
        ({"batch_size": 0}, "batch_size is 0; it must be at least 1."),
    ],
)
def test_what_makes_no_sense_is_refused(job: Any, arguments: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        job(**arguments)


def test_a_run_that_somebody_holds_is_passed_by_and_goes_the_next_time(
    job: Any, database: Database, engine: Engine
) -> None:
    add(database, 8, 9)
    with engine.begin() as other:
        other.execute(text("SELECT 1 FROM callboard.runs ORDER BY finished_at LIMIT 1 FOR UPDATE"))
        assert job()["rows"]["completed"] == {"default": 1}
    assert job()["rows"]["completed"] == {"default": 1}
