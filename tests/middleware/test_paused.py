"""What is paused does not begin, is not lost, burns nothing, and goes on."""

import json
import time

import dramatiq
import pytest
from dramatiq import Worker

from callboard.core.backoff import fixed
from callboard.middleware import switches
from callboard.middleware.broker import Broker
from callboard.middleware.parking import pause_lot
from helpers.waiting import wait_for
from helpers.workers import (
    Calls,
    another_broker,
    declare,
    final_event,
    final_events,
    held,
    left_over,
    run_events,
    wait_until_empty,
    working,
)


def pause(broker: Broker, what: str) -> None:
    """What the scheduler does when something is paused."""
    broker.client.hset(broker.keys.control, f"paused:{what}", json.dumps({"reason": "maintenance"}))
    broker.client.publish(broker.keys.signals, "control")


def resume(broker: Broker, what: str) -> None:
    """What it does when the pause ends."""
    broker.client.hdel(broker.keys.control, f"paused:{what}")
    broker.client.hset(broker.keys.control, switches.RESUMED, json.dumps({"at": time.time() * 1000}))
    broker.client.publish(broker.keys.signals, "control")


def waiting(broker: Broker, queue: str = "default") -> int:
    """How many messages lie in a queue."""
    count: int = broker.client.llen(broker.keys.queue(queue))
    return count


def test_a_paused_queue_is_left_alone_and_goes_on_where_it_was(broker: Broker) -> None:
    # Given two queues, one of them busy
    ran, others = Calls(), Calls()

    def work(number: int) -> None:
        ran.note(number)
        time.sleep(0.05)

    declare(broker, work, max_retries=0, queue_name="slow")
    declare(broker, others.note, actor_name="other", max_retries=0)
    broker.enqueue_many(broker.get_actor("work").message(number) for number in range(60))
    with working(broker, threads=2):
        ran.wait_for(4)

        # When the one is paused
        pause(broker, "queue:slow")
        wait_for(lambda: not held(broker, "slow") and waiting(broker, "slow"), 2, "nothing in hand")
        seen = len(ran.made)
        for _ in range(5):
            broker.get_actor("other").send()
        others.wait_for(5)
        time.sleep(0.3)

        # Then what had not begun lies in the queue, and the other one is served
        assert len(ran.made) == seen
        assert waiting(broker, "slow") == 60 - seen

        # And when it is resumed, each runs once, in its first attempt
        resume(broker, "queue:slow")
        found = [event for event in final_events(broker, 65, timeout=20) if event["job"] == "work"]
    assert sorted(ran.made) == list(range(60))
    assert {(event["s"], event["n"]) for event in found} == {("succeeded", 1)}


def test_when_everything_is_paused_no_queue_is_served(broker: Broker) -> None:
    ran = Calls()
    declare(broker, ran.note, actor_name="one", max_retries=0)
    declare(broker, ran.note, actor_name="two", max_retries=0, queue_name="second")
    with working(broker):
        pause(broker, "all:")
        wait_for(lambda: broker.is_paused("default"), 2)
        for name in ("one", "two"):
            broker.get_actor(name).send()
        time.sleep(0.5)
        assert (ran.made, waiting(broker), waiting(broker, "second")) == ([], 1, 1)
        begun = time.monotonic()
        resume(broker, "all:")
        ran.wait_for(2)
        assert time.monotonic() - begun < 5


def test_a_worker_that_has_not_heard_of_a_pause_takes_nothing_either(broker: Broker) -> None:
    # Given a pause that nobody was told of
    ran = Calls()
    declare(broker, ran.note, actor_name="work", max_retries=0)
    with working(broker):
        broker.client.hset(broker.keys.control, "paused:queue:default", "{}")
        broker.get_actor("work").send()
        time.sleep(0.3)

        # Then it holds all the same
        assert (ran.made, waiting(broker)) == ([], 1)


def test_a_worker_that_starts_into_a_pause_waits_for_its_end(broker: Broker) -> None:
    ran = Calls()
    declare(broker, ran.note, actor_name="work", max_retries=0)
    broker.get_actor("work").send()
    pause(broker, "queue:default")
    with working(broker):
        time.sleep(0.3)
        assert ran.made == []
        resume(broker, "queue:default")
        ran.wait_for(1, timeout=2)


def test_the_runs_of_a_paused_job_are_parked_and_go_on_in_their_order(broker: Broker) -> None:
    # Given a paused job among others of its queue
    ran, others = Calls(), Calls()

    def work(number: int) -> None:
        ran.note(number)

    declare(broker, work, max_retries=3, backoff=fixed(1))
    declare(broker, others.note, actor_name="other", max_retries=0)
    pause(broker, "job:work")
    with working(broker, threads=1):
        broker.enqueue_many(broker.get_actor("work").message(number) for number in range(40))
        broker.get_actor("other").send()

        # Then the others go on, and its runs pile up where they can be counted
        others.wait_for(1)
        parked = broker.keys.lot(pause_lot("work"))
        wait_for(lambda: broker.client.llen(parked) == 40)
        assert int(broker.client.hget(broker.keys.parked, "default") or 0) == 40
        assert ran.made == []

        # And after the pause each has its first attempt, the oldest first
        resume(broker, "job:work")
        found = [event for event in final_events(broker, 41) if event["job"] == "work"]
        wait_until_empty(broker)
    assert ran.made == list(range(40))
    assert {(event["s"], event["n"]) for event in found} == {("succeeded", 1)}
    assert int(broker.client.hget(broker.keys.parked, "default") or 0) == 0
    assert broker.client.exists(parked, broker.keys.lots) == 0


def test_a_run_that_waits_for_a_retry_waits_for_the_end_of_the_pause_as_well(broker: Broker) -> None:
    attempts = Calls()

    @dramatiq.actor(max_retries=3, backoff=fixed(200))
    def work() -> None:
        if attempts.note() == 1:
            raise ConnectionError("try again")

    message = work.send()
    with working(broker):
        attempts.wait_for(1)
        pause(broker, "job:work")
        time.sleep(0.6)
        assert len(attempts.made) == 1
        resume(broker, "job:work")
        event = final_event(broker, message)
    assert (event["s"], event["n"]) == ("succeeded", 2)


def test_a_run_under_way_is_not_touched_by_a_pause(broker: Broker) -> None:
    started = Calls()

    @dramatiq.actor(max_retries=0)
    def work() -> None:
        started.note()
        time.sleep(0.5)

    message = work.send()
    with working(broker):
        started.wait_for(1)
        pause(broker, "all:")
        assert final_event(broker, message)["s"] == "succeeded"


def test_a_worker_that_stops_during_a_pause_leaves_everything_to_the_next(broker: Broker) -> None:
    # Given a paused queue and a paused job, with messages of both kinds
    ran = Calls()
    declare(broker, ran.note, actor_name="work", max_retries=0)
    pause(broker, "job:work")
    with working(broker):
        broker.enqueue_many(broker.get_actor("work").message(number) for number in range(5))
        wait_for(lambda: broker.client.llen(broker.keys.lot(pause_lot("work"))) == 5)
    assert left_over(broker) == 5

    # When the pause ends while no worker is there, and then one starts
    resume(broker, "job:work")
    other = another_broker(broker)
    declare(other, ran.note, actor_name="work", max_retries=0)
    with working(other):
        ran.wait_for(5)
    assert sorted(ran.made) == list(range(5))


def test_an_order_to_end_a_run_is_not_forgotten_while_anything_is_paused(
    broker: Broker,
) -> None:
    # Given a run that was cancelled long ago, and is still in a paused queue
    ran = Calls()
    declare(broker, ran.note, actor_name="work", max_retries=0)
    message = broker.get_actor("work").send()
    order = {"state": "cancelled", "reason": "no longer needed", "by": "alice"}
    long_ago = (time.time() - switches.ENDED_KEPT - 60) * 1000
    broker.client.hset(broker.keys.ended, message.message_id, json.dumps({**order, "at": long_ago}))
    pause(broker, "queue:default")
    with working(broker):
        time.sleep(0.2)
        resume(broker, "queue:default")
        event = final_event(broker, message)
    assert (event["s"], event["why"]) == ("cancelled", "no longer needed")
    assert ran.made == []
    assert len(run_events(broker, message)) == 1


def test_dramatiqs_own_pause_is_why_there_is_another(broker: Broker) -> None:
    # Given a stock worker, paused: it gives no sign of life any more, so that others take what it works on
    from dramatiq.brokers.redis import RedisBroker

    stock = RedisBroker(url=broker.url, namespace=f"{broker.namespace}s", middleware=[])
    started = Calls()

    def work() -> None:
        started.note()
        time.sleep(0.3)

    dramatiq.actor(work, broker=stock)
    worker = Worker(stock, worker_threads=1, worker_timeout=50)
    worker.start()
    try:
        worker.pause()
        key = f"{stock.namespace}:__heartbeats__"
        before = stock.client.zscore(key, stock.broker_id)
        time.sleep(1.2)
        assert stock.client.zscore(key, stock.broker_id) == before
    finally:
        worker.resume()
        worker.stop(timeout=2_000)


def test_that_a_message_waits_is_not_told_as_if_it_were_skipped(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    declare(broker, lambda: None, actor_name="work", max_retries=0)
    pause(broker, "job:work")
    with working(broker):
        message = broker.get_actor("work").send()
        wait_for(lambda: broker.client.llen(broker.keys.lot(pause_lot("work"))) == 1)
        assert "skipped" not in caplog.text
        resume(broker, "job:work")
        final_event(broker, message)
