"""A Redis that has no memory left: nothing more goes in, and what is there is worked off."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from callboard.core.backoff import fixed
from callboard.middleware import keeper, mutex
from callboard.middleware.broker import Broker
from callboard.middleware.execution import current_run
from callboard.middleware.scripts import load_script
from helpers.waiting import wait_for
from helpers.workers import Presence, declare, final_events, wait_until_empty, working


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


def slot_until(broker: Broker, limit: str) -> float:
    """Until when the one slot of a limit is taken, in ms since the epoch."""
    found: Any = broker.client.zrange(broker.keys.slots(limit), 0, -1, withscores=True)
    return float(found[0][1])


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


def test_a_worker_of_a_full_redis_keeps_what_its_runs_hold(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a run that holds a mutex and a slot when the memory comes to its end
    monkeypatch.setattr(keeper, "ROUND", 0.1)
    end = threading.Event()
    job = declare(broker, end.wait, actor_name="job", mutex=True, limit={"concurrent": 1})
    job.send(10)
    with working(broker):
        wait_for(lambda: broker.client.exists(broker.keys.mutex("job")))
        with no_memory_left(broker):
            first, lease = heard(broker), slot_until(broker, "job")

            # Then its leases go on, and its worker counts as alive
            wait_for(lambda: heard(broker) > first + 500)
            assert slot_until(broker, "job") > lease
            assert broker.client.pttl(broker.keys.mutex("job")) > mutex.LEASE - 1_000
        end.set()
        final_events(broker, 1)


def test_what_waits_for_a_mutex_a_slot_or_a_breaker_is_worked_off_by_a_full_redis(broker: Broker) -> None:
    presence = Presence()

    def work() -> None:
        with presence:
            time.sleep(0.01)

    job = declare(
        broker, work, actor_name="job", mutex=True, overlap="wait", limit={"concurrent": 2}, breaker=True
    )
    broker.client.hset(broker.keys.breaker("job"), mapping={"state": "open", "until": 0})
    broker.enqueue_many(job.message() for _ in range(20))
    with no_memory_left(broker), working(broker):
        found = final_events(broker, 20)
        wait_until_empty(broker)
    assert {event["s"] for event in found} == {"succeeded"}
    assert presence.most == 1


def test_a_full_redis_looks_at_every_lot(broker: Broker) -> None:
    # Given a lot that must wait longer, and behind it one that may go on
    wake = load_script(broker.client, "wake")
    broker.client.hset(broker.keys.control, "paused:job:a", "{}")
    broker.client.rpush(broker.keys.lot("pause|job:a"), "default one")
    broker.client.rpush(broker.keys.lot("pause|job:b"), "default two")
    broker.client.zadd(broker.keys.lots, {"pause|job:a": 0, "pause|job:b": 1})
    with no_memory_left(broker):
        wake(keys=[broker.namespace], args=[10, 1_000])
    assert broker.client.lrange(broker.keys.queue("default"), 0, -1) == [b"two"]
