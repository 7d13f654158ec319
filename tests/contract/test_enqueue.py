"""Sending messages, and what a broker says of its queues."""

import json
import threading
from typing import Any
from uuid import uuid4

import dramatiq
import pytest
from dramatiq import Message, QueueJoinTimeout
from dramatiq.brokers.redis import RedisBroker

from helpers.waiting import wait_for
from helpers.workers import (
    Calls,
    Presence,
    dead_letters,
    declare,
    held,
    left_over,
    wait_until_empty,
    working,
)


def test_a_message_sent_says_to_whom_it_goes_and_runs_with_its_arguments(broker: Any) -> None:
    ran = Calls()
    work = declare(broker, lambda *args, **kwargs: ran.note([list(args), kwargs]), actor_name="work")
    message = work.send(1, "two", three=[3.5, None])
    assert (message.actor_name, message.queue_name) == ("work", "default")
    assert (message.args, message.kwargs) == ((1, "two"), {"three": [3.5, None]})
    assert ran.made == []
    with working(broker):
        assert ran.wait_for(1) == [[[1, "two"], {"three": [3.5, None]}]]


def test_enqueue_returns_the_message_under_the_id_that_it_had(broker: Any) -> None:
    work = declare(broker, lambda: None, actor_name="work")
    message = work.message()
    returned = broker.enqueue(message)
    assert isinstance(returned, Message)
    assert returned.message_id == message.message_id
    assert returned.message_timestamp == message.message_timestamp
    assert "redis_message_id" not in message.options


def test_a_message_enqueued_twice_runs_twice(broker: Any) -> None:
    ran = Calls()
    message = declare(broker, ran.note, actor_name="work").message("x")
    broker.enqueue(message)
    broker.enqueue(message)
    with working(broker):
        wait_until_empty(broker)
    assert ran.made == ["x", "x"]


def test_a_messages_options_reach_the_worker(broker: Any) -> None:
    seen = Calls()

    class Look(dramatiq.Middleware):
        def before_process_message(self, broker: Any, message: Any) -> None:
            seen.note(message.options["tenant"])

    broker.add_middleware(Look())
    declare(broker, lambda: None, actor_name="work").send_with_options(tenant="acme")
    with working(broker):
        assert seen.wait_for(1) == ["acme"]


def test_arguments_that_cannot_be_encoded_are_refused_and_leave_nothing(broker: Any) -> None:
    work = declare(broker, lambda what: None, actor_name="work")
    with pytest.raises(TypeError):
        work.send(object())
    assert left_over(broker) == 0


def test_a_queues_messages_start_in_the_order_in_which_they_were_sent(broker: Any) -> None:
    ran = Calls()
    work = declare(broker, ran.note, actor_name="work")
    for number in range(30):
        work.send(number)
    with working(broker, threads=1):
        assert ran.wait_for(30) == list(range(30))


def test_a_worker_serves_every_declared_queue(broker: Any) -> None:
    ran = Calls()
    for queue in ("default", "mail", "reports.daily-2"):
        declare(broker, ran.note, actor_name=f"work-{queue}", queue_name=queue).send(queue)
    with working(broker):
        assert sorted(ran.wait_for(3)) == ["default", "mail", "reports.daily-2"]


def test_a_worker_serves_only_the_queues_that_it_is_given(broker: Any) -> None:
    ran = Calls()
    mail = declare(broker, ran.note, actor_name="mail", queue_name="mail")
    other = declare(broker, ran.note, actor_name="other", queue_name="other")
    other.send("other")
    other.send_with_options(args=("later",), delay=10)
    mail.send("mail")
    mail.send_with_options(args=("mail later",), delay=10)
    with working(broker, queues={"mail"}):
        ran.wait_for(2)
        wait_until_empty(broker, "mail")
    assert ran.made == ["mail", "mail later"]
    assert left_over(broker, "other") == 2


def test_a_queue_declared_under_a_running_worker_is_served_too(broker: Any) -> None:
    ran = Calls()
    with working(broker):
        declare(broker, ran.note, actor_name="late", queue_name="late").send("late")
        assert ran.wait_for(1) == ["late"]


def test_a_name_that_no_queue_may_have_is_refused(broker: Any) -> None:
    with pytest.raises(ValueError, match="Queue names"):
        declare(broker, lambda: None, actor_name="work", queue_name="2nd queue")


def test_a_broker_knows_what_was_declared(broker: Any) -> None:
    work = declare(broker, lambda: None, actor_name="work")
    declare(broker, lambda: None, actor_name="mail", queue_name="mail")
    broker.declare_queue("mail")
    assert broker.get_declared_actors() == {"work", "mail"}
    assert broker.get_declared_queues() == {"default", "mail"}
    assert broker.get_declared_delay_queues() == {"default.DQ", "mail.DQ"}
    assert broker.get_actor("work") is work
    with pytest.raises(dramatiq.ActorNotFound):
        broker.get_actor("nobody")


def test_flushing_a_queue_drops_what_waits_in_it_and_nothing_else(broker: Any) -> None:
    ran = Calls()
    work = declare(broker, ran.note, actor_name="work")
    mail = declare(broker, ran.note, actor_name="mail", queue_name="mail")
    for number in range(3):
        work.send(number)
        work.send_with_options(args=(number,), delay=10)
    mail.send("mail")
    broker.flush("default")
    assert left_over(broker) == 0
    with working(broker):
        assert ran.wait_for(1) == ["mail"]
        wait_until_empty(broker, "mail")
    assert ran.made == ["mail"]


def test_flushing_all_drops_everything_and_what_is_sent_then_runs(broker: Any) -> None:
    ran = Calls()
    work = declare(broker, ran.note, actor_name="work")
    mail = declare(broker, ran.note, actor_name="mail", queue_name="mail")
    work.send(1)
    mail.send_with_options(args=(2,), delay=10)
    broker.flush_all()
    work.send("after")
    with working(broker):
        wait_until_empty(broker)
        wait_until_empty(broker, "mail")
    assert ran.made == ["after"]


def test_join_returns_when_all_of_a_queue_is_done_delayed_messages_included(broker: Any) -> None:
    ran = Calls()
    work = declare(broker, ran.note, actor_name="work")
    work.send("now")
    work.send_with_options(args=("later",), delay=300)
    with working(broker) as worker:
        broker.join("default", interval=20, timeout=10_000)
        worker.join()
        assert ran.made == ["now", "later"]


def test_join_gives_up_when_its_time_is_over(broker: Any) -> None:
    declare(broker, lambda: None, actor_name="work").send()
    with pytest.raises(QueueJoinTimeout):
        broker.join("default", interval=20, timeout=60)


def test_join_waits_for_a_retry(broker: Any) -> None:
    ran = Calls()

    def work() -> None:
        if ran.note() == 1:
            raise RuntimeError

    declare(broker, work, max_retries=1, min_backoff=200, max_backoff=200).send()
    with working(broker):
        broker.join("default", interval=20, timeout=10_000)
    assert len(ran.made) == 2


def test_a_message_for_an_actor_that_nobody_declared_becomes_a_dead_letter(broker: Any) -> None:
    ran = Calls()
    work = declare(broker, ran.note, actor_name="work")
    broker.enqueue(Message("default", "nobody", ("who?",), {}, {}))
    work.send("after it")
    with working(broker):
        ran.wait_for(1)
        wait_until_empty(broker)
    (letter,) = dead_letters(broker)
    assert Message.decode(letter).actor_name == "nobody"


def test_a_message_pushed_by_another_language_runs(broker: Any) -> None:
    ran = Calls()
    declare(broker, ran.note, actor_name="work")
    fields = {
        "queue_name": "default", "actor_name": "work", "args": ["from afar"], "kwargs": {},
        "options": {"redis_message_id": str(uuid4())}, "message_id": str(uuid4()), "message_timestamp": 0,
    }  # fmt: skip
    redis_id = fields["options"]["redis_message_id"]  # type: ignore[index]
    broker.client.hset(f"{broker.namespace}:default.msgs", redis_id, json.dumps(fields))
    broker.client.rpush(f"{broker.namespace}:default", redis_id)
    with working(broker):
        assert ran.wait_for(1) == ["from afar"]
        wait_until_empty(broker)


def test_brokers_of_other_namespaces_see_nothing_of_it(broker: Any, redis_url: str) -> None:
    ran, other = Calls(), RedisBroker(url=redis_url, namespace=f"{broker.namespace}-other")
    declare(other, ran.note, actor_name="work")
    declare(broker, lambda what: None, actor_name="work").send("ours")
    with working(other):
        broker.enqueue(Message("default", "work", ("ours, too",), {}, {}))
        with pytest.raises(QueueJoinTimeout):
            broker.join("default", interval=20, timeout=300)
    assert ran.made == []


def test_a_paused_worker_starts_nothing_until_it_is_resumed(
    broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dramatiq.worker, "CONSUMER_RESTART_DELAY_SECS", 0.05)
    ran = Calls()
    work = declare(broker, ran.note, actor_name="work")
    with working(broker) as worker:
        work.send("before")
        ran.wait_for(1)
        pausing = threading.Thread(target=worker.pause)
        pausing.start()
        wait_for(lambda: all(thread.paused_event.is_set() for thread in worker.workers))
        # Consumers end their wait for a message, and then pause as well.
        work.send("meanwhile")
        work.send_with_options(args=("meanwhile",), delay=1)
        pausing.join()
        with pytest.raises(QueueJoinTimeout):
            broker.join("default", interval=20, timeout=300)
        assert ran.made == ["before"]
        worker.resume()
        assert ran.wait_for(3) == ["before", "meanwhile", "meanwhile"]


@pytest.mark.parametrize("prefetch", [1, 2])
def test_a_worker_takes_no_more_at_a_time_than_it_is_told_to(
    broker: Any, monkeypatch: pytest.MonkeyPatch, prefetch: int
) -> None:
    # As with `dramatiq_queue_prefetch` in the environment: quick messages change nothing of it.
    monkeypatch.setattr(dramatiq.worker, "QUEUE_PREFETCH", prefetch)
    ran, room, gate = Calls(), Presence(), threading.Event()
    quick = declare(broker, ran.note, actor_name="quick")

    def slow() -> None:
        with room:
            gate.wait(10)

    slow_ = declare(broker, slow)
    for _ in range(60):
        quick.send()
    for _ in range(6):
        slow_.send()
    with working(broker, threads=4):
        wait_for(lambda: room.inside == prefetch)
        assert len(ran.made) == 60
        assert left_over(broker) == 6
        assert len(held(broker)) == prefetch
        gate.set()
        wait_until_empty(broker)
    assert room.most == prefetch
