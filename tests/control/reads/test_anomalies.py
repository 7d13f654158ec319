"""What is out of the ordinary, found in the database."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from callboard.control.context import Context
from callboard.control.reads.anomalies import anomalies
from callboard.core.clock import utcnow
from callboard.core.errors import NotFound
from helpers.declarations import declare, job, log_execution, run_ids
from helpers.rows import change

MINUTE = timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def steady(engine: Engine, name: str, now: datetime, *, count: int = 25, ms: int = 20_000) -> None:
    """Successes that began one an hour, the last two hours ago, up to 4 % shorter or longer."""
    with engine.begin() as connection:
        for number in range(count):
            took = round(ms * (1 + 0.01 * (number % 9 - 4)))
            log_execution(connection, name, now - (number + 2) * 60 * MINUTE, ms=took)


def log(engine: Engine, name: str, at: datetime, ms: int | None) -> None:
    with engine.begin() as connection:
        log_execution(connection, name, at, ms=ms)


def test_runs_that_took_long_or_go_on_for_long_are_found(
    context: Context, engine: Engine, now: datetime
) -> None:
    declare(engine, job("report"), job("sync"), job("steady"))
    for name in ("report", "sync", "steady"):
        steady(engine, name, now)
    log(engine, "report", now - 60 * MINUTE, 140_000)
    log(engine, "sync", now - 3 * MINUTE, None)
    log(engine, "steady", now - MINUTE, 20_000)

    found = anomalies(context)

    assert [(each.kind, each.job) for each in found] == [("running_long", "sync"), ("duration", "report")]
    assert [each.run_id for each in found] == [run_ids(engine, name)[-1] for name in ("sync", "report")]
    assert "7.0 times the usual 20.0 s" in found[1].evidence
    assert found[0].evidence.startswith("It has been running for over 3 min")
    assert anomalies(context, job="report") == anomalies(context, kind="duration") == found[1:]
    assert anomalies(context, job="steady") == ()
    with pytest.raises(NotFound, match="Did you mean report"):
        anomalies(context, job="reports")


def test_what_takes_long_at_this_hour_of_each_week_is_usual(
    context: Context, engine: Engine, now: datetime
) -> None:
    declare(engine, job("report"))
    steady(engine, "report", now)
    begun = now - 60 * MINUTE
    log(engine, "report", begun, 140_000)
    same_hour = (begun + timedelta(seconds=140)).replace(minute=0, second=0)
    with engine.begin() as connection:
        for week in range(1, 9):
            log_execution(connection, "report", same_hour - timedelta(weeks=week) + MINUTE, ms=140_000)

    assert anomalies(context) == ()


def test_slots_that_nobody_decided_are_critical(context: Context, engine: Engine, now: datetime) -> None:
    declare(engine, job("mail", "*/5 * * * *"), job("off", "*/5 * * * *"), job("fine", "0 0 1 1 *"))
    change(engine, "UPDATE callboard.schedules SET checked_until = now() - interval '31 min'")
    change(engine, "INSERT INTO cron_job_config (job_name, enabled) VALUES ('off', false)"
                   " ON CONFLICT (job_name) DO UPDATE SET enabled = false")  # fmt: skip

    (found,) = anomalies(context)

    assert (found.kind, found.job, found.severity) == ("missed", "mail", "critical")
    assert found.slot is not None
    assert now - found.slot <= 7 * MINUTE
    assert utcnow() - found.slot >= timedelta(seconds=60)
    assert "no scheduler is alive" in found.evidence


def test_more_runs_than_slots_are_found_but_not_those_that_somebody_asked_for(
    context: Context, engine: Engine, now: datetime
) -> None:
    declare(engine, job("twice", "*/30 * * * *"), job("asked", "*/30 * * * *"), job("free"))
    change(engine, "UPDATE callboard.schedules SET changed_at = now() - interval '1 day'")
    for name in ("twice", "asked", "free"):
        for number in range(5):
            log(engine, name, now - (number + 1) * 7 * MINUTE, 500)
    with engine.begin() as connection:
        connection.execute(text("UPDATE callboard.runs SET trigger = 'manual' WHERE job = 'asked'"))

    (found,) = anomalies(context)

    assert (found.kind, found.job) == ("too_often", "twice")
    assert found.evidence.startswith("5 runs began within 1 h 00 min without anybody asking for them")
