"""Runs that somebody has ended: those that wait never start, those that run are interrupted."""

import asyncio
import json
import threading
import time
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import Middleware

from callboard.core.backoff import fixed
from callboard.middleware.broker import Broker
from helpers.workers import Calls, final_event, run_events, threads_alive, wait_until_empty, working


def end(broker: Broker, message: dramatiq.Message[Any], **order: Any) -> None:
    """Do what the scheduler does when somebody has ended a run."""
    order = {"at": int(time.time() * 1000), "by": "ada", **order}
    broker.client.hset(broker.keys.ended, message.message_id, json.dumps(order))
    broker.client.publish(broker.keys.signals, f"end {message.message_id}")


@pytest.mark.parametrize(
    ("order", "state", "reason"),
    [
        ({"state": "cancelled", "reason": "wrong day"}, "cancelled", "wrong day"),
        ({"state": "failed", "reason": "stuck"}, "failed", "stuck"),
        ({}, "cancelled", "ended by an operator"),
    ],
    ids=["cancelled", "failed", "without words"],
)
def test_a_run_that_waits_never_starts(
    broker: Broker, order: dict[str, Any], state: str, reason: str
) -> None:
    @dramatiq.actor(max_retries=2)
    def work() -> None:
        raise AssertionError("it ran")

    message = work.send()
    end(broker, message, **order)
    with working(broker):
        event = final_event(broker, message)
        wait_until_empty(broker)
    assert (event["s"], event["why"], event["n"]) == (state, reason, 1)
    assert "sta" not in event


def test_a_run_that_runs_is_interrupted_at_once_and_not_tried_again(broker: Broker) -> None:
    # Given a long run
    started, cleaned = Calls(), Calls()

    @dramatiq.actor(max_retries=3, backoff=fixed(1))
    def work() -> None:
        started.note()
        try:
            for _ in range(1_000):
                time.sleep(0.01)
        finally:
            cleaned.note()

    message = work.send()
    with working(broker, threads=2) as worker:
        started.wait_for(1)

        # When somebody ends it
        ordered = time.time() * 1000
        end(broker, message, reason="wrong day")
        event = final_event(broker, message)
        wait_until_empty(broker)
        assert threads_alive(worker) == 2

    # Then it has ended soon after, having cleaned up behind itself, and says on whose order
    assert (event["s"], event["why"], event["by"]) == ("cancelled", "wrong day", "ada")
    assert event["err"][0] == "RunEnded"
    assert event["fin"] - ordered < 500
    assert (len(started.made), len(cleaned.made)) == (1, 1)


def test_an_async_run_is_interrupted_too(broker: Broker) -> None:
    started = Calls()

    @dramatiq.actor(max_retries=3)
    async def work() -> None:
        started.note()
        await asyncio.sleep(30)

    message = work.send()
    with working(broker):
        started.wait_for(1)
        end(broker, message)
        assert final_event(broker, message)["s"] == "cancelled"


def test_only_that_run_ends(broker: Broker) -> None:
    started, release = Calls(), threading.Event()

    @dramatiq.actor(max_retries=0)
    def work(number: int) -> int:
        started.note()
        while not release.is_set():
            time.sleep(0.01)
        return number

    messages = [work.send(number) for number in range(4)]
    with working(broker, threads=4):
        started.wait_for(4)
        end(broker, messages[2])
        assert final_event(broker, messages[2])["s"] == "cancelled"
        release.set()
        others = [final_event(broker, message) for message in (*messages[:2], messages[3])]
    assert [event["res"] for event in others] == [0, 1, 3]


def test_a_run_that_waits_for_its_retry_does_not_come_back(broker: Broker) -> None:
    attempts = Calls()

    @dramatiq.actor(max_retries=3, backoff=fixed(400))
    def work() -> None:
        attempts.note()
        raise ConnectionError

    message = work.send()
    with working(broker):
        attempts.wait_for(1)
        time.sleep(0.05)
        end(broker, message, reason="enough")
        event = final_event(broker, message)
    assert (event["s"], event["why"], event["n"]) == ("cancelled", "enough", 2)
    assert len(attempts.made) == 1


def test_an_order_that_arrives_between_the_gate_and_the_function_is_not_forgotten(broker: Broker) -> None:
    # Given a hook behind the gate that takes its time, in which the order arrives
    at_the_hook, ordered = Calls(), threading.Event()

    class Tarry(Middleware):
        def before_process_message(self, broker: Any, message: Any) -> None:
            at_the_hook.note()
            ordered.wait(10)
            time.sleep(0.2)

    broker.add_middleware(Tarry())

    @dramatiq.actor(max_retries=0)
    def work() -> None:
        for _ in range(1_000):
            time.sleep(0.01)

    message = work.send()
    with working(broker):
        at_the_hook.wait_for(1)
        end(broker, message, reason="wrong day")
        ordered.set()
        event = final_event(broker, message)
    assert (event["s"], event["why"]) == ("cancelled", "wrong day")
    assert event["ms"] < 1_000


def test_an_order_that_comes_too_late_does_not_call_a_success_cancelled(broker: Broker) -> None:
    # Given a hook behind the actor that takes its time, in which the order arrives
    at_the_hook, ordered = Calls(), threading.Event()

    class Tarry(Middleware):
        def after_process_message(self, broker: Any, message: Any, **outcome: Any) -> None:
            at_the_hook.note()
            ordered.wait(10)
            time.sleep(0.2)

    broker.add_middleware(Tarry())

    @dramatiq.actor(max_retries=0)
    def work() -> str:
        return "done"

    message = work.send()
    with working(broker):
        at_the_hook.wait_for(1)
        end(broker, message)
        ordered.set()
        event = final_event(broker, message)
    assert (event["s"], event["res"]) == ("succeeded", "done")
    assert "why" not in event


def test_a_job_that_shrugs_off_the_interrupt_and_finishes_has_succeeded(broker: Broker) -> None:
    started = Calls()

    @dramatiq.actor(max_retries=0)
    def work() -> str:
        started.note()
        try:
            for _ in range(1_000):
                time.sleep(0.01)
        except BaseException:  # noqa: BLE001
            return "finished in spite of it"
        return "never told"

    message = work.send()
    with working(broker):
        started.wait_for(1)
        end(broker, message)
        event = final_event(broker, message)
    assert (event["s"], event["res"]) == ("succeeded", "finished in spite of it")


def test_runs_are_ended_by_orders_given_while_the_worker_was_away(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def work() -> None:
        pass

    messages = [work.send() for _ in range(3)]
    end(broker, messages[1])
    with working(broker):
        assert [final_event(broker, message)["s"] for message in messages] == [
            "succeeded",
            "cancelled",
            "succeeded",
        ]
    assert all(len(run_events(broker, message)) == 1 for message in messages)
