"""The health of queues, from rollups and Redis."""

import json
import time
from typing import Any

import dramatiq
import pytest
from sqlalchemy import Engine, text

from callboard.control.context import Context
from callboard.control.reads.health import queue_health
from callboard.control.reads.health_trends import queue_trend
from callboard.core.errors import BadInput, NotFound, Unavailable
from callboard.core.histogram import histogram
from callboard.scheduler.health import QueueHealth
from helpers.declarations import declare, job
from helpers.rollups import sum_queues

ROLLUP = text("""
INSERT INTO callboard.rollups (width_s, bucket, job, queue, started, succeeded, duration_sum_ms, duration_hist
                             , wait_hist)
VALUES (60, date_trunc('minute', now()) - interval '5 min', 'send', 'mail', 40, 40, 40 * 170000, :slow, :wait)
""")


@pytest.fixture
def slow(engine: Engine, broker: Any) -> None:
    """A worker of 8 threads, forty runs of almost three minutes each, and a backlog."""

    @dramatiq.actor(queue_name="mail", actor_name="send")
    def send() -> None:
        raise AssertionError("nobody works here")

    declare(engine, job("send", queue="mail"), job("other"))
    for _ in range(150):
        send.send()
    keys = broker.keys
    broker.client.zadd(keys.heartbeats, {"w1": time.time() * 1000})
    broker.client.hset(keys.workers, "w1", json.dumps({"threads": 8, "queues": ["mail"]}))
    with engine.begin() as connection:
        values = {"slow": histogram([170_000] * 40), "wait": histogram([90_000] * 40)}
        connection.execute(ROLLUP, values)
        sum_queues(connection)


def test_slow_runs_and_a_backlog_lower_the_score_and_say_how_many_workers_it_takes(
    context: Context, slow: None
) -> None:
    found = queue_health(context, "mail")

    assert found.score.value is not None
    assert found.score.value < 0.7
    assert {each.reason for each in found.score.deductions} == {"wait", "growth", "speed"}
    first = found.bottlenecks[0]
    assert (first.cause, first.type, found.status) == ("capacity", "queue_backlog", "degraded")
    assert "more workers of 8 threads clear the backlog in 10 min" in found.recommendations[0].text


def test_a_trend_reads_the_rollups(context: Context, slow: None) -> None:
    found = queue_trend(context, "mail", "hour")

    assert found.total is not None
    assert (found.total.finished, found.total.failed) == (40, 0)
    assert found.total.duration_p95_ms == pytest.approx(170_000, rel=0.19)


def test_what_there_is_not_is_refused(context: Context, slow: None) -> None:
    with pytest.raises(NotFound, match="no queue named 'nowhere'"):
        queue_trend(context, "nowhere")
    with pytest.raises(BadInput, match="hour, day, week"):
        queue_trend(context, "mail", "year")  # type: ignore[arg-type]


def test_without_redis_it_is_said_in_a_sentence(settings: Any, slow: None) -> None:
    away = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})

    with Context(away) as context, pytest.raises(Unavailable, match="Redis does not answer"):
        queue_health(context, "mail")


def test_a_healthy_queue_opens_no_alert(engine: Engine, broker: Any, settings: Any) -> None:
    declare(engine, job("other"))

    QueueHealth(engine, broker.client, settings).judge()

    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM callboard.alerts")).scalar_one() == 0
