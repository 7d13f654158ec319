"""Putting messages onto queues, one and many, once and in order."""

import time
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq import Message
from dramatiq.errors import ConnectionClosed
from dramatiq.middleware import AgeLimit, Middleware
from dramatiq.results import Results

from callboard.core.errors import BadInput
from callboard.core.limits import MAX_MESSAGE_BYTES
from callboard.middleware.broker import BULK, Broker
from callboard.middleware.retries import Retries
from callboard.middleware.scripts import load_script
from helpers.queues import queued
from helpers.workers import (
    Calls,
    another_broker,
    dead_letters,
    declare,
    events,
    final_event,
    final_events,
    left_over,
    stock_broker,
    wait_until_empty,
    working,
)


def messages(count: int, actor: str = "work", queue: str = "default") -> list[Message[Any]]:
    """So many messages, each with its number."""
    return [Message(queue, actor, (number,), {}, {}) for number in range(count)]


def test_messages_put_in_bulk_keep_their_order_over_all_batches(broker: Broker) -> None:
    count = 2 * BULK + 7
    assert broker.enqueue_many(messages(count)) == count
    assert [message.args[0] for message in queued(broker)] == list(range(count))


def test_messages_put_in_bulk_may_be_for_several_queues_and_delayed(broker: Broker) -> None:
    declare(broker, lambda number: number, actor_name="work", max_retries=0)
    declare(broker, lambda number: number, actor_name="mail", queue_name="mail", max_retries=0)
    later = Message("default", "work", (9,), {}, {"eta": int(time.time() * 1000) + 300})
    broker.enqueue_many([*messages(2), *messages(2, "mail", "mail"), later])
    with working(broker):
        found = final_events(broker, 5)
    assert sorted((event["q"], event["res"]) for event in found) == [
        ("default", 0), ("default", 1), ("default", 9), ("mail", 0), ("mail", 1),
    ]  # fmt: skip
    (delayed,) = (event for event in found if event["res"] == 9)
    assert delayed["sta"] >= delayed["at"] + 290


def test_a_message_that_is_far_too_large_is_refused_when_it_is_sent(broker: Broker) -> None:
    large = Message("default", "work", ("x" * MAX_MESSAGE_BYTES,), {}, {})
    for send in (broker.enqueue, lambda message: broker.enqueue_many([*messages(2), message])):
        with pytest.raises(BadInput, match=r"for work takes 16,777,4\d\d bytes, and at most 16,777,216"):
            send(large)
    assert queued(broker) == []


def test_what_was_sent_once_is_not_sent_again(broker: Broker) -> None:
    # Given messages sent by a relay that crashed before it could note that they were sent
    first = messages(3)
    assert broker.enqueue_many(first, once=True) == 3

    # When it sends them again, with a new one
    again = [*first, *messages(1)]
    assert broker.enqueue_many(again, once=True) == 1

    # Then each lies in the queue once, in any process's opinion
    assert another_broker(broker).enqueue_many(again, once=True) == 0
    assert len(queued(broker)) == 4
    assert 86_000 < broker.client.ttl(broker.keys.sent(first[0].message_id)) <= 86_400


def test_the_same_message_twice_in_one_bulk_is_sent_once(broker: Broker) -> None:
    (message,) = messages(1)
    assert broker.enqueue_many([message, message], once=True) == 1
    assert len(queued(broker)) == 1


def test_what_was_sent_once_is_not_sent_again_even_after_it_ran(broker: Broker) -> None:
    declare(broker, lambda number: number, actor_name="work", max_retries=0)
    (message,) = messages(1)
    broker.enqueue_many([message], once=True)
    with working(broker):
        final_event(broker, message)
        wait_until_empty(broker)
        assert broker.enqueue_many([message], once=True) == 0
    assert len(events(broker, "run")) == 1


def test_a_send_that_is_repeated_because_its_reply_was_lost_puts_one_message(broker: Broker) -> None:
    # Given the script that puts a message, called twice for one message as a client does after a lost reply
    (message,) = messages(1)
    script = load_script(broker.client, "enqueue")
    arguments = [60, 64, "default", "redis-id", message.encode(), "", ""]
    for _ in range(2):
        script(keys=[broker.namespace], args=arguments)

    # When a worker takes it, then it runs once
    ran = Calls()
    declare(broker, ran.note, actor_name="work", max_retries=0)
    with working(broker):
        wait_until_empty(broker)
        time.sleep(0.2)
    assert ran.made == [0]


def test_an_enqueue_that_redis_has_no_memory_for_fails_loudly_and_leaves_nothing(
    broker: Broker, redis_client: redis.Redis
) -> None:
    # Given a Redis without memory
    redis_client.config_set("maxmemory", "1")
    try:
        with pytest.raises(redis.OutOfMemoryError):
            broker.enqueue(messages(1)[0])
        with pytest.raises(redis.OutOfMemoryError):
            broker.enqueue_many(messages(3), once=True)
    finally:
        redis_client.config_set("maxmemory", "0")

    # Then no message, no mark and no token was left behind, and the next try counts
    assert redis_client.keys("*") == []
    assert broker.enqueue_many(messages(3), once=True) == 3


def test_a_redis_without_memory_for_a_moment_loses_and_doubles_nothing(
    broker: Broker, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a worker with jobs in its hands, some delayed, when the memory ends
    monkeypatch.setattr(dramatiq.worker, "CONSUMER_RESTART_DELAY_SECS", 0.2)

    @dramatiq.actor(max_retries=0)
    def work(number: int) -> int:
        time.sleep(0.02)
        return number

    for number in range(40):
        work.send_with_options(args=(number,), delay=400 if number % 2 else None)
    with working(broker, threads=2):
        final_events(broker, 3)
        redis_client.config_set("maxmemory", "1")
        try:
            time.sleep(0.3)
        finally:
            redis_client.config_set("maxmemory", "0")

        # Then all of them are done in the end, each recorded once
        found = final_events(broker, 40, timeout=20)
        wait_until_empty(broker)
    assert sorted(event["res"] for event in found) == list(range(40))


def test_a_message_cannot_be_delayed_by_more_than_a_week(broker: Broker) -> None:
    with pytest.raises(ValueError, match="seven days"):
        broker.enqueue(messages(1)[0], delay=8 * 86_400_000)


def test_without_redis_sending_fails_as_dramatiq_says() -> None:
    broker = Broker(url="unix:///nonexistent/valkey.sock")
    with pytest.raises(ConnectionClosed):
        broker.enqueue(messages(1)[0])


def test_large_messages_pass_and_do_not_stop_the_others(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def measure(text: str) -> int:
        return len(text)

    sizes = [10, 5_000_000, 10, 1_000_000]
    sent = [measure.send("x" * size) for size in sizes]
    with working(broker):
        assert [final_event(broker, message)["res"] for message in sent] == sizes


def test_stored_results_work_as_in_dramatiq(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0, store_results=True)
    def add(a: int, b: int) -> int:
        return a + b

    message = add.send(2, 3)
    with working(broker):
        assert message.get_result(block=True, timeout=5_000) == 5


def test_pipelines_and_callbacks_work_as_in_dramatiq(broker: Broker) -> None:
    told = Calls()

    @dramatiq.actor(max_retries=0)
    def double(number: int) -> int:
        return number * 2

    @dramatiq.actor(max_retries=0)
    def tell(data: Any, result: Any) -> None:
        told.note(result)

    pipe = double.message(1) | double.message() | double.message()
    pipe.run()
    with working(broker):
        found = final_events(broker, 3)
        double.send_with_options(args=(21,), on_success=tell)
        told.wait_for(1)
    # A part may be committed after the next one, which was sent before that.
    assert sorted(event["res"] for event in found) == [2, 4, 8]
    assert told.made == [42]


def test_an_applications_own_middleware_takes_its_place_and_none_is_there_twice() -> None:
    class Own(Middleware):
        pass

    own, age = Own(), AgeLimit(max_age=5)
    broker = Broker(middleware=[own, age, Results(backend=None)])
    kinds = [type(middleware) for middleware in broker.middleware]
    assert len(kinds) == len(set(kinds))
    assert own in broker.middleware
    assert age in broker.middleware
    assert kinds.index(Own) < kinds.index(Retries)


def test_a_message_that_was_dead_lettered_can_be_found_by_stock_tools(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def work() -> None:
        raise RuntimeError

    message = work.send()
    with working(broker):
        final_event(broker, message)
        wait_until_empty(broker)
    ((redis_id, at),) = broker.client.zrange(broker.keys.dead("default"), 0, -1, withscores=True)
    (payload,) = dead_letters(broker)
    assert abs(at - time.time() * 1000) < 10_000
    assert Message.decode(payload).options["redis_message_id"] == redis_id.decode()


def test_our_messages_run_on_a_stock_worker(broker: Broker) -> None:
    # Given messages of ours, plain, delayed and in bulk
    ran = Calls()
    declare(broker, ran.note, actor_name="work", max_retries=0)
    stock = stock_broker(broker)
    declare(stock, ran.note, actor_name="work", max_retries=0)
    work = broker.get_actor("work")
    work.send("plain")
    work.send_with_options(args=("delayed",), delay=100)
    broker.enqueue_many([work.message("bulk")], once=True)

    # When a stock worker serves the queue
    with working(stock):
        ran.wait_for(3)
        wait_until_empty(stock)
    assert sorted(ran.made) == ["bulk", "delayed", "plain"]


def test_stock_messages_run_on_our_worker(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = Calls()
    declare(broker, ran.note, actor_name="work", max_retries=0)
    stock = stock_broker(broker)
    work = declare(stock, ran.note, actor_name="work", max_retries=0)
    work.send("plain")
    work.send_with_options(args=("delayed",), delay=100)
    with working(broker):
        found = final_events(broker, 2)
        wait_until_empty(broker)
    assert sorted(ran.made) == ["delayed", "plain"]
    assert [event["s"] for event in found] == ["succeeded"] * 2


def test_stock_and_our_workers_share_one_queue_without_doing_anything_twice(broker: Broker) -> None:
    # Given a fleet in the middle of a change over
    ran = Calls()
    declare(broker, ran.note, actor_name="work", max_retries=0)
    stock = stock_broker(broker)
    declare(stock, ran.note, actor_name="work", max_retries=0)
    with working(stock), working(broker):
        for number in range(300):
            (broker if number % 2 else stock).enqueue(messages(300)[number])
        ran.wait_for(300)
        wait_until_empty(broker)
    assert sorted(ran.made) == list(range(300))


def test_a_retry_of_a_stock_worker_goes_on_under_ours(broker: Broker) -> None:
    # Given a run that has failed once under stock Dramatiq, whose retry waits
    attempts = Calls()

    def work() -> None:
        if attempts.note() == 1:
            raise ConnectionError

    stock = stock_broker(broker)
    declare(stock, work, max_retries=3, min_backoff=200, max_backoff=200)
    declare(broker, work, max_retries=3)
    message = stock.enqueue(stock.get_actor("work").message())
    with working(stock):
        attempts.wait_for(1)

    # When our worker takes over, then it is the second attempt
    with working(broker):
        event = final_event(broker, message)
    assert (event["s"], event["n"]) == ("succeeded", 2)
    assert left_over(broker) == 0
