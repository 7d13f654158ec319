"""What Sentry's cron monitors hear of scheduled runs: by a real worker, at a server in Sentry's place."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import dramatiq
import pytest
import sentry_sdk
from dramatiq import Worker

from callboard.core.backoff import fixed
from callboard.core.monitors import monitor
from callboard.middleware.broker import Broker
from callboard.middleware.sentry import Sentry
from helpers.sentry_sink import SentrySink

MONITOR = monitor("send_mail", "code:1", "0 8 * * *", "Europe/Paris")


@pytest.fixture(autouse=True)
def client() -> Iterator[None]:
    """Each test begins without a Sentry client, and leaves none behind."""
    scope = sentry_sdk.get_global_scope()
    before = scope.client
    scope.set_client(None)
    yield
    sentry_sdk.get_client().close(timeout=0)
    scope.set_client(before)


@pytest.fixture
def sink() -> Iterator[SentrySink]:
    with SentrySink() as sink:
        yield sink


def work_off(broker: Broker, sink: SentrySink, actor: Any, *, scheduled: bool = True) -> str:
    """Run one message of the actor in a worker that ends afterwards; returns the run's id."""
    for middleware in broker.middleware:
        if isinstance(middleware, Sentry):
            middleware._dsn = sink.dsn
    options = {"trigger": "schedule", "monitor": MONITOR} if scheduled else {}
    message = actor.message().copy(options=options, message_id=str(uuid4()))
    broker.enqueue(message)
    worker = Worker(broker, worker_threads=1)
    worker.start()
    try:
        broker.join("default", timeout=20_000)
        worker.join()
    finally:
        worker.stop()
    return str(message.message_id)


def test_a_scheduled_run_checks_in_and_out(broker: Broker, sink: SentrySink) -> None:
    @dramatiq.actor(max_retries=1, time_limit=3_600_000)
    def send_mail() -> None: ...

    run_id = work_off(broker, sink, send_mail)

    first, last = sink.checkins
    assert first["monitor_slug"] == last["monitor_slug"] == "send_mail"
    assert first["check_in_id"] == last["check_in_id"] == UUID(run_id).hex
    assert (first["status"], last["status"]) == ("in_progress", "ok")
    assert first["monitor_config"] == {
        "schedule": {"type": "crontab", "value": "0 8 * * *"},
        "timezone": "Europe/Paris",
        "max_runtime": 121,
    }
    assert last["duration"] >= 0
    assert sink.events == []


def test_a_run_of_several_attempts_is_one(broker: Broker, sink: SentrySink) -> None:
    @dramatiq.actor(max_retries=2, backoff=fixed(1))
    def send_mail() -> None:
        raise RuntimeError("no luck")

    work_off(broker, sink, send_mail)

    assert [each["status"] for each in sink.checkins] == ["in_progress", "error"]
    assert len({each["check_in_id"] for each in sink.checkins}) == 1
    assert len(sink.events) == 1


@pytest.mark.parametrize(("scheduled", "crons"), [(False, "true"), (True, "false")])
def test_runs_without_schedule_and_where_the_setting_says_so_do_not_check_in(
    broker: Broker, sink: SentrySink, monkeypatch: pytest.MonkeyPatch, scheduled: bool, crons: str
) -> None:
    monkeypatch.setenv("CALLBOARD_SENTRY_CRONS", crons)

    @dramatiq.actor(max_retries=0)
    def send_mail() -> None:
        raise RuntimeError("no luck")

    work_off(broker, sink, send_mail, scheduled=scheduled)

    assert len(sink.wait_for(1)) == 1
    assert sink.checkins == []
