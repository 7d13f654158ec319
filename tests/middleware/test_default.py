"""The broker made from the settings, and what they switch off for everything at once."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from callboard.core.backoff import fixed
from callboard.core.settings import Settings
from callboard.middleware.breaker import NO_RECOVERY
from callboard.middleware.broker import Broker
from callboard.middleware.declare import describe_actors
from callboard.middleware.default import make_broker
from helpers.workers import Calls, Presence, declare, final_event, final_events, working

Make = Callable[..., Broker]


@pytest.fixture
def made(settings: Settings, broker: Broker) -> Iterator[Make]:
    """Makes the broker of the test's settings with some of them changed."""
    brokers: list[Broker] = []

    def make(**changes: Any) -> Broker:
        brokers.append(make_broker(settings.model_copy(update=changes)))
        return brokers[-1]

    yield make
    for each in brokers:
        each.close()


@pytest.mark.parametrize(("prevented", "most"), [(True, 1), (False, 4)])
def test_runs_of_a_job_with_a_mutex_overlap_only_where_duplicates_are_not_prevented(
    made: Make, prevented: bool, most: int
) -> None:
    presence = Presence()

    def work() -> None:
        with presence:
            time.sleep(0.3)

    broker = made(cron_enable_duplicate_prevention=prevented)
    declare(broker, work, mutex=True, overlap="wait", max_retries=0)
    with working(broker, threads=4):
        broker.enqueue_many(broker.get_actor("work").message() for _ in range(4))
        found = final_events(broker, 4)

    assert {event["s"] for event in found} == {"succeeded"}
    assert presence.most == most


@pytest.mark.parametrize(("recovery", "attempts"), [(True, 3), (False, 1)])
def test_failed_runs_are_tried_again_only_where_recovery_is_automatic(
    made: Make, recovery: bool, attempts: int
) -> None:
    calls = Calls()

    def work() -> None:
        calls.note()
        raise ValueError("not today")

    broker = made(cron_enable_automatic_recovery=recovery)
    declare(broker, work, max_retries=2, backoff=fixed(10))
    with working(broker):
        message = broker.get_actor("work").message()
        broker.enqueue(message)
        end = final_event(broker, message)

    assert len(calls.made) == attempts
    assert end["s"] == "failed"
    (job,) = (job for job in describe_actors(broker) if job["name"] == "work")
    assert job["max_attempts"] == attempts


@pytest.mark.parametrize(("recovery", "open_ms"), [(True, 60_000), (False, NO_RECOVERY)])
def test_an_open_breaker_waits_for_an_operator_where_recovery_is_not_automatic(
    made: Make, recovery: bool, open_ms: int
) -> None:
    def work() -> None:
        raise ConnectionError("down")

    broker = made(cron_enable_automatic_recovery=recovery)
    declare(broker, work, max_retries=0, breaker="there", breaker_threshold=1, breaker_timeout=60_000)
    with working(broker):
        message = broker.get_actor("work").message()
        broker.enqueue(message)
        final_event(broker, message)

    state = broker.client.hgetall(broker.keys.breaker("there"))
    assert state[b"state"] == b"open"
    assert int(state[b"until"]) - int(state[b"opened_at"]) == open_ms
