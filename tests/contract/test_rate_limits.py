"""Dramatiq's rate limiters and barriers, in actors."""

import time
from typing import Any

import pytest
from dramatiq import RateLimitExceeded
from dramatiq.rate_limits import Barrier, BucketRateLimiter, ConcurrentRateLimiter, WindowRateLimiter
from dramatiq.rate_limits.backends import RedisBackend

from helpers.workers import Calls, Presence, declare, linger, wait_until_empty, working

#: Delays that a test can wait for.
SOON = {"min_backoff": 40, "max_backoff": 80}


@pytest.fixture
def backend(broker: Any) -> RedisBackend:
    """Where limits are kept: in the Redis of the broker."""
    return RedisBackend(client=broker.client)


def test_a_limit_of_one_at_a_time_keeps_others_out_until_they_are_tried_again(
    broker: Any, backend: RedisBackend
) -> None:
    room, limiter = Presence(), ConcurrentRateLimiter(backend, "one at a time", limit=1)

    def work() -> None:
        with limiter.acquire(), room:
            linger(0.02)

    actor = declare(broker, work, max_retries=None, **SOON)
    for _ in range(6):
        actor.send()
    with working(broker, threads=4):
        wait_until_empty(broker)
    assert (room.entered, room.most) == (6, 1)


def test_a_limit_of_several_lets_so_many_in(broker: Any, backend: RedisBackend) -> None:
    room, limiter = Presence(), ConcurrentRateLimiter(backend, "two at a time", limit=2)

    def work() -> None:
        with limiter.acquire(), room:
            linger(0.05)

    actor = declare(broker, work, max_retries=None, **SOON)
    for _ in range(8):
        actor.send()
    with working(broker, threads=4):
        wait_until_empty(broker)
    assert (room.entered, room.most) == (8, 2)


def test_an_actor_may_go_another_way_where_it_does_not_get_in(broker: Any, backend: RedisBackend) -> None:
    outcomes, limiter = Calls(), ConcurrentRateLimiter(backend, "mutex", limit=1)

    def work() -> None:
        with limiter.acquire(raise_on_failure=False) as acquired:
            outcomes.note(acquired)
            if acquired:
                outcomes.wait_for(2)

    actor = declare(broker, work, max_retries=0)
    actor.send()
    actor.send()
    with working(broker):
        wait_until_empty(broker)
    assert sorted(outcomes.made) == [False, True]


def test_what_a_failure_held_is_free_again(broker: Any, backend: RedisBackend) -> None:
    attempts, limiter = Calls(), ConcurrentRateLimiter(backend, "mutex", limit=1)

    def work() -> None:
        with limiter.acquire():
            if attempts.note() == 1:
                raise ValueError

    declare(broker, work, max_retries=1, **SOON).send()
    with working(broker):
        wait_until_empty(broker)
    assert len(attempts.made) == 2


@pytest.mark.parametrize("kind", [BucketRateLimiter, WindowRateLimiter])
def test_a_limit_on_a_span_of_time_lets_so_many_in_and_the_rest_later(
    broker: Any, backend: RedisBackend, kind: Any
) -> None:
    entered = Calls()
    span = {"bucket": 1_000} if kind is BucketRateLimiter else {"window": 1}
    limiter = kind(backend, "three a second", limit=3, **span)

    def work() -> None:
        with limiter.acquire():
            entered.note(time.monotonic())

    actor = declare(broker, work, max_retries=None, **SOON)
    for _ in range(7):
        actor.send()
    with working(broker):
        wait_until_empty(broker)
    assert len(entered.made) == 7
    assert max(entered.made) - min(entered.made) > 0.9


def test_an_exceeded_limit_is_an_exception_that_an_actor_may_handle(
    broker: Any, backend: RedisBackend
) -> None:
    outcomes, limiter = Calls(), BucketRateLimiter(backend, "one an hour", limit=1, bucket=3_600_000)

    def work() -> None:
        try:
            with limiter.acquire():
                outcomes.note("in")
        except RateLimitExceeded:
            outcomes.note("out")

    actor = declare(broker, work, max_retries=0)
    for _ in range(3):
        actor.send()
    with working(broker, threads=1):
        assert outcomes.wait_for(3) == ["in", "out", "out"]


def test_a_barrier_is_passed_by_all_or_by_the_last(broker: Any, backend: RedisBackend) -> None:
    passed, last = Calls(), Calls()
    assert Barrier(backend, "meeting", ttl=30_000).create(parties=3)
    assert not Barrier(backend, "meeting", ttl=30_000).create(parties=3)
    assert Barrier(backend, "finish", ttl=30_000).create(parties=3)

    def work() -> None:
        passed.note(Barrier(backend, "meeting", ttl=30_000).wait(timeout=5_000))
        last.note(Barrier(backend, "finish", ttl=30_000).wait(block=False))

    actor = declare(broker, work, max_retries=0)
    for _ in range(3):
        actor.send()
    with working(broker, threads=3):
        passed.wait_for(3)
        last.wait_for(3)
    assert passed.made == [True] * 3
    assert sorted(last.made) == [False, False, True]
