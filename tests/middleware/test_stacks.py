"""Where a run is, asked from outside while it goes on."""

import asyncio
import json
import threading
import time
from typing import Any
from uuid import uuid4

import dramatiq
import pytest

from callboard.middleware.broker import Broker
from callboard.middleware.switches import Switches
from helpers.isolated import hold_the_lock, isolated
from helpers.waiting import wait_for
from helpers.workers import events, final_event, working


def ask(broker: Broker, run_id: str, seconds: float = 2.0) -> dict[str, Any] | None:
    """What a worker answers to whoever asks where a run is."""
    question = uuid4().hex
    broker.client.publish(broker.keys.signals, f"stack {run_id} {question}")
    answer: Any = broker.client.blpop([broker.keys.stack(question)], timeout=seconds)
    return None if answer is None else json.loads(answer[1])


def begun(broker: Broker, message: dramatiq.Message[Any]) -> None:
    """Wait until a run is so far under way that it has been announced."""
    wait_for(lambda: any(event.get("id") == message.message_id for event in events(broker)), what="its begin")


def functions(answer: dict[str, Any] | None) -> list[str]:
    assert answer is not None
    return [function.rpartition(".")[2] for _, _, function in answer["frames"]]


def test_a_run_in_a_thread_tells_its_calls_and_no_values(broker: Broker) -> None:
    release = threading.Event()

    @dramatiq.actor(max_retries=0)
    def outer(password: str) -> None:
        def inner() -> None:
            release.wait(20)

        inner()

    message = outer.send("hunter2")
    with working(broker):
        begun(broker, message)
        asked = time.monotonic()
        answer = ask(broker, message.message_id)
        took = time.monotonic() - asked
        release.set()

    assert functions(answer)[:3] == ["outer", "inner", "wait"]
    assert answer is not None
    assert (answer["job"], answer["attempt"], answer["isolated"]) == ("outer", 1, False)
    assert answer["frames"][0][0] == __file__
    assert "hunter2" not in json.dumps(answer)
    assert took < 5


def test_a_coroutine_tells_what_it_awaits(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    async def outer() -> None:
        async def inner() -> None:
            await asyncio.sleep(1.5)

        await inner()

    broker.emit_after("process_boot")
    message = outer.send()
    with working(broker):
        begun(broker, message)
        assert functions(ask(broker, message.message_id))[-3:] == ["outer", "inner", "sleep"]
        final_event(broker, message)


def test_a_run_in_a_process_of_its_own_tells_it_even_within_a_call_of_c(broker: Broker) -> None:
    @isolated(time_limit=6_000)
    def work() -> None:
        hold_the_lock()

    message = work.send()
    with working(broker):
        begun(broker, message)
        # It is announced before its process has come to the function.
        wait_for(lambda: functions(ask(broker, message.message_id)) == ["work", "hold_the_lock"], timeout=4)
        answer = ask(broker, message.message_id)
        assert functions(answer) == ["work", "hold_the_lock"]
        assert answer is not None
        assert answer["isolated"]

        # and goes on as if nobody had asked
        assert final_event(broker, message)["err"][0] == "TimeLimitExceeded"


def test_a_run_that_nobody_has_is_answered_by_nobody(broker: Broker) -> None:
    with working(broker):
        assert ask(broker, str(uuid4()), seconds=0.3) is None


def test_questions_are_heard_among_other_signals_and_do_not_have_the_switches_read(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    switches = Switches(broker.direct, broker.keys, "a-worker")
    heard: list[tuple[str, str]] = []
    reads: list[None] = []
    switches.asked = lambda run_id, question: heard.append((run_id, question))
    switches.start()
    read = switches.read
    monkeypatch.setattr(switches, "read", lambda: (read(), reads.append(None)))

    broker.client.publish(broker.keys.signals, "stack run-0 a")
    wait_for(lambda: heard == [("run-0", "a")])
    assert reads == []
    with broker.client.pipeline(transaction=True) as pipeline:
        for number in range(1, 4):
            pipeline.publish(broker.keys.signals, "control")
            pipeline.publish(broker.keys.signals, f"stack run-{number} b")
        pipeline.execute()

    wait_for(lambda: len(heard) == 4 and reads)
    switches.stop()
