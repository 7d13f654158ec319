"""Percentiles over time and each job's days."""

from datetime import UTC, datetime, timedelta

import pytest

from callboard.control.reads.durations import durations, trends
from callboard.core.errors import BadInput
from helpers.declarations import declare, job, log_execution


def test_percentiles_are_those_of_each_bucket_and_of_all_together(context, engine):
    declare(engine, job("report"), job("other"))
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with engine.begin() as connection:
        for place in range(20):
            at = hour - timedelta(minutes=119 - place)
            log_execution(connection, "report", at, ms=100 if place < 10 else 10_000)
        log_execution(connection, "other", hour - timedelta(minutes=90), ms=77_000)

    found = durations(context, hours=4, width_s=3600, job="report")

    busy = [bucket for bucket in found.buckets if bucket.runs]
    assert [(bucket.at, bucket.runs) for bucket in busy] == [(hour - timedelta(hours=2), 20)]
    # Four buckets an octave: within a fifth of the exact value.
    assert busy[0].p10_ms == pytest.approx(100, rel=0.2)
    assert busy[0].p95_ms == pytest.approx(10_000, rel=0.2)
    assert found.p95_ms == busy[0].p95_ms
    assert len(found.buckets) == 5
    assert all(bucket.p50_ms is None for bucket in found.buckets if not bucket.runs)


def test_without_runs_there_are_buckets_and_no_percentiles(context):
    found = durations(context, hours=24)

    assert found.width_s == 900
    assert found.p50_ms is found.p95_ms is found.wait_p95_ms is None
    assert {bucket.runs for bucket in found.buckets} == {0}


@pytest.mark.parametrize("asked", [{"hours": 0}, {"hours": 10_000}, {"width_s": 61}])
def test_what_cannot_be_drawn_is_refused(context, asked):
    with pytest.raises(BadInput):
        durations(context, **asked)


def test_a_trend_has_a_count_for_each_of_its_days_today_included(context, engine):
    declare(engine, job("report"), job("idle"))
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with engine.begin() as connection:
        log_execution(connection, "report", today, ms=200)
        log_execution(connection, "report", today - timedelta(days=2), ms=200)
        log_execution(connection, "report", today - timedelta(days=2, seconds=-5), ms=200, error="no")
        log_execution(connection, "report", today - timedelta(days=30), ms=200)

    found = trends(context, days=4)

    assert set(found) == {"report"}
    assert found["report"].executions == (0, 2, 0, 1)
    assert found["report"].failures == (0, 1, 0, 0)
    days = found["report"].p95_days
    assert [ms is None for ms in days] == [True, False, True, False]
    assert days[3] == pytest.approx(200, rel=0.2)
    assert found["report"].p95_ms == pytest.approx(200, rel=0.2)
