"""Rollups: how SQL counts into them, adds them up and makes them anew."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.rows import dict_row

from callboard.core.histogram import histogram
from callboard.storage.engine import psycopg_url
from helpers.runs import DAY, NOW, Database, add_run, log, one


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        yield connection


@pytest.mark.parametrize("seed", range(4))
def test_the_rollups_between_two_moments_are_those_of_all_the_minutes_between_them(
    database: Database, seed: int
) -> None:
    # Given runs scattered over five days
    chance = random.Random(seed)
    ends = [NOW - timedelta(seconds=chance.randrange(5 * 86400)) for _ in range(150)]
    for ended in ends:
        log(database, "completed", ended)
    for _ in range(60):
        # When a window is asked for, of seconds, hours or days
        first = NOW - timedelta(seconds=chance.randrange(6 * 86400))
        second = first + timedelta(seconds=chance.choice([30, 3000, 20_000, 400_000]) * chance.random())
        low, high = first.replace(second=0), second.replace(second=0, microsecond=0)
        # Expect each run that ended in one of its minutes to be counted once
        query = "SELECT coalesce(sum(succeeded), 0) AS n FROM callboard.rollups_between(%s, %s)"
        row = one(database, query, first, second)
        assert row["n"] == sum(low <= ended < high for ended in ends), (first, second)


def test_rollups_made_anew_are_the_ones_that_were_counted_run_by_run(database: Database) -> None:
    # Given executions logged one by one, and one that has not ended
    chance = random.Random(7)
    for _ in range(100):
        ended = NOW - timedelta(seconds=chance.randrange(3 * 86400))
        log(database, chance.choice(["completed", "failed"]), ended, chance.randrange(100_000))
    add_run(database, "processing")
    query = "SELECT * FROM callboard.rollups ORDER BY width_s, job, queue, bucket"
    of_queues = "SELECT * FROM callboard.queue_rollups ORDER BY width_s, queue, bucket"
    counted, of_queue = database.execute(query).fetchall(), database.execute(of_queues).fetchall()
    # When the rollups are made anew
    database.execute("UPDATE callboard.rollups SET succeeded = 99, duration_hist = '{1}'")
    database.execute("UPDATE callboard.queue_rollups SET finished = 99, duration_hist = '{1}'")
    made = one(database, "SELECT callboard.rebuild_rollups(%s, %s) AS n", NOW - 4 * DAY, NOW)["n"]
    # Expect the same rows
    assert made == len(counted)
    assert database.execute(query).fetchall() == counted
    assert of_queue
    assert database.execute(of_queues).fetchall() == of_queue


def test_a_rollup_holds_the_histogram_of_its_durations(database: Database) -> None:
    durations = [3, 3, 250, 70_000]
    for ms in durations:
        log(database, "completed", NOW, ms)
    query = "SELECT * FROM callboard.rollups WHERE width_s = 86400 AND succeeded > 0"
    row = one(database, query)
    assert row["duration_sum_ms"] == sum(durations)
    assert row["duration_hist"] == histogram(durations)[: len(row["duration_hist"])]
    assert sum(row["duration_hist"]) == len(durations)


def test_moments_are_utc_whatever_the_sessions_time_zone(database: Database) -> None:
    # Given a session in a zone half an hour off
    database.execute("SET timezone = 'Asia/Kolkata'")
    log(database, "completed", datetime(2026, 5, 4, 0, 10, tzinfo=UTC))
    rows = database.execute(
        "SELECT bucket FROM callboard.rollups WHERE succeeded > 0 ORDER BY width_s"
    ).fetchall()
    assert [row["bucket"].astimezone(UTC) for row in rows] == [
        datetime(2026, 5, 4, 0, 10, tzinfo=UTC),
        datetime(2026, 5, 4, tzinfo=UTC),
        datetime(2026, 5, 4, tzinfo=UTC),
    ]
    timeline = database.execute("SELECT time_bucket FROM get_cron_job_timeline('a-job', 3)").fetchall()
    assert {row["time_bucket"].astimezone(UTC).minute for row in timeline} == {0}
