"""A scheduler samples the queues, and alerts of those that do badly are opened once and closed again."""

import json
import time
from datetime import timedelta
from typing import Any

import dramatiq
import psycopg
import pytest
from dramatiq import Message
from sqlalchemy import Engine, text

from callboard.scheduler.health import QueueHealth, health_duties
from callboard.storage.alerts import open_alert, resolve_alert
from callboard.storage.queue_facts import load_facts
from callboard.storage.samples import delete_old_samples, take_samples
from helpers.declarations import declare, job
from helpers.runs import add_run


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


def test_a_sample_says_how_many_threads_work_for_other_queues(broker: Any) -> None:
    keys = broker.keys
    broker.client.zadd(keys.heartbeats, {"w1": time.time() * 1000})
    broker.client.hset(keys.workers, "w1", json.dumps({"threads": 8, "queues": ["mail", "bulk"]}))
    broker.client.sadd(keys.acks("w1", "bulk"), *(str(number) for number in range(12)))

    mail, bulk = take_samples(broker.client, keys, ["mail", "bulk"], 15_000)

    assert (mail.slots, mail.busy, mail.shares, mail.taken) == (8, 0, {"bulk": 1.0}, 8)
    assert (bulk.busy, bulk.taken) == (8, 0)


def test_of_several_samples_within_ten_seconds_the_first_counts(health: QueueHealth, engine: Engine) -> None:
    for _ in range(5):
        health.sample()

    found = rows(engine, "SELECT count(*) AS n, count(DISTINCT at) AS d FROM callboard.queue_samples")
    assert found[0]["n"] == found[0]["d"] <= 2


def test_each_sample_is_added_to_its_hour_once(health: QueueHealth, engine: Engine) -> None:
    for _ in range(3):
        health.sample()
        health.sample()
        with engine.begin() as connection:
            # The next one is not within the same ten seconds any more.
            connection.execute(text("DELETE FROM callboard.queue_samples"))

    hours = rows(engine, "SELECT * FROM callboard.queue_sample_hours WHERE queue = 'mail'")
    taken = sum(each["samples"] for each in hours)
    assert 3 <= taken <= 6
    assert {each["depth_max"] for each in hours} == {3}
    assert sum(each["depth_sum"] for each in hours) == 3 * taken


def test_samples_of_an_earlier_version_are_added_to_their_hours_once_a_scheduler_starts(
    health: QueueHealth, engine: Engine, broker: Any, settings: Any
) -> None:
    health.sample()
    with engine.begin() as connection:
        connection.execute(text("UPDATE callboard.queue_sample_hours SET samples = 0, depth_sum = 0"))

    QueueHealth(engine, broker.client, settings).sample()

    found = rows(engine, "SELECT sum(depth_sum) / sum(samples) AS mean FROM callboard.queue_sample_hours")
    assert found == [{"mean": 3}]


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

    (alert,) = rows(engine, "SELECT kind, subject, severity, details FROM callboard.alerts")
    assert (alert["kind"], alert["subject"], alert["severity"]) == ("queue_bottleneck", "mail", "critical")
    assert alert["details"]["found"] == ["queue_bottleneck", "queue_health"]
    broker.client.delete(broker.keys.queue("mail"))
    health.judge()

    assert not rows(engine, "SELECT 1 FROM callboard.alerts WHERE resolved_at IS NULL")
    assert len(rows(engine, "SELECT 1 FROM callboard.alerts")) == 1


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


def fail(engine: Engine, job: str, error_type: str, error: str) -> None:
    """Have one run of a job fail, as the recorder writes it."""
    with engine.begin() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        add_run(driver, "failed", job=job, queue="mail", error_type=error_type, error=error)


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


def test_jobs_that_one_error_fails_have_one_alert_until_the_last_of_them_is_well(
    health: QueueHealth, engine: Engine
) -> None:
    # Given that a database which they all use goes away, and another job that fails by itself
    jobs = [f"job-{number}" for number in range(12)]
    declare(engine, job("send", queue="mail"), *(job(name, queue="mail") for name in jobs))
    finish(engine, failed=5)
    fail(engine, "send", "KeyError", "'id'")
    for number, name in enumerate(jobs):
        finish(engine, failed=5, job=name)
        fail(engine, name, "OperationalError", f"no server on port {number}\nAsk it.")
    health.judge()
    health.judge()

    one = "OperationalError: no server on port <n>"
    assert failing(engine) == [(one, "critical", True), ("send", "critical", True)]

    # When all but one have become well
    for name in jobs[:-1]:
        finish(engine, succeeded=50, job=name, ago_min=0)
    health.judge()
    (alert,) = rows(engine, "SELECT details FROM callboard.alerts WHERE subject LIKE 'Oper%'")
    assert alert["details"]["jobs"] == ["job-11"]

    finish(engine, succeeded=50, job="job-11", ago_min=0)
    health.judge()
    assert failing(engine) == [(one, "critical", False), ("send", "critical", True)]


def test_a_job_that_is_silenced_is_no_part_of_an_alert_of_several(
    health: QueueHealth, engine: Engine
) -> None:
    jobs = [f"report-{number}" for number in range(5)]
    declare(engine, *(job(name, queue="mail") for name in jobs))
    for name in jobs:
        finish(engine, failed=5, job=name)
        fail(engine, name, "OperationalError", "no server")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO callboard.silences (subject, until_at, reason)"
                " VALUES ('report-0', now() + interval '1 hour', 'known')"
            )
        )

    health.judge()

    assert failing(engine) == [
        ("OperationalError: no server", "critical", True),
        ("report-0", "critical", True),
    ]
    (alert,) = rows(engine, "SELECT details FROM callboard.alerts WHERE subject LIKE 'Oper%'")
    assert alert["details"]["jobs"] == jobs[1:]


def test_an_alert_of_several_jobs_outlives_the_opening_of_their_breaker(
    health: QueueHealth, engine: Engine
) -> None:
    jobs = [f"post-{number}" for number in range(3)]
    declare(engine, *(job(name, queue="mail", options={"breaker": "smtp"}) for name in jobs))
    for name in jobs:
        finish(engine, failed=5, job=name)
        fail(engine, name, "OperationalError", "no server")
    health.judge()
    assert failing(engine) == [("OperationalError: no server", "critical", True)]

    with engine.begin() as connection:
        open_alert(connection, "breaker_open", "smtp", "The breaker smtp is open.")
    health.judge()

    assert failing(engine) == [("OperationalError: no server", "critical", True)]


def test_queues_that_nobody_serves_any_more_have_one_alert(
    health: QueueHealth, engine: Engine, broker: Any
) -> None:
    declare(engine, job("send", queue="mail"), job("pull", queue="sync"), job("count", queue="sums"))
    for name, queue in (("pull", "sync"), ("count", "sums")):
        broker.enqueue(Message(queue, name, (), {}, {}))
    health.judge()

    (alert,) = rows(engine, "SELECT kind, subject, message, details FROM callboard.alerts")
    assert (alert["kind"], alert["subject"]) == ("queue_bottleneck", "no workers")
    assert alert["message"].startswith("3 queues are held up together: mail, sums, sync. ")
    assert alert["details"] == {"cause": "no_consumer", "queues": ["mail", "sums", "sync"]}


def test_a_job_that_fails_in_its_few_runs_of_a_day_has_an_alert(health: QueueHealth, engine: Engine) -> None:
    for hour in range(1, 6):
        finish(engine, failed=1, ago_min=hour * 60)

    health.judge()

    assert failing(engine) == [("send", "critical", True)]


def burn(engine: Engine, *, width_s: int, succeeded: int, failed: int, ago_min: int = 1) -> None:
    """Have runs finish in one bucket of that width."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO callboard.rollups"
                " (width_s, bucket, job, queue, succeeded, failed, last_failure_at)"
                " VALUES (:width, now() - :ago * interval '1 minute', 'send', 'mail', :ok, :bad, now())"
            ),
            {"width": width_s, "ago": ago_min, "ok": succeeded, "bad": failed},
        )


def test_a_job_that_uses_up_its_objective_has_one_alert_from_its_first_failures_to_its_last(
    health: QueueHealth, engine: Engine
) -> None:
    opened = "SELECT kind, severity FROM callboard.alerts WHERE subject = 'send' AND resolved_at IS NULL"
    finish(engine, succeeded=3, failed=3, ago_min=2)
    health.judge()
    assert rows(engine, opened) == [{"kind": "job_failures", "severity": "critical"}]

    # When it goes on failing, so that the objective is missed as well
    burn(engine, width_s=60, succeeded=0, failed=100)
    health.judge()
    assert rows(engine, opened) == [{"kind": "job_failures", "severity": "critical"}]

    # And when its last runs are well, but the last three days are not
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM callboard.rollups"))
    burn(engine, width_s=3600, succeeded=900, failed=100, ago_min=600)
    burn(engine, width_s=60, succeeded=900, failed=60, ago_min=300)
    burn(engine, width_s=60, succeeded=30, failed=0)
    health.judge()
    assert rows(engine, opened) == [{"kind": "job_failures", "severity": "warning"}]
    assert len(rows(engine, "SELECT 1 FROM callboard.alerts WHERE subject = 'send'")) == 1

    with engine.begin() as connection:
        connection.execute(text("DELETE FROM callboard.rollups"))
    health.judge()
    assert rows(engine, opened) == []


def test_failures_that_an_open_breaker_tells_of_are_not_told_again(
    health: QueueHealth, engine: Engine
) -> None:
    declare(engine, job("send", queue="mail", options={"breaker": "smtp"}))
    burn(engine, width_s=60, succeeded=0, failed=100)
    with engine.begin() as connection:
        open_alert(connection, "breaker_open", "smtp", "The breaker smtp is open.")
    health.judge()
    assert failing(engine) == []
    assert not rows(engine, "SELECT 1 FROM callboard.alerts WHERE kind = 'burn_rate'")

    # It has closed, and the job fails again
    with engine.begin() as connection:
        resolve_alert(connection, "breaker_open", "smtp")
    health.judge()
    assert not rows(engine, "SELECT 1 FROM callboard.alerts WHERE subject = 'send'")
    burn(engine, width_s=3600, succeeded=0, failed=1, ago_min=0)
    health.judge()
    assert rows(engine, "SELECT kind FROM callboard.alerts WHERE subject = 'send'") == [{"kind": "burn_rate"}]


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
