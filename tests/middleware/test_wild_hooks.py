"""Hooks of an application that behave badly harm neither a worker's threads nor what has happened."""

from collections import Counter
from typing import Any

import dramatiq
from dramatiq.middleware import Middleware, Shutdown

from callboard.core.backoff import fixed
from callboard.middleware.broker import Broker
from helpers.workers import (
    dead_letters,
    declare,
    final_event,
    final_events,
    run_events,
    threads_alive,
    wait_until_empty,
    working,
)


class Raising(Middleware):
    """Raises after each message, as an interrupt does that comes too late, or a hook that exits."""

    def __init__(self, kind: type[BaseException]) -> None:
        self.kind = kind

    def after_process_message(self, broker: Any, message: Any, **outcome: Any) -> None:
        raise self.kind


class Failing(Middleware):
    """Gives every message up, whatever has been decided."""

    def after_process_message(self, broker: Any, message: Any, **outcome: Any) -> None:
        message.fail()


def test_what_a_hook_raises_ends_no_thread_and_turns_no_success_into_a_failure(broker: Broker) -> None:
    executed: Counter[int] = Counter()

    def work(number: int) -> None:
        executed[number] += 1

    job = declare(broker, work, actor_name="job", max_retries=3, backoff=fixed(10))
    broker.add_middleware(Raising(Shutdown))
    broker.add_middleware(Raising(SystemExit))
    with working(broker, threads=2) as worker:
        broker.enqueue_many(job.message(number) for number in range(5))
        found = final_events(broker, 5)
        wait_until_empty(broker)
        assert threads_alive(worker) == 2
    assert {event["s"] for event in found} == {"succeeded"}
    assert executed == dict.fromkeys(range(5), 1)


def test_a_predicate_that_exits_sends_the_message_to_the_dead_letters(broker: Broker) -> None:
    def fail() -> None:
        raise ConnectionError

    def leave(retries: int, error: BaseException) -> bool:
        raise SystemExit

    job = declare(broker, fail, actor_name="job", retry_when=leave)
    with working(broker, threads=2) as worker:
        event = final_event(broker, job.send())
        wait_until_empty(broker)
        assert threads_alive(worker) == 2
    assert event["s"] == "failed"
    assert len(dead_letters(broker)) == 1


def test_a_message_that_a_hook_gives_up_is_no_longer_pending(broker: Broker) -> None:
    # Given a retry that has been decided on, and a hook that fails the message after that
    def fail() -> None:
        raise ConnectionError

    job = declare(broker, fail, actor_name="job", max_retries=3, backoff=fixed(10))
    broker.add_middleware(Failing(), before=type(broker.middleware[-1]))
    with working(broker):
        message: dramatiq.Message[Any] = job.send()
        assert final_event(broker, message)["s"] == "failed"
    assert len(run_events(broker, message)) == 1
    assert len(dead_letters(broker)) == 1
