from datetime import UTC, datetime, timedelta

import pytest

from callboard.control.reads.trends import compared, outcomes, timeline
from callboard.core.errors import BadInput, NotFound
from helpers.declarations import declare, job, log_execution


def test_outcomes_have_no_gaps_and_count_each_end_in_its_bucket(context, engine):
    declare(engine, job("report"), job("other"))
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with engine.begin() as connection:
        log_execution(connection, "report", hour - timedelta(minutes=100), ms=100)
        log_execution(connection, "report", hour - timedelta(minutes=99), ms=300)
        log_execution(connection, "other", hour - timedelta(minutes=98), ms=50, error="no")

    found = outcomes(context, hours=6, width_s=3600)

    assert found.width_s == 3600
    starts = [each.at for each in found.buckets]
    assert starts == [hour + timedelta(hours=n) for n in range(-6, 1)]
    by_start = {each.at: each for each in found.buckets}
    busy = by_start.pop(hour - timedelta(hours=2))
    assert (busy.started, busy.succeeded, busy.failed) == (3, 2, 1)
    assert busy.average_ms == 150.0
    assert busy.maximum_ms == 300
    assert all(each.started == 0 and each.average_ms is None for each in by_start.values())


def test_a_time_is_compared_with_the_one_of_the_same_length_before_it(context, engine):
    declare(engine, job("report"))
    with engine.begin() as connection:
        for ago in (1, 2, 30, 31, 32):
            log_execution(connection, "report", datetime.now(UTC) - timedelta(hours=ago), ms=10)

    now, both = compared(context, hours=24)

    alone = outcomes(context, hours=24)
    assert (now.width_s, len(now.buckets)) == (alone.width_s, len(alone.buckets))
    assert now.buckets == both.buckets[-len(now.buckets) :]
    assert len(both.buckets) == len(outcomes(context, hours=48, width_s=now.width_s).buckets)
    assert sum(each.succeeded for each in now.buckets) == 2
    assert sum(each.succeeded for each in both.buckets) == 5


def test_outcomes_of_one_job_leave_the_others_out(context, engine):
    declare(engine, job("report"), job("other"))
    with engine.begin() as connection:
        log_execution(connection, "report", datetime.now(UTC) - timedelta(minutes=2))
        log_execution(connection, "other", datetime.now(UTC) - timedelta(minutes=2))

    assert sum(each.succeeded for each in outcomes(context, hours=1, job="report").buckets) == 1
    assert sum(each.succeeded for each in outcomes(context, hours=1).buckets) == 2


@pytest.mark.parametrize(("hours", "width_s"), [(1, 60), (24, 900), (24 * 7, 10_800), (24 * 30, 86_400)])
def test_the_width_follows_from_the_span(context, hours, width_s):
    found = outcomes(context, hours=hours)

    assert found.width_s == width_s
    assert len(found.buckets) <= 102


@pytest.mark.parametrize("options", [{"hours": 0}, {"hours": 24 * 400}, {"hours": 1, "width_s": 7}])
def test_a_span_or_width_out_of_range_is_refused(context, options):
    with pytest.raises(BadInput, match="must be"):
        outcomes(context, **options)


def test_the_timeline_is_hourly_and_ends_with_the_present_hour(context, engine):
    declare(engine, job("report"))
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with engine.begin() as connection:
        log_execution(connection, "report", hour - timedelta(minutes=30), ms=40)
        log_execution(connection, "report", hour - timedelta(minutes=20), ms=60, error="no")

    found = timeline(context, "report", days=1)

    assert found[-1].time_bucket == hour
    before = found[-2]
    assert (before.executions, before.successes, before.failures, before.avg_duration_ms) == (2, 1, 1, 50)


def test_there_is_no_timeline_of_an_unknown_job(context, engine):
    declare(engine, job("report"))

    with pytest.raises(NotFound, match="Did you mean report"):
        timeline(context, "reprot")
