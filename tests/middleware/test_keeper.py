"""Signs of life, and the messages of workers that give none any more."""

import json
import threading
import time
from uuid import uuid4

import dramatiq
import pytest

from callboard.middleware import keeper
from callboard.middleware.broker import Broker
from callboard.middleware.scripts import load_script
from helpers.waiting import wait_for
from helpers.workers import (
    Calls,
    another_broker,
    declare,
    events,
    final_event,
    final_events,
    held,
    stock_broker,
    wait_until_empty,
    working,
)

DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def quick_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round every 0.2 s instead of every 5."""
    monkeypatch.setattr(keeper, "ROUND", 0.2)


def die_holding(broker: Broker, *messages: dramatiq.Message, queue: str = "default") -> Broker:
    """A worker that takes messages off a queue and is never heard of again."""
    return die_holding_payloads(broker, *(message.encode() for message in messages), queue=queue)


def die_holding_payloads(broker: Broker, *payloads: bytes, queue: str = "default") -> Broker:
    """The same, whatever it had taken."""
    dead = another_broker(broker)
    for payload in payloads:
        redis_id = str(uuid4())
        broker.client.hset(broker.keys.messages(queue), redis_id, payload)
        broker.client.sadd(broker.keys.acks(dead.broker_id, queue), redis_id)
    silence(dead, 60_000)
    return dead


def silence(broker: Broker, ms: int) -> None:
    """Let a worker's last sign of life be so long ago."""
    broker.client.zadd(broker.keys.heartbeats, {broker.broker_id: int(time.time() * 1000) - ms})


def test_a_worker_is_known_while_it_lives_and_forgotten_when_it_leaves(broker: Broker) -> None:
    declare(broker, lambda: None, actor_name="job", queue_name="mail")
    with working(broker, threads=3):
        described = wait_for(lambda: broker.client.hget(broker.keys.workers, broker.broker_id))
        description = json.loads(described)
        assert (description["threads"], description["queues"]) == (3, ["mail"])
        first = wait_for(lambda: broker.client.zscore(broker.keys.heartbeats, broker.broker_id))
        wait_for(lambda: broker.client.zscore(broker.keys.heartbeats, broker.broker_id) > first)
    assert broker.client.hgetall(broker.keys.workers) == {}
    assert broker.client.zscore(broker.keys.heartbeats, broker.broker_id) is None


def test_the_description_says_when_the_worker_began_however_often_it_is_renewed(broker: Broker) -> None:
    begun = time.time() * 1000
    with working(broker):
        seen = set()
        for _ in range(3):
            broker.client.hdel(broker.keys.workers, broker.broker_id)
            value = wait_for(lambda: broker.client.hget(broker.keys.workers, broker.broker_id))
            seen.add(json.loads(value)["started_at"])
    assert len(seen) == 1
    assert 0 <= seen.pop() - begun < 20_000


def test_the_messages_of_a_dead_worker_run_elsewhere_and_its_loss_is_recorded(broker: Broker) -> None:
    # Given a worker that died with two messages in its hands
    @dramatiq.actor(max_retries=0)
    def work(number: int) -> int:
        return number

    messages = [work.message(number) for number in range(2)]
    dead = die_holding(broker, *messages)

    # When another one looks around
    with working(broker):
        found = final_events(broker, 2)
        wait_until_empty(broker)

    # Then both have run, and the record knows what happened
    assert sorted(event["res"] for event in found) == [0, 1]
    lost = events(broker, "lost")
    assert {(event["id"], event["w"], event["n"]) for event in lost} == {
        (message.message_id, dead.broker_id, 1) for message in messages
    }
    assert held(dead) == set()


def test_rescued_messages_come_before_those_that_were_sent_later(broker: Broker) -> None:
    order = Calls()
    declare(broker, order.note, actor_name="work", max_retries=0)
    work = broker.get_actor("work")
    die_holding(broker, work.message("early"))
    for _ in range(5):
        work.send("late")
    rescue = load_script(broker.client, "rescue")
    rescue(keys=[broker.namespace], args=["anybody", 15_000, "", "default"])
    with working(broker, threads=1):
        order.wait_for(6)
    assert order.made[0] == "early"


def test_delayed_messages_of_a_dead_worker_keep_their_time_and_count_as_no_loss(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def later() -> None:
        pass

    message = later.message()
    broker.enqueue(message, delay=600)
    dead = another_broker(broker)
    assert len(dead.fetch("default.DQ", 1)) == 1
    silence(dead, 60_000)
    with working(broker):
        event = final_event(broker, message)
    assert event["sta"] >= event["at"] + 600
    assert events(broker, "lost") == []


def test_a_worker_that_is_alive_keeps_its_messages(broker: Broker) -> None:
    # Given a worker busy for longer than the time after which a silent one counts as dead
    release, started = threading.Event(), Calls()

    def work() -> None:
        started.note()
        release.wait(10)

    busy = another_broker(broker, heartbeat_timeout=600)
    other = another_broker(broker, heartbeat_timeout=600)
    for each in (busy, other):
        declare(each, work, max_retries=0)
    message = busy.enqueue(busy.get_actor("work").message())
    with working(busy, threads=1):
        started.wait_for(1)
        with working(other, threads=1):
            time.sleep(1.5)
            release.set()
            final_event(broker, message)
    assert len(started.made) == 1
    assert events(broker, "lost") == []


def test_a_dead_stock_workers_messages_are_rescued_too(broker: Broker) -> None:
    declare(broker, lambda: None, actor_name="work", max_retries=0)
    stock = stock_broker(broker)
    message = broker.enqueue(broker.get_actor("work").message())
    assert len(stock.do_fetch("default", 1)) == 1
    stock.client.zadd(broker.keys.heartbeats, {stock.broker_id: 1})
    with working(broker):
        assert final_event(broker, message)["s"] == "succeeded"


def test_a_dead_stock_worker_is_looked_after_by_stock_ones_by_chance_only(broker: Broker) -> None:
    # Given the same, and a stock worker with the usual chance of maintenance: one in a thousand commands
    stock, dead = stock_broker(broker), stock_broker(broker)
    declare(stock, lambda: None, actor_name="work", max_retries=0)
    stock.enqueue(stock.get_actor("work").message())
    assert len(dead.do_fetch("default", 1)) == 1
    dead.client.zadd(broker.keys.heartbeats, {dead.broker_id: 1})
    assert stock.maintenance_chance == 1_000
    stock.maintenance_chance = 0
    with working(stock):
        time.sleep(1)
        assert len(held(dead)) == 1

        # Then the message moves only when that chance comes, whose expected wait is many minutes
        stock.maintenance_chance = 1_000_000
        wait_until_empty(stock)


NONSENSE = {
    "no message": b"no message",
    "no options": b'{"queue_name":"default","actor_name":"work","args":[],"kwargs":{},"options":null,'
    b'"message_id":"x","message_timestamp":1}',
    "odd retries": b'{"queue_name":"default","actor_name":"work","args":[],"kwargs":{},'
    b'"options":{"retries":"many"},"message_id":"x","message_timestamp":1}',
}


@pytest.mark.parametrize("payload", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_in_the_hands_of_a_dead_worker_does_not_stop_the_signs_of_life(
    broker: Broker, payload: bytes
) -> None:
    # Given a dead worker that held something that is no message
    declare(broker, lambda: None, actor_name="work", max_retries=0)
    die_holding_payloads(broker, payload)

    # When it is rescued
    with working(broker):
        wait_until_empty(broker)
        before = broker.client.zscore(broker.keys.heartbeats, broker.broker_id)

        # Then the rescuer lives on, and rescues the next one
        wait_for(lambda: broker.client.zscore(broker.keys.heartbeats, broker.broker_id) > before)
        message = broker.get_actor("work").message()
        die_holding(broker, message)
        assert final_event(broker, message)["s"] == "succeeded"


def test_what_a_dead_worker_held_of_queues_that_nobody_serves_waits_for_whoever_serves_them(
    broker: Broker,
) -> None:
    # Given a worker that died two days ago, holding a message of a queue that today's workers do not serve
    declare(broker, lambda: None, actor_name="work", queue_name="rare", max_retries=0)
    message = broker.get_actor("work").message()
    dead = die_holding(broker, message, queue="rare")
    silence(dead, 2 * DAY_MS)
    others = another_broker(broker)
    declare(others, lambda: None, actor_name="other", queue_name="common", max_retries=0)
    with working(others):
        time.sleep(0.6)
        assert held(dead, "rare") != set()

    # When somebody serves it again, then it runs
    with working(broker):
        assert final_event(broker, message)["s"] == "succeeded"


def test_a_dead_worker_that_holds_nothing_is_forgotten_after_a_day(broker: Broker) -> None:
    broker.declare_queue("default")
    now = int(time.time() * 1000)
    broker.client.zadd(broker.keys.heartbeats, {"yesterday": now - 2 * DAY_MS, "today": now - 60_000})
    broker.client.hset(broker.keys.workers, mapping={"yesterday": "{}", "today": "{}"})
    with working(broker):
        wait_for(lambda: broker.client.zscore(broker.keys.heartbeats, "yesterday") is None)
        assert broker.client.zscore(broker.keys.heartbeats, "today") is not None
        assert not broker.client.hexists(broker.keys.workers, "yesterday")


def test_a_worker_that_leaves_with_a_message_in_hand_leaves_it_to_the_others_at_once(broker: Broker) -> None:
    # Given a worker whose job does not end within its grace
    release, started = threading.Event(), Calls()

    def work() -> None:
        if started.note() == 1:
            release.wait(10)

    other = another_broker(broker)
    for each in (broker, other):
        declare(each, work, max_retries=0)
    message = broker.enqueue(broker.get_actor("work").message())
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=50)
    worker.start()
    started.wait_for(1)
    worker.stop(timeout=300)

    # Then another one runs it without waiting for a timeout
    with working(other, threads=1):
        assert final_event(broker, message, timeout=3)["w"] == other.broker_id
    release.set()
    assert len(started.made) == 2
