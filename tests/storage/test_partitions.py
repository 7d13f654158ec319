"""Weekly partitions: made ahead, by any number of processes at once, without losing or blocking a row."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import dict_row

from callboard.storage.engine import psycopg_url
from callboard.storage.partitions import ensure_partitions
from helpers.runs import DAY, HOUR, NOW, Database, add_run, one, run

TABLES = ("runs", "attempts", "log_lines", "occurrences")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        yield connection


def make(url: str, start: datetime | None = None, end: datetime | None = None) -> int | None:
    """Make partitions as the recorder does."""
    with psycopg.connect(psycopg_url(url)) as connection:
        return ensure_partitions(connection, start=start, end=end)


def bounds(database: Database, table: str) -> dict[str, str]:
    rows = database.execute(
        "SELECT inhrelid::regclass::text AS name, pg_get_expr(c.relpartbound, c.oid) AS bound"
        " FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = %s::regclass",
        (f"callboard.{table}",),
    ).fetchall()
    return {row["name"].removeprefix("callboard."): row["bound"] for row in rows}


def test_each_week_that_the_window_touches_gets_a_partition_from_monday_to_monday(
    database: Database, database_url: str
) -> None:
    # Given a window from a Sunday's last second to the next Monday's first, in another year
    start = datetime(2031, 3, 2, 23, 59, 59, tzinfo=UTC)
    made = make(database_url, start, start + timedelta(days=8, seconds=1))
    # Expect three weeks of each table
    assert made == 3 * len(TABLES)
    for table in TABLES:
        assert bounds(database, table).items() >= {
            (f"{table}_20310224", "FOR VALUES FROM ('2031-02-24 00:00:00+00') TO ('2031-03-03 00:00:00+00')"),
            (f"{table}_20310303", "FOR VALUES FROM ('2031-03-03 00:00:00+00') TO ('2031-03-10 00:00:00+00')"),
            (f"{table}_20310310", "FOR VALUES FROM ('2031-03-10 00:00:00+00') TO ('2031-03-17 00:00:00+00')"),
        }


def test_a_second_call_has_nothing_to_make(database_url: str) -> None:
    assert make(database_url) == 0


def test_weeks_are_utc_whatever_the_sessions_time_zone(database: Database, database_url: str) -> None:
    # Given the week in which clocks change there
    start = datetime(2031, 3, 4, tzinfo=UTC)
    with psycopg.connect(psycopg_url(database_url), options="-c timezone=America/New_York") as abroad:
        ensure_partitions(abroad, start=start, end=start + 7 * DAY)
    database.execute("SET timezone = 'UTC'")
    assert bounds(database, "runs").items() >= {
        ("runs_20310303", "FOR VALUES FROM ('2031-03-03 00:00:00+00') TO ('2031-03-10 00:00:00+00')"),
        ("runs_20310310", "FOR VALUES FROM ('2031-03-10 00:00:00+00') TO ('2031-03-17 00:00:00+00')"),
    }


def test_rows_of_a_week_without_a_partition_are_moved_into_it_once_it_is_made(
    database: Database, database_url: str
) -> None:
    # Given two runs of next year that went to the default partition, and one of the year after
    later = NOW + 365 * DAY
    moved = [add_run(database, "succeeded", started_at=later + hours * HOUR) for hours in (0, 1)]
    stays = add_run(database, "succeeded", started_at=later + 365 * DAY)
    where = (
        "SELECT relname AS place FROM callboard.runs r JOIN pg_class c ON c.oid = r.tableoid"
        " WHERE run_id = %s"
    )
    assert {one(database, where, run_id)["place"] for run_id in moved} == {"runs_default"}
    # When their week is made
    make(database_url, later - DAY, later + DAY)
    # Expect them to be there, whole
    places = {one(database, where, run_id)["place"] for run_id in moved}
    assert places.isdisjoint({"runs_default"})
    assert run(database, moved[0])["started_at"] == later
    assert one(database, where, stays)["place"] == "runs_default"


def test_a_new_partition_has_all_the_indexes_of_its_table(database: Database, database_url: str) -> None:
    make(database_url, NOW + 400 * DAY, NOW + 400 * DAY)
    for table in TABLES:
        counts = database.execute(
            "SELECT (SELECT count(*) FROM pg_index WHERE indrelid = inhrelid) AS n,"
            " (SELECT count(*) FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid"
            "   WHERE x.indrelid = parts.inhrelid) AS attached FROM pg_inherits AS parts"
            " WHERE inhparent = %s::regclass",
            (f"callboard.{table}",),
        ).fetchall()
        own = one(
            database, "SELECT count(*) AS n FROM pg_index WHERE indrelid = %s::regclass", f"callboard.{table}"
        )
        assert [row["n"] for row in counts] == [own["n"]] * len(counts)
        assert [row["attached"] for row in counts] == [own["n"]] * len(counts)


def test_several_processes_may_call_at_once_while_rows_come_in(database: Database, database_url: str) -> None:
    # Given a writer whose rows belong to weeks that have no partition yet
    later = NOW + 700 * DAY
    stop = threading.Event()
    written: list[object] = []

    def write() -> None:
        with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
            while not stop.is_set():
                with suppress(errors.CheckViolation):  # its week was made in that instant: again
                    at = later + len(written) % 40 * DAY
                    written.append(add_run(connection, "succeeded", started_at=at))

    made: list[int] = []

    def call() -> None:
        count = None
        while count is None:  # the others were in the way for too long: again
            count = make(database_url, later, later + 40 * DAY)
        made.append(count)

    writer = threading.Thread(target=write)
    crowd = [threading.Thread(target=call) for _ in range(3)]
    # When three callers make them at once
    for thread in [writer, *crowd]:
        thread.start()
    for thread in crowd:
        thread.join(timeout=60)
    stop.set()
    writer.join(timeout=10)
    # Expect each to be made once, and each row to be there once
    assert sorted(made)[:2] == [0, 0]
    assert max(made) >= 6 * len(TABLES)
    assert one(database, "SELECT count(*) AS n, count(DISTINCT run_id) AS ids FROM callboard.runs") == {
        "n": len(written),
        "ids": len(written),
    }


def test_a_reader_that_holds_on_is_not_waited_for_while_others_queue_up(database_url: str) -> None:
    later = NOW + 900 * DAY
    # Given a transaction that has read the runs and goes on
    with psycopg.connect(psycopg_url(database_url)) as reader:
        reader.execute("SELECT count(*) FROM callboard.runs")
        # Expect the maker to give up, with nothing half made
        assert make(database_url, later, later) is None
    # and to make them when the reader has gone
    assert make(database_url, later, later) == len(TABLES)
