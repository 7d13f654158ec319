"""What is finished is committed with its record, its acknowledgement and what follows, in one step."""

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Middleware

from callboard.core.backoff import fixed
from callboard.middleware.broker import Broker
from callboard.middleware.committer import GROUP, Committer, Finished
from callboard.middleware.delivery import Packet
from callboard.middleware.scripts import load_script
from helpers.waiting import wait_for
from helpers.workers import (
    Calls,
    another_broker,
    dead_letters,
    declare,
    events,
    final_event,
    final_events,
    held,
    left_over,
    run_events,
    wait_until_empty,
    working,
)

#: A user of Redis who may do everything but put something onto a list.
LIMITED = {"username": "limited", "password": "limited"}


@pytest.fixture
def limited(redis_client: redis.Redis) -> Iterator[None]:
    """That user exists. With him, an enqueue is refused while an acknowledgement is not."""
    redis_client.execute_command("ACL", "SETUSER", "limited", "on", ">limited", "~*", "&*", "+@all", "-rpush")
    yield
    redis_client.execute_command("ACL", "DELUSER", "limited")


@pytest.fixture(autouse=True)
def visible(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker with a busy thread takes nothing more; so it does not take back what was taken from it."""
    monkeypatch.setattr(dramatiq.worker, "QUEUE_PREFETCH", 1)


def test_quick_jobs_are_committed_in_groups_and_every_one_is_recorded(broker: Broker) -> None:
    # Given a thousand jobs that take no time
    @dramatiq.actor(max_retries=0)
    def tick(number: int) -> int:
        return number

    broker.enqueue_many(tick.message(number) for number in range(1_000))
    with working(broker, threads=8):
        found = final_events(broker, 1_000)
        wait_until_empty(broker)

    # Then each has one record, and there were far fewer commits than jobs
    assert sorted(event["res"] for event in found) == list(range(1_000))
    assert len(found) == 1_000
    assert broker.client.xlen(broker.keys.events) < 500
    assert held(broker) == set()


def test_a_single_job_is_committed_at_once(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def tick() -> None:
        pass

    with working(broker, threads=2):
        delays = []
        for _ in range(10):
            event = final_event(broker, tick.send())
            entry = broker.client.xrevrange(broker.keys.events, count=1)[0][0]
            delays.append(int(entry.split(b"-")[0]) - event["fin"])
    assert sorted(delays)[5] < 30


def test_the_late_result_of_a_worker_that_was_taken_for_dead_is_refused(
    broker: Broker, one_at_a_time: None, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a worker in the middle of a job, and a second one
    release, started = threading.Event(), Calls()

    def slow() -> str:
        number = started.note()
        if number == 1:
            release.wait(20)
        return f"execution {number}"

    other = another_broker(broker)
    declare(broker, slow, max_retries=0)
    declare(other, slow, max_retries=0)
    message = broker.enqueue(broker.get_actor("slow").message())
    with working(broker, threads=1):
        started.wait_for(1)
        wait_for(lambda: events(broker, "run"), what="the announcement")

        # When the first has given no sign of life for long, and the second looks around
        broker.client.zadd(broker.keys.heartbeats, {broker.broker_id: 1})
        with working(other, threads=1):
            final_event(broker, message)

            # Then the second has done the job, and what the first has to say of it changes nothing any more
            release.set()
            wait_for(lambda: "was refused" in caplog.text, what="the refusal")
            wait_until_empty(broker)
    ended = [event for event in run_events(broker, message) if event["s"] == "succeeded"]
    assert [(event["w"], event["res"]) for event in ended] == [(other.broker_id, "execution 2")]

    # And the record tells that a worker was lost
    (lost,) = events(broker, "lost")
    assert (lost["id"], lost["w"], lost["n"]) == (message.message_id, broker.broker_id, 1)


def test_a_late_failure_of_such_a_worker_neither_kills_nor_repeats_the_run(
    broker: Broker, one_at_a_time: None
) -> None:
    # Given the same, and a first execution that fails in the end and would be tried again
    release, started = threading.Event(), Calls()

    def slow() -> None:
        if started.note() == 1:
            release.wait(20)
            raise RuntimeError("too late")

    other = another_broker(broker)
    for each in (broker, other):
        declare(each, slow, max_retries=3, backoff=fixed(1))
    message = broker.enqueue(broker.get_actor("slow").message())
    with working(broker, threads=1):
        started.wait_for(1)
        with working(other, threads=1):

            def taken_over() -> bool:
                # Again and again: the worker gives signs of life of its own.
                broker.client.zadd(broker.keys.heartbeats, {broker.broker_id: 1})
                return len(started.made) == 2

            wait_for(taken_over)
            final_event(broker, message)
            release.set()
            time.sleep(0.3)
            wait_until_empty(broker)
    assert len(started.made) == 2
    assert [event["s"] for event in run_events(broker, message) if "fin" in event] == ["succeeded"]


def test_a_commit_that_is_repeated_because_its_reply_was_lost_does_nothing(broker: Broker) -> None:
    # Given a finished message, a retry that follows from it and a lock that it held
    broker.declare_queue("default")
    broker.enqueue(dramatiq.Message("default", "work", (), {}, {}))
    redis_id = broker.fetch("default", 1)[0].redis_id
    lock = broker.keys.mutex("lock")
    broker.client.set(lock, "token")
    script = load_script(broker.client, "commit")
    arguments: list[Any] = [
        broker.broker_id, 1, "default", redis_id, "ack", "", b'{"k":"run"}', 1,
        0, "default.DQ", "next", b"{}", 1, "mutex", "lock", "token", "",
    ]  # fmt: skip

    # When the same commit comes twice, and the lock has another holder meanwhile
    first = script(keys=[broker.namespace], args=arguments)
    broker.client.set(lock, "another")
    second = script(keys=[broker.namespace], args=arguments)

    # Then it counted once
    assert (first, second) == ([0], [0, 1])
    assert broker.client.xlen(broker.keys.events) == 1
    assert broker.client.lrange(broker.keys.queue("default.DQ"), 0, -1) == [b"next"]
    assert broker.client.get(lock) == b"another"
    assert left_over(broker) == 1


def test_a_retry_that_cannot_be_enqueued_is_not_acknowledged_either(broker: Broker, limited: None) -> None:
    # Given a worker that Redis does not let put anything onto a queue
    attempts = Calls()

    def work() -> None:
        if attempts.note() == 1:
            raise ConnectionError("try again")

    restricted = another_broker(broker, **LIMITED)
    for each in (broker, restricted):
        declare(each, work, max_retries=1, backoff=fixed(1))
    message = broker.enqueue(broker.get_actor("work").message())

    # When its job fails and is to be tried again
    with working(restricted, threads=1):
        attempts.wait_for(1)
        time.sleep(0.5)

        # Then the message is still in its hands
        assert len(held(restricted)) == 1
        assert len(attempts.made) == 1

        # And as soon as Redis lets it, the retry takes its place
        broker.client.execute_command("ACL", "SETUSER", "limited", "+rpush")
        event = final_event(broker, message)
        wait_until_empty(broker)
    restricted.close()
    assert (event["s"], event["n"]) == ("succeeded", 2)
    assert len(attempts.made) == 2


def test_stock_dramatiq_loses_a_retry_that_cannot_be_enqueued(broker: Broker, limited: None) -> None:
    # Given a stock worker in the same position
    attempts = Calls()

    def work() -> None:
        attempts.note()
        raise ConnectionError("try again")

    client = redis.Redis.from_url(broker.url, **LIMITED)
    stock = RedisBroker(client=client, namespace=broker.namespace)
    declare(broker, work, max_retries=1)
    declare(stock, work, max_retries=1, min_backoff=1, max_backoff=1)
    broker.enqueue(broker.get_actor("work").message())

    # When its job fails and is to be tried again
    with working(stock, threads=1):
        attempts.wait_for(1)
        wait_for(lambda: not held(stock), what="the acknowledgement")
        time.sleep(0.3)

    # Then the message is acknowledged, no retry waits, and there is no dead letter: it is gone
    assert len(attempts.made) == 1
    assert dead_letters(broker) == []
    assert held(stock) == set()
    assert [broker.client.llen(broker.keys.queue(name)) for name in ("default", "default.DQ")] == [0, 0]
    client.close()


def test_a_retry_that_cannot_be_encoded_ends_the_run_as_a_dead_letter(broker: Broker) -> None:
    # Given a job that spoils its own arguments before it fails
    @dramatiq.actor(max_retries=3, backoff=fixed(1))
    def spoil(items: list[Any]) -> None:
        items.append(object())
        raise RuntimeError("spoilt")

    message = spoil.send([])
    with working(broker, threads=1):
        event = final_event(broker, message)
        wait_until_empty(broker)

    # Then it is a failure that an operator can find and repeat, with the arguments that were sent
    assert (event["s"], event["n"]) == ("failed", 1)
    (letter,) = dead_letters(broker)
    assert b'"args":[[]]' in letter


def test_no_more_than_a_group_is_ever_finished_and_not_committed(broker: Broker) -> None:
    # Given a committer that cannot commit
    gate = threading.Event()

    class Blocked:
        def __call__(self, **_: Any) -> list[int]:
            gate.wait(10)
            return [0]

    committer = Committer(Blocked(), "namespace", "broker")  # type: ignore[arg-type]
    done = Calls()

    def finish() -> None:
        for number in range(GROUP * 2):
            committer.commit(Finished("q", str(number), "ack", b"", (), done.note))
            handed.note()

    # When more is finished than a group holds
    handed = Calls()
    thread = threading.Thread(target=finish)
    thread.start()
    handed.wait_for(GROUP)
    time.sleep(0.2)

    # Then whoever finishes more has to wait
    assert len(handed.made) == GROUP
    assert done.made == []
    gate.set()
    thread.join(10)
    assert committer.flush()
    assert sorted(map(int, done.made)) == list(range(GROUP * 2))
    committer.stop()


def test_a_stopped_committer_has_committed_everything_and_can_be_used_again(broker: Broker) -> None:
    for round_ in range(3):
        for number in range(100):
            broker.committer.record(b'{"k":"note","id":"%d.%d"}' % (round_, number))
        broker.committer.stop()
        assert len(events(broker, "note")) == (round_ + 1) * 100


def test_a_follower_is_put_by_the_commit_even_into_another_queue(broker: Broker) -> None:
    broker.declare_queue("default")
    broker.enqueue(dramatiq.Message("default", "work", (), {}, {}))
    redis_id = broker.fetch("default", 1)[0].redis_id
    done = Calls()
    broker.committer.commit(
        Finished("default", redis_id, "ack", b"", (Packet("other", "new", b"payload"),), done.note)
    )
    done.wait_for(1)
    assert broker.client.hgetall(broker.keys.messages("other")) == {b"new": b"payload"}
    assert broker.client.llen(broker.keys.wake("other")) == 1
    assert left_over(broker) == 0


def test_a_broker_serves_one_worker_after_another(broker: Broker) -> None:
    # Given a process that stops its worker and starts one again, as a test suite or a shell does
    @dramatiq.actor(max_retries=1, backoff=fixed(1))
    def work(number: int) -> None:
        if number == 2:
            raise RuntimeError

    for round_ in range(3):
        message = work.send(round_)
        with working(broker, threads=1):
            event = final_event(broker, message)
            wait_until_empty(broker)
        assert event["s"] == ("failed" if round_ == 2 else "succeeded")


def test_what_cannot_be_committed_goes_to_the_dead_letters_and_holds_up_no_other(broker: Broker) -> None:
    # Given five jobs, with one of which a hook sends along what nothing can encode
    done = Calls()

    class Odd(Middleware):
        def after_process_message(self, broker: Any, message: Any, **outcome: Any) -> None:
            if message.args == (3,):
                packet = Packet("default", "odd", b"{}")
                object.__setattr__(packet, "payload", object())
                message.followers.append(packet)

    broker.add_middleware(Odd())
    declare(broker, done.note, actor_name="work", max_retries=0)
    messages = [broker.get_actor("work").send(number) for number in range(5)]
    with working(broker, threads=1):
        for message in messages:
            final_event(broker, message)
        wait_until_empty(broker)

        # Then the others are committed, it is kept, and later ones are committed as well
        assert len(dead_letters(broker)) == 1
        assert final_event(broker, broker.get_actor("work").send(5))["s"] == "succeeded"
    assert sorted(done.made) == list(range(6))
