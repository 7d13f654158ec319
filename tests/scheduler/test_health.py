"""A scheduler samples the queues, and alerts of those that do badly are opened once and closed again."""

import json
import time
from datetime import timedelta
from typing import Any

import dramatiq
import pytest
from sqlalchemy import Engine, text

from callboard.scheduler.health import QueueHealth, health_duties
from callboard.storage.queue_facts import load_facts
from callboard.storage.samples import delete_old_samples, take_samples
from helpers.declarations import declare, job


@pytest.fixture
def health(engine: Engine, broker: Any, settings: Any) -> QueueHealth:
    @dramatiq.actor(queue_name="mail", actor_name="send")
    def send() -> None:
        raise AssertionError("nobody works here")

    declare(engine, job("send", queue="mail"))
    for _ in range(3):
        send.send()
    return QueueHealth(engine, broker.client, settings)


def rows(engine: Engine, statement: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(statement)).mappings()]


def test_a_sample_says_what_waits_and_who_is_there(health: QueueHealth, engine: Engine, broker: Any) -> None:
    health.sample()
    keys = broker.keys
    broker.client.zadd(keys.heartbeats, {"w1": time.time() * 1000})
    broker.client.hset(keys.workers, "w1", json.dumps({"threads": 8, "stuck": 1, "queues": ["mail"]}))
    broker.client.sadd(keys.acks("w1", "mail"), "a", "b")

    (sample,) = take_samples(broker.client, keys, ["mail"], 15_000)

    (row,) = rows(engine, "SELECT * FROM callboard.queue_samples")
    assert (row["queue"], row["depth"], row["workers"], row["dead"]) == ("mail", 3, 0, 0)
    assert (sample.workers, sample.slots, sample.busy, sample.in_flight) == (1, 7, 2, 2)
    assert sample.oldest_due_ms < 60_000


def test_of_several_samples_within_ten_seconds_the_first_counts(health: QueueHealth, engine: Engine) -> None:
    for _ in range(5):
        health.sample()

    found = rows(engine, "SELECT count(*) AS n, count(DISTINCT at) AS d FROM callboard.queue_samples")
    assert found[0]["n"] == found[0]["d"] <= 2


def test_old_samples_go(health: QueueHealth, engine: Engine) -> None:
    health.sample()
    with engine.begin() as connection:
        connection.execute(text("UPDATE callboard.queue_samples SET at = at - interval '8 days'"))
        assert delete_old_samples(connection, timedelta(days=7)) == 1


def test_an_unserved_queue_opens_its_alerts_once_and_closes_them(
    health: QueueHealth, engine: Engine, broker: Any
) -> None:
    health.judge()
    health.judge()

    alerts = rows(engine, "SELECT kind, subject, severity FROM callboard.alerts WHERE resolved_at IS NULL")
    assert sorted((each["kind"], each["subject"]) for each in alerts) == [
        ("queue_bottleneck", "mail"),
        ("queue_health", "mail"),
    ]
    broker.client.delete(broker.keys.queue("mail"))
    health.judge()

    assert not rows(engine, "SELECT 1 FROM callboard.alerts WHERE resolved_at IS NULL")
    assert len(rows(engine, "SELECT 1 FROM callboard.alerts")) == 2


def finish(
    engine: Engine, *, succeeded: int = 0, failed: int = 0, ago_min: int = 1, job: str = "send"
) -> None:
    """Have runs of a job finish in one minute."""
    statement = (
        "INSERT INTO callboard.rollups (width_s, bucket, job, queue, succeeded, failed)"
        " VALUES (60, date_trunc('minute', now()) - :ago * interval '1 minute', :job, 'mail', :ok, :bad)"
    )
    with engine.begin() as connection:
        values = {"ago": ago_min, "job": job, "ok": succeeded, "bad": failed}
        connection.execute(text(statement), values)


def failing(engine: Engine) -> list[tuple[str, str, bool]]:
    found = rows(
        engine,
        "SELECT subject, severity, resolved_at IS NULL AS open FROM callboard.alerts"
        " WHERE kind = 'job_failures' ORDER BY id",
    )
    return [(each["subject"], each["severity"], each["open"]) for each in found]


def test_a_job_that_fails_too_often_has_an_alert_until_its_last_runs_are_better(
    health: QueueHealth, engine: Engine
) -> None:
    # Given a good day, and a bad quarter of an hour after it; and a job that is declared no more
    finish(engine, succeeded=500, ago_min=90)
    finish(engine, succeeded=15, failed=7, ago_min=30)
    finish(engine, failed=50, job="gone")

    health.judge()
    assert failing(engine) == [("send", "warning", True)]

    finish(engine, succeeded=19, ago_min=3)
    health.judge()
    assert failing(engine) == [("send", "warning", True)], "the last twenty begin in the bad time"

    finish(engine, succeeded=1, ago_min=2)
    health.judge()
    assert failing(engine) == [("send", "warning", False)]


def test_a_job_that_fails_in_its_few_runs_of_a_day_has_an_alert(health: QueueHealth, engine: Engine) -> None:
    for hour in range(1, 6):
        finish(engine, failed=1, ago_min=hour * 60)

    health.judge()

    assert failing(engine) == [("send", "critical", True)]


def test_growth_is_that_of_the_samples(health: QueueHealth, engine: Engine, broker: Any) -> None:
    health.sample()
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE callboard.queue_samples SET at = now() - interval '100 s', depth = 1, dead = -2")
        )
        (facts,) = load_facts(connection, broker.client, broker.keys, 15_000)

    assert facts.growth == pytest.approx(0.02, rel=0.05)
    assert (facts.depth, facts.dead_growth) == (3, 2)
    assert facts.since is not None


@pytest.mark.parametrize(("monitored", "names"), [(True, ["samples", "health"]), (False, [])])
def test_queues_are_sampled_and_judged_where_the_settings_say_so(
    settings: Any, engine: Engine, broker: Any, monitored: bool, names: list[str]
) -> None:
    given = settings.model_copy(update={"cron_enable_performance_monitoring": monitored})

    duties = health_duties(engine, broker.client, given)

    assert [duty.name for duty in duties] == names


def test_no_alert_is_opened_where_the_settings_switch_them_off(
    settings: Any, engine: Engine, broker: Any, health: QueueHealth
) -> None:
    strict = {"queue_health_alert_threshold": 1.0, "queue_health_waiting_jobs": 0}
    opened = []
    for tells in (False, True):
        given = settings.model_copy(update={**strict, "cron_enable_alert_notifications": tells})
        QueueHealth(engine, broker.client, given).judge()
        opened.append(bool(rows(engine, "SELECT * FROM callboard.alerts WHERE subject = 'mail'")))

    assert opened == [False, True]
