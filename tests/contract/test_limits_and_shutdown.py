"""What ends a run, or keeps it from starting: its age, its time limit, the end of its worker."""

import asyncio
import time
from typing import Any

import dramatiq
import pytest
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import (
    AgeLimit,
    Interrupt,
    Retries,
    Shutdown,
    ShutdownNotifications,
    TimeLimit,
    TimeLimitExceeded,
)

from callboard.middleware.broker import Broker
from helpers.waiting import wait_for
from helpers.workers import Calls, dead_letters, declare, left_over, linger, wait_until_empty, working


@pytest.mark.parametrize("place", ["actor", "message"])
def test_a_message_that_is_older_than_it_may_be_becomes_a_dead_letter(broker: Any, place: str) -> None:
    ran, options = Calls(), {"max_age": 100}
    work = declare(broker, ran.note, actor_name="work", **(options if place == "actor" else {}))
    old = work.send_with_options(args=("old",), **(options if place == "message" else {}))
    time.sleep(0.15)
    fresh = declare(broker, ran.note, actor_name="fresh", max_age=60_000)
    fresh.send("fresh")
    with working(broker):
        ran.wait_for(1)
        wait_until_empty(broker)
    assert ran.made == ["fresh"]
    assert [Message.decode(letter).message_id for letter in dead_letters(broker)] == [old.message_id]


def test_the_age_limit_of_a_broker_holds_for_all_actors(redis_url: str, namespace: str) -> None:
    for made in (
        RedisBroker(url=redis_url, namespace=namespace, middleware=[AgeLimit(max_age=50), Retries()]),
        Broker(url=redis_url, namespace=f"{namespace}-ours", middleware=[AgeLimit(max_age=50)]),
    ):
        ran = Calls()
        declare(made, ran.note, actor_name="work").send("old")
        time.sleep(0.1)
        with working(made):
            wait_until_empty(made)
        made.close()
        assert ran.made == []
        assert len(dead_letters(made)) == 1


def test_an_age_counts_from_the_sending_and_so_ends_retries(broker: Any) -> None:
    attempts = Calls()

    @dramatiq.actor(max_age=400, max_retries=None, min_backoff=150, max_backoff=300)
    def work() -> None:
        attempts.note()
        raise RuntimeError

    work.send()
    with working(broker):
        wait_until_empty(broker)
    assert 1 <= len(attempts.made) <= 5
    assert len(dead_letters(broker)) == 1


def test_an_actor_is_interrupted_when_its_time_is_over_and_tried_again(broker: Any) -> None:
    broker.emit_after("process_boot")
    attempts = Calls()

    @dramatiq.actor(time_limit=200, max_retries=1, min_backoff=50, max_backoff=50)
    def work() -> None:
        begun = time.monotonic()
        try:
            linger(10)
        except TimeLimitExceeded:
            attempts.note(time.monotonic() - begun)
            raise

    work.send()
    with working(broker):
        wait_until_empty(broker)
    assert len(attempts.made) == 2
    assert all(0.19 <= duration < 2 for duration in attempts.made)
    assert len(dead_letters(broker)) == 1


def test_a_time_limit_is_kept_within_a_fraction_of_the_second_that_dramatiqs_takes(ours: Broker) -> None:
    durations = Calls()

    @dramatiq.actor(time_limit=200, max_retries=0)
    def work() -> None:
        begun = time.monotonic()
        try:
            linger(10)
        except TimeLimitExceeded:
            durations.note(time.monotonic() - begun)

    with working(ours):
        for _ in range(5):
            work.send()
        durations.wait_for(5)
    assert all(0.19 <= duration < 0.6 for duration in durations.made)


def test_an_actor_that_handles_the_end_of_its_time_has_succeeded(broker: Any) -> None:
    broker.emit_after("process_boot")

    @dramatiq.actor(store_results=True)
    def work() -> str:
        try:
            linger(10)
        except Interrupt as interrupt:
            return type(interrupt).__name__
        return "not interrupted"

    message = work.send_with_options(time_limit=100)
    with working(broker):
        assert message.get_result(block=True, timeout=5_000) == "TimeLimitExceeded"


def test_an_async_actor_is_cancelled_when_its_time_is_over(broker: Any) -> None:
    broker.emit_after("process_boot")
    told = Calls()

    @dramatiq.actor(time_limit=200, max_retries=0)
    async def work() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            told.note("cancelled")
            raise

    work.send()
    with working(broker):
        told.wait_for(1)
        wait_until_empty(broker)
    assert len(dead_letters(broker)) == 1


def test_without_a_time_limit_an_actor_may_take_its_time(redis_url: str, namespace: str) -> None:
    broker = Broker(url=redis_url, namespace=namespace, middleware=[TimeLimit(time_limit=100)])
    ran = Calls()
    work = declare(
        broker, lambda: linger(0.5) or ran.note(), actor_name="work", time_limit=float("inf"), max_retries=0
    )
    work.send()
    with working(broker):
        ran.wait_for(1)
    broker.close()


@pytest.mark.parametrize("place", ["actor", "message", "broker"])
def test_an_actor_that_asks_for_it_is_told_when_its_worker_is_stopped(broker: Any, place: str) -> None:
    if place == "broker":
        (there,) = (each for each in broker.middleware if isinstance(each, ShutdownNotifications))
        there.notify_shutdown = True
    begun, told = Calls(), Calls()

    def work() -> None:
        begun.note()
        try:
            linger(10)
        except Shutdown:
            told.note("cleaned up")

    options = {"notify_shutdown": True}
    actor = declare(broker, work, **(options if place == "actor" else {}))
    actor.send_with_options(**(options if place == "message" else {}))
    with working(broker):
        begun.wait_for(1)
    assert told.made == ["cleaned up"]
    wait_until_empty(broker)


def test_an_actor_that_does_not_ask_is_let_finish(broker: Any) -> None:
    begun, done = Calls(), Calls()

    def work() -> None:
        begun.note()
        linger(0.5)
        done.note()

    declare(broker, work).send()
    with working(broker):
        begun.wait_for(1)
    assert len(done.made) == 1
    wait_until_empty(broker)


def test_a_run_that_a_stop_broke_off_is_done_by_the_next_worker(broker: Any) -> None:
    begun, done = Calls(), Calls()

    @dramatiq.actor(notify_shutdown=True, max_retries=1, min_backoff=500, max_backoff=500)
    def work() -> None:
        if begun.note() == 1:
            linger(10)
        done.note()

    work.send()
    with working(broker):
        begun.wait_for(1)
    assert done.made == []
    with working(broker):
        done.wait_for(1)
        wait_until_empty(broker)
    assert dead_letters(broker) == []


def test_what_a_stop_broke_off_burns_no_attempt_as_it_does_elsewhere(ours: Broker) -> None:
    begun, done = Calls(), Calls()

    @dramatiq.actor(notify_shutdown=True, max_retries=0)
    def work() -> None:
        if begun.note() < 3:
            linger(10)
        done.note()

    work.send()
    for number in (1, 2):
        with working(ours):
            begun.wait_for(number)
    with working(ours):
        done.wait_for(1)
        wait_until_empty(ours)
    assert dead_letters(ours) == []


def test_what_a_worker_has_fetched_and_not_begun_goes_back_when_it_stops(broker: Any) -> None:
    begun, done = Calls(), Calls()

    def work(number: int) -> None:
        begun.note(number)
        linger(0.3)
        done.note(number)

    actor = declare(broker, work)
    for number in range(8):
        actor.send(number)
    with working(broker, threads=1):
        begun.wait_for(1)
    wait_for(lambda: left_over(broker) == 8 - len(done.made))
    assert begun.made == done.made
    assert len(done.made) <= 2
    with working(broker, threads=8):
        wait_until_empty(broker)
    assert sorted(done.made) == list(range(8))
