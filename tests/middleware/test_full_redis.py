"""A Redis that has no memory left: nothing more goes in, and what is there is worked off."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from callboard.core.backoff import fixed
from callboard.middleware import keeper
from callboard.middleware.broker import Broker
from callboard.middleware.execution import current_run
from helpers.waiting import wait_for
from helpers.workers import declare, final_events, wait_until_empty, working


@contextmanager
def no_memory_left(broker: Broker) -> Iterator[None]:
    """Everything that Redis holds is more than a byte."""
    broker.client.config_set("maxmemory", "1")
    try:
        yield
    finally:
        broker.client.config_set("maxmemory", "0")


def heard(broker: Broker) -> float:
    """When the worker was last heard of, in ms since the epoch."""
    return broker.client.zscore(broker.keys.heartbeats, broker.broker_id) or 0.0


def test_what_is_in_a_full_redis_is_worked_off_and_recorded(broker: Broker) -> None:
    # Given more jobs than a worker takes at once, some of which fail at first, and no memory for any more
    executed: Counter[int] = Counter()

    def work(number: int) -> None:
        executed[number] += 1
        run = current_run()
        if number % 10 == 0 and run is not None and run.attempt == 1:
            raise ConnectionError

    job = declare(broker, work, actor_name="job", max_retries=1, backoff=fixed(50))
    broker.enqueue_many(job.message(number) for number in range(100))
    with no_memory_left(broker):
        with pytest.raises(redis.ResponseError, match="maxmemory"):
            job.send(1000)

        # When a worker comes
        with working(broker):
            # Then it does them all
            found = final_events(broker, 100)
            wait_until_empty(broker)
    assert {event["s"] for event in found} == {"succeeded"}
    assert sum(executed.values()) == 110


def test_a_worker_of_a_full_redis_is_known_to_be_alive(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "ROUND", 0.1)
    declare(broker, lambda: None, actor_name="job")
    with working(broker):
        wait_for(lambda: heard(broker))
        first = heard(broker)
        with no_memory_left(broker):
            wait_for(lambda: heard(broker) > first + 1_000)
