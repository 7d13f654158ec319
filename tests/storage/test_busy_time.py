"""How long threads were kept busy: by every attempt, whatever came of it."""

import uuid
from typing import Any

import psycopg

from callboard.core.clock import utcnow
from callboard.storage.engine import psycopg_url
from callboard.storage.queries.health import cells
from helpers.lives import BASE, connect, ended, event, record, rollups, rows


def test_attempts_that_are_followed_by_another_and_runs_that_die_count_as_well(database_url: str) -> None:
    # Given a run that failed twice and then succeeded, and one that was dead in the end
    life, dying = str(uuid.uuid4()), event(str(uuid.uuid4()), "send")
    attempts = [event(life, "send", n=number, sta=BASE + number * 1_000) for number in (1, 2, 3)]
    events = [
        *(ended(each, "pending", 400, rat=BASE + 9_000) for each in attempts[:2]),
        ended(attempts[2], "succeeded", 70),
        ended(dying, "dead", 1_000),
    ]

    with connect(psycopg_url(database_url)) as database:
        record(database, events)

        counted = [row for row in rollups(database) if row["width_s"] == 86_400]
        assert [(row["busy_sum_ms"], row["duration_sum_ms"]) for row in counted] == [(1_870, 70)]


def test_the_rows_of_before_stand_for_themselves_until_something_is_added(
    database_url: str, engine: Any
) -> None:
    # Given a row that was written when nobody counted that
    with psycopg.connect(psycopg_url(database_url)) as old:
        old.execute(
            "INSERT INTO callboard.rollups (width_s, bucket, job, queue, succeeded, duration_sum_ms)"
            " VALUES (86400, to_timestamp(%s), 'send', 'default', 1, 500)",
            (BASE // 86_400_000 * 86_400,),
        )
    with engine.connect() as connection:
        (cell,) = cells(connection, width_s=86_400, start=utcnow().replace(year=2020), until=utcnow())
    assert cell["busy_ms"] == 500

    begun = event(str(uuid.uuid4()), "send")
    with connect(psycopg_url(database_url)) as database:
        record(database, [ended(begun, "failed", 30)])
        (row,) = rows(database, "SELECT * FROM callboard.rollups WHERE width_s = 86400")
        assert row["busy_sum_ms"] == 530
