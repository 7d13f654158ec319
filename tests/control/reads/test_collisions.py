"""The coming week's demand for threads, from schedules, durations and the workers alive."""

import csv
import json
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from sqlalchemy import Engine

from callboard.control.context import Context
from callboard.control.reads.calendar import coming_days
from callboard.control.reads.collisions import collisions
from callboard.control.reads.figure_sheets import collisions_sheet
from callboard.control.reads.schedules import schedules
from callboard.core.errors import Unavailable
from helpers.declarations import declare, job, log_execution


def work(broker: Any, name: str, threads: int, *queues: str, stuck: int = 0) -> None:
    """A worker that has just given a sign of life."""
    keys = broker.keys
    broker.client.zadd(keys.heartbeats, {name: time.time() * 1000})
    said = {"threads": threads, "queues": list(queues), "stuck": stuck}
    broker.client.hset(keys.workers, name, json.dumps(said))


@pytest.fixture
def house(engine: Engine) -> None:
    """Five jobs at eight in the morning, one of them on another queue, and one that is off."""
    declare(
        engine,
        *(job(f"morning-{number}", "0 8 * * *") for number in range(3)),
        job("letters", "0 8 * * *", queue="mail"),
        job("sync", "0 * * * *", queue="sync"),
        job("off", "0 8 * * *", enabled=False),
    )
    with engine.begin() as connection:
        for number in range(3):
            at = datetime.now(UTC) - timedelta(hours=2)
            log_execution(connection, f"morning-{number}", at, ms=150_000)


def test_queues_that_share_workers_share_their_threads(context: Context, broker: Any, house: None) -> None:
    work(broker, "one", 2, "default", "mail")
    work(broker, "two", 2, "default", stuck=1)
    work(broker, "other", 8, "sync")

    shared, alone = collisions(context)

    assert (shared.queues, shared.workers, shared.threads) == (("default", "mail"), 2, 3)
    assert (alone.queues, alone.threads, alone.week.peak, alone.collisions) == (("sync",), 8, 1, ())
    (found,) = shared.collisions
    assert (found.demand, found.slots, found.times) == (4, 3, 7)
    assert set(found.jobs) == {"morning-0", "morning-1", "morning-2", "letters"}
    assert (found.at.hour, found.at.minute) == (8, 0)
    assert found.quieter is not None
    hours = shared.hours()
    assert max(hour.peak for hour in hours) == shared.week.peak == 4
    assert {hour.at.hour for hour in hours if hour.peak == 4} == {8}


def test_what_collides_can_be_taken_along(context: Context, broker: Any, house: None) -> None:
    work(broker, "one", 3, "default", "mail")

    (row,) = csv.DictReader(StringIO(collisions_sheet(context), newline=""))

    assert (row["queues"], row["collision.demand"], row["collision.slots"]) == ("default, mail", "4", "3")
    assert row["collision.at"].endswith("T08:00:00+00:00")
    assert row["collision.quieter.job"] in row["collision.jobs"]


def test_without_workers_the_demand_is_told_and_nothing_collides(context: Context, house: None) -> None:
    (found,) = collisions(context)

    assert found.queues == ("default", "mail", "sync")
    assert (found.workers, found.threads, found.collisions) == (0, 0, ())
    assert found.week.peak == 5


def test_without_redis_it_is_said_in_a_sentence(settings: Any, house: None) -> None:
    away = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})

    with Context(away) as context, pytest.raises(Unavailable, match="Redis does not answer"):
        collisions(context)


def test_the_calendar_counts_the_slots_of_each_day_in_a_zone(context: Context, house: None) -> None:
    now = datetime(2026, 7, 1, 6, 30, tzinfo=UTC)

    days = coming_days(schedules(context), "Asia/Kathmandu", now)

    assert [f"{day.day:%d}" for day in days] == ["01", "02", "03", "04", "05", "06", "07"]
    # 8:00 UTC is 13:45 there; the hourly ones fall due at a quarter to each hour.
    assert days[1].hours[13] == 5
    assert [count for hour, count in enumerate(days[1].hours) if hour != 13] == [1] * 23
    assert days[0].hours[:12] == (None,) * 12
    assert days[0].count == 16
    first = days[1].fires[0]
    assert (first.schedule.job, first.count) == ("sync", 24)
    assert [each.count for each in days[1].fires[1:]] == [1] * 4
    assert {each.schedule.job for each in days[1].fires} == {
        "sync", "letters", "morning-0", "morning-1", "morning-2",
    }  # fmt: skip
