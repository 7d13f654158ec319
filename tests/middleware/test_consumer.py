"""Taking messages off a queue: whatever lies in it, and however many wait."""

import json
import threading
import time
from typing import Any
from uuid import uuid4

import dramatiq
import pytest
from dramatiq import Message

from callboard.middleware.broker import Broker
from helpers.waiting import wait_for
from helpers.workers import (
    Calls,
    acks_key,
    another_broker,
    dead_letters,
    declare,
    events,
    final_event,
    final_events,
    held,
    left_over,
    run_events,
    stock_broker,
    threads_alive,
    wait_until_empty,
    working,
)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dramatiq waits three seconds before it replaces a consumer that has failed; no test needs that long."""
    monkeypatch.setattr(dramatiq.worker, "CONSUMER_RESTART_DELAY_SECS", 0.2)


def put(broker: Any, payload: bytes, queue: str = "default") -> str:
    """Put a payload onto a queue, as any producer might. Returns its Redis id."""
    redis_id = str(uuid4())
    broker.client.hset(f"{broker.namespace}:{queue}.msgs", redis_id, payload)
    broker.client.rpush(f"{broker.namespace}:{queue}", redis_id)
    return redis_id


def message_to(actor: str, **fields: Any) -> dict[str, Any]:
    """The fields of a message."""
    message = Message(queue_name="default", actor_name=actor, args=(), kwargs={}, options={})
    return {**message.asdict(), **fields}


UNDECODABLE = {
    "empty": b"",
    "no JSON": b"\x80\x04\x95 a pickle",
    "no UTF-8": b'{"queue_name": "\xff"}',
    "no object": b"[1, 2]",
    "no fields": b"{}",
    "half a character": json.dumps({**message_to("work"), "message_id": "\ud800"}).encode(),
    "an unknown field": json.dumps({**message_to("work"), "color": "red"}).encode(),
}


@pytest.mark.parametrize("payload", UNDECODABLE.values(), ids=UNDECODABLE.keys())
def test_an_undecodable_message_becomes_a_dead_letter_and_a_record(broker: Broker, payload: bytes) -> None:
    # Given a queue with a message that nobody can read, between two good ones
    done = Calls()

    @dramatiq.actor(max_retries=0)
    def work() -> None:
        done.note()

    work.send()
    redis_id = put(broker, payload)
    work.send()

    # When a worker takes them
    with working(broker, threads=1):
        event = final_event(broker, redis_id)
        done.wait_for(2)
        wait_until_empty(broker)

    # Then the record says what happened, the letter is kept as it was, and the others have run
    assert (event["s"], event["job"], event["q"]) == ("dead", "(undecodable)", "default")
    assert event["why"] == "the message cannot be decoded"
    assert event["err"][0] == "DecodeError"
    assert dead_letters(broker) == [payload]
    assert held(broker) == set()


def test_stock_dramatiq_keeps_an_undecodable_message_in_hand_for_ever(broker: Broker) -> None:
    # Given the same queue and a stock worker
    stock = stock_broker(broker)
    done = Calls()
    work = declare(stock, lambda: done.note(), actor_name="work", max_retries=0)
    redis_id = put(broker, b"no message")
    work.send()

    # When it meets the unreadable message, its consumer crashes
    with working(stock, threads=1):
        wait_for(lambda: redis_id in held(stock), what="the fetch")
        time.sleep(1.0)

        # Then the message is neither dead nor in the queue: it stays in the hands of a live worker
        assert dead_letters(stock) == []
        assert redis_id in held(stock)
        assert stock.client.llen(f"{stock.namespace}:default") == 0


def test_a_message_for_an_unknown_actor_becomes_a_dead_letter_and_a_record(broker: Broker) -> None:
    # Given a message for a job that this worker does not know
    @dramatiq.actor(max_retries=0)
    def work() -> None:
        pass

    message = broker.enqueue(Message("default", "forgotten", (1,), {}, {}))
    with working(broker, threads=1):
        event = final_event(broker, message)
        after = final_event(broker, work.send())

    # Then it is dead, and says whose it was
    assert (event["s"], event["job"], event["args"]) == ("dead", "forgotten", [1])
    assert "forgotten" in event["why"]
    assert event["err"][0] == "ActorNotFound"
    assert after["s"] == "succeeded"
    assert len(dead_letters(broker)) == 1


def test_arguments_of_an_older_version_of_the_job_are_its_failure(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def work(needed: int) -> None:
        pass

    message = broker.enqueue(Message("default", "work", (), {"old": 1}, {}))
    with working(broker, threads=1):
        event = final_event(broker, message)
    assert (event["s"], event["err"][0]) == ("failed", "TypeError")
    assert len(dead_letters(broker)) == 1


STRANGE = {
    "options that are none": {"options": None},
    "options that are a list": {"options": [1]},
    "retries that are no number": {"options": {"retries": "three"}},
    "negative retries": {"options": {"retries": -3}},
    "a priority that is no number": {"options": {"priority": "high", "broker_priority": {}}},
    "an eta that is no number": {"options": {"eta": "soon"}},
    "an eta of none": {"options": {"eta": None}},
    "a Redis id of another message": {"options": {"redis_message_id": "elsewhere"}},
    "an id that is no UUID": {"message_id": "order-17"},
    "an id that is a number": {"message_id": 17},
    "an id of none": {"message_id": None},
    "a timestamp of none": {"message_timestamp": None},
    "a timestamp that is text": {"message_timestamp": "yesterday"},
    "keywords that are none": {"kwargs": None},
    "keywords that are a list": {"kwargs": []},
    "another queue": {"queue_name": "elsewhere"},
    "a queue of none": {"queue_name": None},
    "an actor of none": {"actor_name": None},
    "an actor that is a list": {"actor_name": ["work"]},
}


@pytest.mark.parametrize("fields", STRANGE.values(), ids=STRANGE.keys())
def test_a_message_with_strange_fields_comes_to_some_end_and_harms_no_other(
    broker: Broker, fields: dict[str, Any]
) -> None:
    # Given a message that decodes and makes no sense, as a foreign or an older producer may write it
    @dramatiq.actor(max_retries=0)
    def work() -> None:
        pass

    put(broker, json.dumps(message_to("work", **fields)).encode())

    # When a worker takes it, and another message after it
    with working(broker, threads=2) as worker:
        wait_until_empty(broker)
        good = work.send()
        event = final_event(broker, good)
        wait_until_empty(broker)

        # Then the next one has run, no thread has died, nothing is held, and there is a record of both
        assert event["s"] == "succeeded"
        assert threads_alive(worker) == 2
        assert held(broker) == set()
    assert len(final_events(broker, 2)) == 2


def test_the_messages_of_one_queue_run_in_the_order_in_which_they_were_sent(broker: Broker) -> None:
    order = Calls()

    @dramatiq.actor(max_retries=0)
    def work(number: int) -> None:
        order.note(number)

    broker.enqueue_many(work.message(number) for number in range(2_000))
    with working(broker, threads=1):
        wait_until_empty(broker)
    assert order.made == list(range(2_000))


def test_a_worker_of_slow_jobs_leaves_to_others_what_it_has_no_thread_for(broker: Broker) -> None:
    # Given twenty slow jobs, and one worker that has taken some of them
    release = threading.Event()
    started = Calls()

    def slow() -> None:
        started.note()
        release.wait(10)

    declare(broker, slow, max_retries=0)
    for _ in range(20):
        broker.enqueue(broker.get_actor("slow").message())
    other = another_broker(broker)
    declare(other, slow, max_retries=0)

    with working(broker, threads=2):
        started.wait_for(2)
        time.sleep(0.2)

        # Then it holds no more than twice its threads
        assert len(held(broker)) <= 4

        # And a second worker begins at once with others
        with working(other, threads=2):
            started.wait_for(4, timeout=2)
            release.set()
            wait_until_empty(broker)
    assert len(started.made) == 20


def test_delayed_messages_run_when_due_and_in_the_order_of_their_times(broker: Broker) -> None:
    # Given messages sent in another order than that in which they are due
    ran = Calls()

    @dramatiq.actor(max_retries=0)
    def later(due: float) -> None:
        ran.note((due, time.time()))

    base = time.time() + 0.3
    for number in (5, 1, 4, 2, 3):
        delay = base + number * 0.1 - time.time()
        later.send_with_options(args=(base + number * 0.1,), delay=int(delay * 1000))

    # When they are due
    with working(broker, threads=4):
        ran.wait_for(5)

    # Then each ran at its time, not before, and within tens of ms
    dues = [due for due, _ in ran.made]
    assert dues == sorted(dues)
    for due, at in ran.made:
        assert -0.002 <= at - due < 0.15


def test_a_message_with_a_nearer_time_is_not_held_up_by_those_waiting(broker: Broker) -> None:
    ran = Calls()

    @dramatiq.actor(max_retries=0)
    def later(name: str) -> None:
        ran.note(name)

    later.send_with_options(args=("far",), delay=60_000)
    with working(broker, threads=1):
        wait_for(lambda: held(broker, "default.DQ"), what="the wait")
        later.send_with_options(args=("near",), delay=100)
        ran.wait_for(1, timeout=2)
    assert ran.made == ["near"]


def test_a_delayed_message_moves_in_one_step(broker: Broker) -> None:
    # Given a delayed message whose time comes while the commit cannot be made
    @dramatiq.actor(max_retries=0)
    def later() -> None:
        pass

    message = later.send_with_options(delay=100)
    moved: list[tuple[str, str, str]] = []

    # When it moves from its delayed queue to its queue, watched after every step that Redis makes
    with broker.client.monitor() as monitor, working(broker, threads=1):
        final_event(broker, message)
        wait_until_empty(broker)
        broker.client.ping()
        for command in monitor.listen():
            if command["command"] == "PING":
                break
            text = command["command"]
            if text.split()[0].upper() in ("HSET", "HDEL") and ":default." in text:
                moved.append((text.split()[0].upper(), text.split()[1], command["client_type"]))

    # Then the deletion there and the appearance here were parts of one script
    assert len(run_events(broker, message)) == 1
    assert moved == [
        ("HSET", f"{broker.namespace}:default.msgs", "lua"),
        ("HDEL", f"{broker.namespace}:default.DQ.msgs", "lua"),
        ("HDEL", f"{broker.namespace}:default.msgs", "lua"),
    ]


def test_messages_waiting_in_a_worker_go_back_when_it_ends(broker: Broker) -> None:
    # Given a worker busy with one job, with others and a delayed one in its hands
    release = threading.Event()

    @dramatiq.actor(max_retries=0)
    def slow() -> None:
        release.wait(10)

    for _ in range(6):
        slow.send()
    slow.send_with_options(delay=60_000)
    with working(broker, threads=2):
        wait_for(lambda: len(held(broker)) == 4 and held(broker, "default.DQ"), what="the fetch")
        threading.Timer(0.2, release.set).start()

    # Then it has finished what it had begun, and the rest lies in the queues
    assert len(events(broker, "run")) >= 2
    assert held(broker) == held(broker, "default.DQ") == set()
    waiting = broker.client.llen(f"{broker.namespace}:default")
    assert waiting + len(final_events(broker, 2)) == 6
    assert broker.client.llen(f"{broker.namespace}:default.DQ") == 1
    assert left_over(broker) == waiting + 1


@pytest.mark.parametrize("moment", ["while it waits", "while it fetches"])
def test_a_worker_that_is_to_stop_takes_nothing_that_comes_meanwhile(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    # Given a consumer of an empty queue
    @dramatiq.actor
    def work() -> None:
        pass

    consumer = broker.consume("default", prefetch=2, timeout=50)
    assert next(consumer) is None
    step = "wait_for_token" if moment == "while it waits" else "fetch"
    taken = getattr(broker, step)

    def stop_first(*args: Any) -> Any:
        broker.drain()
        work.send()
        return taken(*args)

    # When the order to stop, and then a message, come while it waits or fetches
    if moment == "while it fetches":
        broker.rouse()
    monkeypatch.setattr(broker, step, stop_first)
    handed_out = [next(consumer) for _ in range(3)]

    # Then the message is the next worker's
    assert broker.draining
    assert handed_out == [None, None, None]
    assert held(broker) == set()
    assert broker.client.llen(f"{broker.namespace}:default") == 1


def test_a_fetch_whose_reply_is_lost_strands_nothing(broker: Broker) -> None:
    # Given messages that Redis has handed to this worker in a reply that never arrived
    @dramatiq.actor(max_retries=0)
    def work() -> None:
        pass

    work.send()
    lost = {found.redis_id for found in broker.fetch("default", 10)}
    assert held(broker) == lost

    # When a worker's connection has broken and its consumers begin anew
    with working(broker, threads=1):
        final_event(broker, work.send())
        for client in broker.client.client_list():
            if client["cmd"] == "blpop":
                broker.client.client_kill_filter(_id=client["id"])

        # Then it finds what it holds without knowing, and runs it
        final_events(broker, 2, timeout=15)
        wait_until_empty(broker)
    assert broker.client.exists(acks_key(broker)) == 0
