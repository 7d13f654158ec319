"""A job that takes too long is ended, and nothing else is."""

import asyncio
import random
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import dramatiq
import pytest
import time_machine
from dramatiq.middleware import Middleware, Shutdown, TimeLimit, TimeLimitExceeded

from callboard.core.backoff import fixed
from callboard.middleware import watch
from callboard.middleware.broker import Broker
from callboard.middleware.time_limit import TimeLimit as OurTimeLimit
from helpers.workers import (
    Calls,
    dead_letters,
    declare,
    events,
    final_event,
    final_events,
    held,
    left_over,
    linger,
    run_events,
    stock_broker,
    threads_alive,
    wait_until_empty,
    working,
)


def test_a_job_is_interrupted_shortly_after_its_limit(broker: Broker) -> None:
    # Given a job of 200 ms that would go on for ever
    @dramatiq.actor(max_retries=0, time_limit=200)
    def overrun() -> None:
        linger(30)

    # When it runs
    with working(broker):
        found = [final_event(broker, overrun.send()) for _ in range(3)]

    # Then it has ended within a fifth of a second after the limit, and says why
    for event in found:
        assert event["s"] == "failed"
        assert event["err"][:2] == ["TimeLimitExceeded", "Job timeout after 0.2 seconds"]
        assert "linger" in event["err"][2]
        assert event["lim"] == 200
        assert event["ms"] >= 200
    assert min(event["ms"] for event in found) < 400
    assert len(dead_letters(broker)) == 3


def test_stock_dramatiq_interrupts_up_to_a_second_late(broker: Broker) -> None:
    # Given a stock worker with the same job; its limits begin with the process, which only its CLI starts
    stock = stock_broker(broker)
    ran = Calls()

    def overrun() -> None:
        begun = time.monotonic()
        try:
            linger(3)
        finally:
            ran.note(time.monotonic() - begun)

    declare(stock, overrun, max_retries=0, time_limit=100)
    stock.emit_after("process_boot")
    with working(stock, threads=1):
        for _ in range(2):
            stock.enqueue(stock.get_actor("overrun").message())
        ran.wait_for(2)

    # Then the one that began right after a look of the limit's ran for ten times its limit
    assert ran.made[1] > 0.7


def test_stock_dramatiq_knows_no_limits_in_a_worker_that_its_cli_has_not_started(broker: Broker) -> None:
    stock, ran = stock_broker(broker), Calls()

    def overrun() -> None:
        linger(1.3)
        ran.note()

    declare(stock, overrun, max_retries=0, time_limit=50)
    with working(stock, threads=1):
        stock.enqueue(stock.get_actor("overrun").message())
        ran.wait_for(1)


@pytest.mark.alone
def test_an_async_job_is_interrupted_too(broker: Broker) -> None:
    cleaned = Calls()

    @dramatiq.actor(max_retries=0, time_limit=200)
    async def overrun() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            cleaned.note()

    with working(broker):
        event = final_event(broker, overrun.send())
    assert (event["s"], event["err"][0]) == ("failed", "TimeLimitExceeded")
    assert 200 <= event["ms"] < 700
    assert cleaned.made == [None]


def test_a_job_that_was_interrupted_is_tried_again_like_any_that_failed(broker: Broker) -> None:
    attempts = Calls()

    @dramatiq.actor(max_retries=1, backoff=fixed(1), time_limit=100)
    def recover() -> str:
        if attempts.note() == 1:
            linger(30)
        return "in time"

    message = recover.send()
    with working(broker):
        event = final_event(broker, message)
    assert (event["s"], event["n"], event["res"]) == ("succeeded", 2, "in time")
    (first, *_) = (event for event in run_events(broker, message) if event["s"] == "pending")
    assert first["err"][0] == "TimeLimitExceeded"


def test_a_message_may_have_a_limit_of_its_own_and_a_job_none(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0, time_limit=60_000)
    def patient() -> None:
        linger(30)

    @dramatiq.actor(max_retries=0, time_limit=float("inf"))
    def unlimited() -> None:
        linger(0.1)

    hurried = patient.send_with_options(time_limit=100)
    free = unlimited.send()
    with working(broker):
        ended, done = final_event(broker, hurried), final_event(broker, free)
    assert (ended["s"], ended["lim"]) == ("failed", 100)
    assert done["s"] == "succeeded"
    assert "lim" not in done


def test_the_limit_of_an_applications_own_middleware_is_kept() -> None:
    broker = Broker(middleware=[TimeLimit(time_limit=1_234)])
    (ours,) = (m for m in broker.middleware if isinstance(m, TimeLimit))
    assert isinstance(ours, OurTimeLimit)
    assert ours.time_limit == 1_234


def test_the_limit_counts_from_the_start_of_the_function_and_not_from_the_wait(broker: Broker) -> None:
    # Given two jobs that share one thread, each well within its limit
    @dramatiq.actor(max_retries=0, time_limit=800)
    def work() -> None:
        linger(0.5)

    first, second = work.send(), work.send()
    with working(broker, threads=1):
        assert final_event(broker, first)["s"] == final_event(broker, second)["s"] == "succeeded"


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(days=-1)], ids=["forward", "back"])
def test_a_clock_that_is_set_changes_no_limit(broker: Broker, step: timedelta) -> None:
    # Given a long job well within its limit, and one beyond it
    started = Calls()

    @dramatiq.actor(max_retries=0, time_limit=20_000)
    def work() -> None:
        started.note()
        linger(0.8)

    @dramatiq.actor(max_retries=0, time_limit=1_000)
    def overrun() -> None:
        started.note()
        linger(30)

    message, other = work.send(), overrun.send()
    with working(broker):
        started.wait_for(2)

        # When the machine's clock is set by a day
        with time_machine.travel(datetime.now().astimezone() + step, tick=True):
            event, late = final_event(broker, message), final_event(broker, other)
    assert event["s"] == "succeeded"
    assert 800 <= event["ms"] < 5_000
    assert (late["s"], late["err"][0]) == ("failed", "TimeLimitExceeded")
    assert 1_000 <= late["ms"] < 5_000


def test_a_call_that_does_not_return_to_python_is_interrupted_when_it_does(broker: Broker) -> None:
    reached = Calls()

    @dramatiq.actor(max_retries=0, time_limit=100)
    def block() -> None:
        time.sleep(0.6)
        reached.note()

    with working(broker):
        event = final_event(broker, block.send())
    assert (event["s"], event["err"][0]) == ("failed", "TimeLimitExceeded")
    assert event["ms"] >= 600
    assert reached.made == []


class Slow(Middleware):
    """An application's own hook that takes its time behind the actor, in Python."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.hit: list[BaseException] = []

    def after_process_message(self, broker: Any, message: Any, **outcome: Any) -> None:
        try:
            linger(self.seconds)
        except BaseException as error:
            self.hit.append(error)
            raise


def test_a_limit_that_passes_in_the_hooks_behind_the_actor_changes_nothing(broker: Broker) -> None:
    # Given a job that succeeds in time, and a hook behind it that lasts beyond the limit
    ran, slow = Calls(), Slow(0.4)
    broker.add_middleware(slow)

    @dramatiq.actor(max_retries=2, backoff=fixed(1), time_limit=200)
    def work() -> None:
        ran.note()
        linger(0.05)

    with working(broker, threads=1) as worker:
        event = final_event(broker, work.send())
        time.sleep(0.2)
        assert threads_alive(worker) == 1
    assert event["s"] == "succeeded"
    assert len(ran.made) == 1
    assert slow.hit == []


def test_stock_dramatiq_turns_such_a_success_into_a_retry(broker: Broker) -> None:
    # Given the same under a stock worker
    stock, ran, slow = stock_broker(broker), Calls(), Slow(1.3)
    stock.add_middleware(slow)

    def work() -> None:
        ran.note()

    declare(stock, work, max_retries=1, min_backoff=1, max_backoff=1, time_limit=20)
    stock.emit_after("process_boot")
    stock.enqueue(stock.get_actor("work").message())
    with working(stock, threads=1):
        # Then the job runs again, although it has succeeded
        ran.wait_for(2)
    assert isinstance(slow.hit[0], TimeLimitExceeded)


def test_dramatiqs_own_interrupts_go_on_working_beside_ours(broker: Broker) -> None:
    # Given a job that asked to be told when its worker shuts down
    started, told = Calls(), Calls()

    @dramatiq.actor(max_retries=0, notify_shutdown=True)
    def work() -> None:
        started.note()
        try:
            linger(10)
        except Shutdown:
            told.note()
            raise

    message = work.send()
    with working(broker):
        started.wait_for(1)
        begun = time.monotonic()

    # When that happens, then it was told
    assert len(told.made) == 1
    assert time.monotonic() - begun < 5
    # and that is no failed attempt: its run goes again
    assert [event["s"] for event in run_events(broker, message) if "fin" in event] == []
    (lost,) = events(broker, "lost")
    assert (lost["id"], lost["n"], lost["err"][0]) == (message.message_id, 1, "Shutdown")
    assert left_over(broker) == 1
    with working(broker):
        started.wait_for(2)
    assert len(told.made) == 2


def test_hundreds_of_jobs_that_last_about_as_long_as_they_may(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given limits that are enforced at any moment, jobs that end at about the same moment, and a busy hook
    monkeypatch.setattr(watch, "TICK", 0.001)
    limit, count, threads = 40, 400, 8
    slow = Slow(0.002)
    broker.add_middleware(slow)
    chance = random.Random(7)

    @dramatiq.actor(max_retries=0, time_limit=limit)
    def race(seconds: float) -> str:
        linger(seconds)
        return "in time"

    messages = [race.message(limit / 1000 + chance.uniform(-0.012, 0.012)) for _ in range(count)]
    broker.enqueue_many(messages)

    # When they run
    with working(broker, threads=threads) as worker:
        found = final_events(broker, count, timeout=60)
        wait_until_empty(broker)
        assert threads_alive(worker) == threads

    # Then every one has exactly one end, one of the two that there may be, and nothing else was hit
    assert sorted(event["id"] for event in found) == sorted(message.message_id for message in messages)
    outcomes = {(event["s"], event.get("err", [None])[0], event.get("res")) for event in found}
    assert outcomes == {("succeeded", None, "in time"), ("failed", "TimeLimitExceeded", None)}
    assert all(event["ms"] >= limit for event in found if event["s"] == "failed")
    assert slow.hit == []
    assert held(broker) == set()
    assert threading.main_thread().is_alive()
    assert len(events(broker, "lost")) == 0
