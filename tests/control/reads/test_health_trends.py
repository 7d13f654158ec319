"""Trends of queues and jobs against what is usual, backlogs, waits and blame, from rollups and samples."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from callboard.control.context import Context
from callboard.control.reads.backlog import depths, queue_backlog
from callboard.control.reads.health_trends import job_trend, queue_trend
from callboard.control.reads.waits import queue_waits
from callboard.core.clock import utcnow
from callboard.core.errors import NotFound
from callboard.core.histogram import histogram
from helpers.declarations import declare, job
from helpers.rollups import sum_queues, sum_samples

ROLLUP = text("""
INSERT INTO callboard.rollups (width_s, bucket, job, queue, started, succeeded, duration_sum_ms, duration_hist
                             , wait_sum_ms, wait_hist, lag_sum_ms, hand_sum_ms)
VALUES (:width, :at, :job, 'mail', :n, :n, :n * 2000, :took, :n * 1000, :waited, :n * 50, :n * 200)
ON CONFLICT (width_s, job, queue, bucket) DO NOTHING
""")
SAMPLE = text("""
INSERT INTO callboard.queue_samples
       (queue, at, depth, oldest_due_ms, in_flight, dead, workers, slots, busy, parked)
SELECT 'mail', at, 10 + 90 - extract(epoch FROM now() - at)::int / 10, 0, 0, 0, 1, 8, 2, 30
  FROM generate_series(now() - interval '15 min', now(), interval '10 s') AS at
""")


@pytest.fixture
def weeks(engine: Engine) -> datetime:
    """Five weeks in which `send` ran once a minute and `rest` not; now `send` runs three times as often."""
    declare(engine, job("send", queue="mail"), job("rest", queue="mail"))
    hour = utcnow().replace(minute=0, second=0, microsecond=0)
    with engine.begin() as connection:
        # The hour to come as well, should it begin meanwhile
        for number in range(-1, 5 * 168):
            at = hour - timedelta(hours=number)
            _add(engine, connection, 3_600, at, "send", 180 if number <= 24 else 60)
        for number in range(130):
            _add(engine, connection, 60, hour + timedelta(minutes=59 - number), "send", 3)
        _add(engine, connection, 3_600, hour, "rest", 40)
        connection.execute(SAMPLE)
        sum_queues(connection)
        sum_samples(connection)
    return hour


def _add(engine, connection, width, at, name, n):
    took, waited = histogram([2_000] * n), histogram([1_000] * n)
    values = {"width": width, "at": at, "job": name, "n": n, "took": took, "waited": waited}
    connection.execute(ROLLUP, values)


def test_what_is_usual_is_that_of_the_same_hour_of_the_weeks_before(
    context: Context, weeks: datetime
) -> None:
    hour, day = job_trend(context, "send", "hour"), job_trend(context, "send", "day")

    assert {point.finished for point in day.points} == {180}
    assert {usual.finished for usual in day.usual} == {60}
    assert {usual.finished for usual in hour.usual} == {1}, "a minute is a sixtieth of its hour"
    assert day.usual[0].duration_p95_ms == pytest.approx(2_000, rel=0.19)
    assert [each.direction for each in day.changes if each.figure == "duration_p95_ms"] == ["steady"]


def test_a_job_that_is_new_has_nothing_usual(context: Context, weeks: datetime) -> None:
    found = job_trend(context, "rest", "day")

    assert {usual.finished for usual in found.usual} == {None}
    with pytest.raises(NotFound, match="no job named 'nobody'"):
        job_trend(context, "nobody")


@pytest.mark.parametrize(("span", "points"), [("hour", 60), ("week", 28), ("90days", 90)])
def test_each_span_has_its_points_and_what_is_usual_for_each(context, weeks, span, points) -> None:
    found = queue_trend(context, "mail", span)

    assert len(found.points) == len(found.usual) == points
    assert found.points[-1].at <= utcnow() < found.points[-1].at + (found.points[1].at - found.points[0].at)


def test_the_backlog_is_sampled_and_foretold(context: Context, weeks: datetime) -> None:
    found = queue_backlog(context, "mail", "hour")

    assert len(found.depths) in (15, 16, 17)
    assert found.limit == 100
    assert found.forecast is not None
    assert found.forecast.slope == pytest.approx(0.1, rel=0.05)
    assert found.forecast.depth == 100
    assert max(depths(context)["mail"]) == 100


@pytest.mark.parametrize(("span", "width_s"), [("week", 3_600), ("90days", 21_600)])
def test_a_long_backlog_is_told_by_the_hours_of_its_samples(context, weeks, engine, span, width_s) -> None:
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM callboard.queue_samples WHERE at < now() - interval '5 min'"))

    found = queue_backlog(context, "mail", span)

    assert found.width_s == width_s
    assert found.kept_s > 90 * 86_400, "they outlive the samples"
    assert max(each.peak for each in found.depths) == 100
    assert 10 <= found.depths[-1].depth <= 100
    assert {(each.busy, each.slots, each.parked) for each in found.depths} == {(2, 8, 30)}


def test_how_many_threads_a_queue_kept_busy_is_sampled(context: Context, weeks: datetime) -> None:
    found = queue_backlog(context, "mail", "hour").depths

    assert {(each.busy, each.slots, each.utilisation, each.parked) for each in found} == {(2, 8, 0.25, 30)}


def test_a_wait_is_split_and_the_jobs_that_held_the_threads_are_named(
    context: Context, weeks: datetime
) -> None:
    found = queue_waits(context, "mail", "day")

    assert {each.part: each.mean_ms for each in found.parts} == {
        "lag": 50, "delay": 0, "queue": 800, "hand": 200,
    }, "the samples go back fifteen minutes only"  # fmt: skip
    first, second = found.blame
    assert (first.job, first.usual_s) == ("send", pytest.approx(24 * 60 * 2))
    assert first.excess_s == pytest.approx(24 * 120 * 2)
    assert (second.job, second.usual_s) == ("rest", None)
    assert first.share + second.share == pytest.approx(1)


def test_while_samples_cover_all_of_it_what_is_held_back_is_told_apart(
    context: Context, engine: Engine, weeks: datetime
) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("DELETE FROM callboard.rollups WHERE width_s = 60 AND bucket < now() - interval '14 min'")
        )
        connection.execute(text("UPDATE callboard.queue_samples SET depth = 10"))
        sum_samples(connection)
        sum_queues(connection)

    found = {each.part: each.mean_ms for each in queue_waits(context, "mail", "hour").parts}

    assert found == {"lag": 50, "delay": 0, "held": 600, "worker": 200, "hand": 200}
