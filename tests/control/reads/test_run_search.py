"""Runs are found by what they are like, page by page, and a log is followed."""

import csv
import io
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.rows import dict_row

from callboard.control.reads import run_export, run_search
from callboard.control.reads.run_export import export
from callboard.control.reads.run_search import Wanted, find, log, look, narrowed, states, wanted
from callboard.control.reads.runs import Run
from callboard.core.errors import BadInput, NotFound
from callboard.storage.engine import psycopg_url
from helpers.declarations import declare, job
from helpers.runs import add_run

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """The moment is each test's own: filters go by the clock."""
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC))


@pytest.fixture
def database(database_url):
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        yield connection


def add(database, minutes, state="failed", **columns):
    at = NOW - timedelta(minutes=minutes)
    return add_run(database, state, started_at=at, enqueued_at=at, **columns)


def names(context, q="", **more):
    runs, _ = find(context, wanted(q), **more)
    return [run.run_id for run in runs]


def test_words_and_filters_find_the_same_runs(context, database):
    sync = add(database, 1, job="sync", error="Timeout of 30 s", error_type="TimeoutError", queue="mail")
    done = add(database, 2, "succeeded", job="sync-all", trigger="manual")
    old = add(database, 180, "dead", job="sync", reason="poison")

    assert names(context) == [sync, done, old]
    assert names(context, "state:failed,dead") == [sync, old]
    assert names(context, "job:sync") == [sync, old]
    assert names(context, "job:~SYNC") == [sync, done, old]
    assert names(context, "queue:mail") == [sync]
    assert names(context, "trigger:manual") == [done]
    assert names(context, "error:~timeout") == [sync]
    assert names(context, "error:TimeoutError") == [sync]
    assert names(context, "error:Timeout") == []
    assert names(context, 'error:~timeout error:~"of 30"') == [sync]
    assert names(context, "error:~poison") == [old]
    assert names(context, "since:2h") == [sync, done]
    assert names(context, "until:90s") == [done, old]
    assert names(context, "since:100min until:90s") == [done]
    assert names(context, hours=1) == [sync, done]
    by_hand = wanted(
        states=["failed"], job="sync", queue="mail", text="TIMEOUT", since=NOW - timedelta(hours=1)
    )
    assert [run.run_id for run in find(context, by_hand)[0]] == [sync]
    assert find(context, wanted("state:failed", job="sync"))[0][0].run_id == sync


def test_arguments_are_found_wherever_the_caller_put_them(context, engine, database):
    signature = [
        {"name": name, "kind": "positional_or_keyword", "type": None, "default": None, "required": False}
        for name in ("coach_id", "filter")
    ]
    declare(engine, job("sync", signature=signature))
    named = add(database, 1, job="sync", kwargs=psycopg.types.json.Jsonb({"coach_id": 7}))
    placed = add(database, 2, job="sync", args=psycopg.types.json.Jsonb([7, {"tenant": "a", "ids": [1, 2]}]))
    text = add(database, 3, job="sync", kwargs=psycopg.types.json.Jsonb({"coach_id": "7"}))
    add(database, 4, job="sync", kwargs=psycopg.types.json.Jsonb({"coach_id": 77}))
    add(database, 5, job="other", args=psycopg.types.json.Jsonb([8]))

    assert names(context, "args.coach_id:7") == [named, placed, text]
    assert names(context, 'args.coach_id:"7"') == [text]
    assert names(context, "args.0:7") == [placed]
    assert names(context, "args.filter.tenant:a") == [placed]
    assert names(context, "args.filter.ids:2") == [placed]
    assert names(context, "args.coach_id:7 args.filter.tenant:b") == []
    assert [run.run_id for run in find(context, wanted(arguments={"coach_id": 7}))[0]] == [named, placed]
    assert [run.run_id for run in find(context, wanted(arguments={"filter": {"tenant": "a"}}))[0]] == [placed]


def test_pages_stay_the_same_while_runs_are_sent(context, database):
    made = [add(database, minutes) for minutes in range(1, 6)]
    same_moment = [add(database, 6), add(database, 6)]

    first, cursor = find(context, wanted(), limit=2)
    add(database, 0)
    second, cursor = find(context, wanted(), limit=4, cursor=cursor)
    third, end = find(context, wanted(), limit=4, cursor=cursor)

    assert [run.run_id for run in (*first, *second, *third)] == [
        *made,
        *sorted(same_moment, key=lambda run_id: run_id.int, reverse=True),
    ]
    assert end is None


def test_a_filter_given_twice_or_wrongly_is_refused(context):
    for arguments in (
        {"q": "job:a", "job": "a"},
        {"q": "args.a:1", "arguments": {"b": 1}},
        {"states": ["done"]},
        {"triggers": ["me"]},
        {"since": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"arguments": {"a": float("inf")}},
    ):
        with pytest.raises(BadInput):
            wanted(**arguments)
    for cursor in ("x", "2026-01-01_1", "0001-01-01T00:00:00+14:00_0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"):
        with pytest.raises(BadInput, match="There is no page"):
            find(context, wanted(), cursor=cursor)


def test_a_log_is_followed_from_where_the_last_look_ended(context, database):
    run_id = add(database, 1, "processing", job="sync")
    sent = NOW - timedelta(minutes=1)

    def write(attempt, *numbers):
        for number in numbers:
            database.execute(
                "INSERT INTO callboard.log_lines VALUES (%s, %s, %s, %s, now(), 'info', 'line')",
                (run_id, sent, attempt, number),
            )

    write(1, 1, 2, 3)
    name, page = log(context, run_id, limit=2)
    assert (name, [line.seq for line in page.lines], page.more, page.ended) == ("sync", [1, 2], True, False)
    _, page = log(context, run_id, after=page.after)
    assert ([line.seq for line in page.lines], page.more, page.after) == ([3], False, "1.3")
    _, none = log(context, run_id, after=page.after)
    assert (none.lines, none.after, none.state) == ((), "1.3", "processing")
    write(2, 1)
    _, page = log(context, run_id, after=page.after)
    assert [(line.attempt, line.seq) for line in page.lines] == [(2, 1)]

    for place in ("", "1", "1.x", "-1.0", "9999999999.1"):
        if place:
            with pytest.raises(BadInput, match="no place"):
                log(context, run_id, after=place)
    with pytest.raises(NotFound):
        log(context, "0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d")


def test_a_search_is_narrowed_to_a_queue_and_a_state_once(context):
    assert narrowed("job:a since:2h", queue="my queue", state="failed") == (
        'state:failed queue:"my queue" job:a since:2h'
    )
    assert narrowed("") == ""
    for q, more in (("queue:a", {"queue": "b"}), ("state:dead", {"state": "failed"}), ("", {"state": "odd"})):
        with pytest.raises(BadInput):
            narrowed(q, **more)


def test_runs_are_counted_by_state_up_to_a_number(context, database, monkeypatch):
    for minutes, state in enumerate(("failed", "failed", "dead", "succeeded", "pending"), start=1):
        add(database, minutes, state)
    add(database, 2, "failed", queue="mail")
    add(database, 3_000, "failed")

    found = states(context, Wanted("queue:default"))
    assert (found.counts, found.cut) == ({"failed": 2, "dead": 1, "succeeded": 1, "pending": 1}, False)
    assert states(context, Wanted("state:dead")).counts == {"dead": 1}
    monkeypatch.setattr(run_search, "MOST_COUNTED", 4)
    assert states(context, Wanted("queue:default")).cut


def test_a_search_that_has_no_time_says_how_far_it_looked_and_goes_on_from_there(context, database):
    runs = [add(database, minutes, error="Timeout") for minutes in (0.5, 0.6, 1.5, 3.5)]
    add(database, 9)
    asked, found, cursor, places = Wanted("error:~timeout", 0.1), [], None, []
    while True:
        page = look(context, asked, seconds=0, limit=2, cursor=cursor)
        found += [run.run_id for run in page.runs]
        places.append(page.back_to)
        cursor = page.following
        if cursor is None:
            break

    assert found == runs
    assert len(places) == 6
    assert places[-1] is None
    assert places[:-1] == sorted(places[:-1], reverse=True)
    counted = states(context, asked, seconds=0)
    assert (counted.counts, counted.cut) == ({"failed": 2}, True)
    assert counted.back_to > NOW - timedelta(minutes=2)
    whole = states(context, asked, seconds=60)
    assert (whole.counts, whole.cut, whole.back_to) == ({"failed": 4}, False, None)


def test_a_search_that_takes_too_long_is_broken_off_and_keeps_what_it_has(context, database):
    runs = [add(database, minutes) for minutes in (0.5, 10 * 1440)]
    old = database.execute(
        "SELECT tableoid::regclass::text AS name FROM callboard.runs WHERE run_id = %s", (runs[1],)
    )
    with database.transaction():
        database.execute(f"LOCK TABLE {old.fetchone()['name']}")
        page = look(context, Wanted("", 480), seconds=0.3)

    assert [run.run_id for run in page.runs] == runs[:1]
    assert page.back_to > NOW - timedelta(days=9)
    rest = look(context, Wanted("", 480), seconds=60, cursor=page.following)
    assert [run.run_id for run in rest.runs] == runs[1:]
    assert (rest.following, rest.back_to) == (None, None)


def test_runs_are_exported_with_all_that_is_known(context, database, monkeypatch):
    first = add(database, 1, error="=cmd()", error_type="Error", max_attempts=3)
    rest = [add(database, minutes, "succeeded") for minutes in range(2, 6)]
    monkeypatch.setattr(run_search, "MAX_HISTORY", 2)

    rows = list(csv.DictReader(io.StringIO(export(context, Wanted("")), newline="")))

    assert [row["run_id"] for row in rows] == [str(run_id) for run_id in (first, *rest)]
    assert set(rows[0]) == set(Run.__slots__)
    assert (rows[0]["error"], rows[0]["max_attempts"], rows[0]["reason"]) == ("'=cmd()", "3", "")
    monkeypatch.setattr(run_export, "MOST", 3)
    assert export(context, Wanted("")).count("\r\n") == 4
