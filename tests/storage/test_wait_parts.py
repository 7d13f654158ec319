"""What runs waited for is added up by the recorder, and made anew from the runs alike."""

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from callboard.core.holds import CAUSES
from callboard.storage.engine import psycopg_url
from callboard.storage.recorder.rollup import HELD
from helpers.lives import BASE, connect, ended, event, record, rollups, rows, run_row

Database = psycopg.Connection[Any]
SUMS = ("wait_sum_ms", "lag_sum_ms", "delay_sum_ms", "hand_sum_ms")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with connect(psycopg_url(database_url)) as connection:
        yield connection


def test_a_wait_is_told_apart_by_its_stamps(database: Database) -> None:
    # Given a run that was due at 0, sent at 40, for a time at 1000, fetched at 1300 and started at 1450 ms
    stamps = {"due": BASE - 40, "rdy": BASE + 960, "fet": BASE + 1_260, "sta": BASE + 1_410}
    begun = event(str(uuid.uuid4()), "send", **stamps)

    record(database, [begun, ended(begun, "succeeded", 10)])

    (minute, *_) = rollups(database)
    assert [minute[name] for name in SUMS] == [450, 40, 960, 150]


def test_a_later_attempt_and_a_run_that_never_began_have_no_part_in_it(database: Database) -> None:
    again = event(str(uuid.uuid4()), "send", n=2, due=BASE - 40)
    skipped = event(str(uuid.uuid4()), "send", s="skipped", fin=BASE + 9, due=BASE - 40)
    del skipped["sta"]

    record(database, [again, ended(again, "succeeded", 10)], [skipped])

    assert {tuple(row[name] for name in SUMS) for row in rollups(database)} == {(0, 0, 0, 0)}


def test_what_a_run_was_held_back_by_is_added_up_by_cause(database: Database) -> None:
    # Given two runs that were held back, and one of a worker that does not tell, or tells nonsense
    held = ({"mutex": 300, "pause": 20}, {"mutex": 5}, {"mutex": -1, "tea": 3, "limit": "long"})
    begun = [event(str(uuid.uuid4()), "send", sta=BASE + 900, hld=each) for each in held]

    for each in begun:
        record(database, [each], [ended(each, "succeeded", 10)])

    (minute, *_) = rollups(database)
    assert [minute[name] for name in HELD] == [20, 305, None, None, None]
    assert run_row(database, begun[0]["id"])["held"] == held[0]
    assert run_row(database, begun[2]["id"])["held"] is None


def test_rollups_made_anew_have_the_same_parts(database: Database) -> None:
    chance = random.Random(3)
    for _ in range(60):
        ready = BASE + chance.randrange(5_000)
        fetched = ready + chance.randrange(2_000)
        more = {"due": BASE - chance.randrange(500)} if chance.random() < 0.5 else {}
        more |= {"rdy": ready} if chance.random() < 0.5 else {}
        more |= {"hld": {chance.choice(CAUSES): chance.randrange(1, 900)}} if chance.random() < 0.5 else {}
        begun = event(str(uuid.uuid4()), "send", fet=fetched, sta=fetched + chance.randrange(-3, 900), **more)
        record(database, [begun, ended(begun, chance.choice(["succeeded", "failed"]), chance.randrange(900))])
    counted = rollups(database)
    assert all(row[name] > 0 for row in counted for name in (*SUMS, *HELD))

    at = datetime.fromtimestamp(BASE / 1000, UTC)
    rows(database, "SELECT callboard.rebuild_rollups(%s, %s)", at, at + timedelta(minutes=1))

    assert rollups(database) == counted
