"""A run that has waited for too long to matter is skipped; one that has begun is seen through."""

import time
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from periodiq import PeriodiqMiddleware, cron

from callboard.core.backoff import fixed
from callboard.middleware.broker import Broker
from helpers.workers import Calls, declare, final_event, stock_broker, wait_until_empty, working


def ago(seconds: float) -> int:
    """A moment in the past, in ms since the epoch."""
    return int((time.time() - seconds) * 1000)


def test_a_run_that_comes_too_late_after_its_slot_is_skipped_with_a_reason(broker: Broker) -> None:
    # Given a job that matters for ten seconds after its time, and a slot of half a minute ago
    @dramatiq.actor(max_retries=0, stale_after=10_000)
    def greet() -> None:
        raise AssertionError("it ran")

    message = broker.enqueue(greet.message().copy(options={"due_at": ago(30)}))
    with working(broker):
        event = final_event(broker, message)

    # Then it never ran, and says how old it was
    assert event["s"] == "skipped"
    assert event["why"].startswith("stale: 30.")
    assert event["why"].endswith("and may be 10 s at most")
    assert "sta" not in event


def test_a_run_without_a_slot_is_as_old_as_its_message_or_as_the_end_of_its_delay(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0, stale_after=1_000)
    def greet() -> None:
        pass

    late = greet.message()
    late = broker.enqueue(
        dramatiq.Message(
            late.queue_name, late.actor_name, late.args, late.kwargs, late.options, late.message_id, ago(5)
        )
    )
    delayed = greet.send_with_options(delay=1_500)
    with working(broker):
        assert final_event(broker, late)["s"] == "skipped"
        assert final_event(broker, delayed)["s"] == "succeeded"


def test_a_retry_is_never_stale(broker: Broker) -> None:
    # Given a job whose retry comes long after its slot has ceased to matter
    attempts = Calls()

    @dramatiq.actor(max_retries=1, backoff=fixed(600), stale_after=500)
    def greet() -> None:
        if attempts.note() == 1:
            raise ConnectionError

    message = broker.enqueue(greet.message().copy(options={"due_at": ago(0)}))
    with working(broker):
        event = final_event(broker, message)
    assert (event["s"], event["n"]) == ("succeeded", 2)


def test_without_the_option_nothing_is_stale_however_late(broker: Broker) -> None:
    # Given the cron run of a backlog of a day
    @dramatiq.actor(max_retries=0)
    def greet() -> None:
        pass

    options = {"due_at": ago(86_400), "trigger": "schedule", "schedule_id": 1}
    message = broker.enqueue(greet.message().copy(options=options))
    with working(broker):
        assert final_event(broker, message)["s"] == "succeeded"


def test_a_message_may_have_a_limit_of_its_own(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def greet() -> None:
        raise AssertionError("it ran")

    message = broker.enqueue(greet.message().copy(options={"due_at": ago(5), "stale_after": 1_000}))
    with working(broker):
        assert final_event(broker, message)["s"] == "skipped"


def periodiq_broker(broker: Broker, *, skip_delay: int) -> RedisBroker:
    """A stock broker with stock Periodiq on the same queues."""
    stock = stock_broker(broker)
    stock.add_middleware(PeriodiqMiddleware(skip_delay=skip_delay))
    return stock


def scheduled_at(seconds_ago: float) -> str:
    """What Periodiq's scheduler writes into a message."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds_ago))


def test_stock_periodiq_drops_what_has_waited_for_half_a_minute_without_a_trace(broker: Broker) -> None:
    # Given a backlog of 31 seconds in front of a cron run
    stock, ran = periodiq_broker(broker, skip_delay=30), Calls()
    work = declare(stock, ran.note, actor_name="work", max_retries=0, periodic=cron("* * * * *"))
    stock.enqueue(work.message().copy(options={"scheduled_at": scheduled_at(31)}))

    # When the worker comes to it, then it is gone: not run, not dead
    with working(stock):
        wait_until_empty(stock)
    assert ran.made == []
    assert stock.client.zcard(f"{stock.namespace}:default.XQ") == 0


def test_stock_periodiq_drops_the_retry_of_a_cron_run(broker: Broker) -> None:
    # Given a cron run that fails, and whose retry comes after the delay (here of one second)
    stock, attempts = periodiq_broker(broker, skip_delay=1), Calls()

    def work() -> None:
        attempts.note()
        raise ConnectionError

    declare(stock, work, max_retries=3, min_backoff=2_500, max_backoff=2_500, periodic=cron("* * * * *"))
    options: dict[str, Any] = {"scheduled_at": scheduled_at(0)}
    stock.enqueue(stock.get_actor("work").message().copy(options=options))

    # When its time comes, then it is dropped as too old, with three retries left
    with working(stock):
        attempts.wait_for(1)
        wait_until_empty(stock)
    assert len(attempts.made) == 1
    assert stock.client.zcard(f"{stock.namespace}:default.XQ") == 0


def test_periodiqs_middleware_is_left_out_of_our_broker_and_its_messages_run(broker: Broker) -> None:
    # Given an application that still brings it, and a message of its scheduler from a minute ago
    ours = Broker(url=broker.url, namespace=broker.namespace, middleware=[PeriodiqMiddleware()])
    assert not any(isinstance(middleware, PeriodiqMiddleware) for middleware in ours.middleware)

    @dramatiq.actor(max_retries=0)
    def work() -> None:
        pass

    message = broker.enqueue(work.message().copy(options={"scheduled_at": scheduled_at(60)}))
    with working(broker):
        assert final_event(broker, message)["s"] == "succeeded"
    ours.close()
