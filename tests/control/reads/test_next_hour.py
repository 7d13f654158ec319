"""What is expected within the hour, as the overview draws it."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from callboard.control.context import Context
from callboard.control.reads.durations import trends
from callboard.control.reads.jobs import jobs
from callboard.control.reads.next_hour import expected
from callboard.control.reads.runs import running
from helpers.declarations import declare, job, log_execution


def test_runs_under_way_come_first_and_those_to_come_last_as_long_as_usual(
    context: Context, engine: Engine
) -> None:
    declare(
        engine,
        job("often", "*/20 * * * *"),
        job("later", "59 * * * *"),
        job("off", "* * * * *", enabled=False),
    )
    now = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
    begun = datetime.now(UTC) - timedelta(minutes=2)
    with engine.begin() as connection:
        log_execution(connection, "often", begun - timedelta(hours=3), ms=60_000)
        log_execution(connection, "later", begun, ms=None)

    found = expected(jobs(context), running(context), trends(context), now, now + timedelta(hours=1))

    under_way, *to_come = found
    assert (under_way.job, under_way.start, under_way.run is not None) == ("later", begun, True)
    assert under_way.end >= now
    assert [(each.job, each.start - now) for each in to_come] == [
        ("often", timedelta(minutes=10)),
        ("later", timedelta(minutes=29)),
        ("often", timedelta(minutes=30)),
        ("often", timedelta(minutes=50)),
    ]
    assert timedelta(seconds=50) < to_come[0].end - to_come[0].start < timedelta(seconds=72)
