"""What becomes of runs, as the worker writes it to the event stream."""

import asyncio
import json
import logging
import time
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import Middleware, SkipMessage

from callboard.core.backoff import fixed
from callboard.middleware.broker import Broker
from callboard.middleware.execution import current_run
from helpers.workers import (
    Calls,
    dead_letters,
    events,
    final_event,
    run_events,
    wait_until_empty,
    working,
)


def test_a_run_that_succeeds_leaves_one_event_with_all_that_is_known_of_it(broker: Broker) -> None:
    # Given a quick job
    @dramatiq.actor(max_retries=2, time_limit=5_000)
    def add(a: int, b: int) -> dict[str, int]:
        time.sleep(0.02)
        return {"sum": a + b}

    # When it runs
    before = int(time.time() * 1000)
    message = add.send(2, b=3)
    with working(broker):
        event = final_event(broker, message)

    # Then one event tells of it, from the sending to the result
    assert run_events(broker, message) == [event]
    assert event["s"] == "succeeded"
    assert (event["job"], event["q"], event["n"], event["m"]) == ("add", "default", 1, 3)
    assert (event["args"], event["kw"], event["res"]) == ([2], {"b": 3}, {"sum": 5})
    assert (event["w"], event["lim"]) == (broker.broker_id, 5_000)
    assert before <= event["at"] <= event["fet"] <= event["sta"] <= event["fin"] <= time.time() * 1000
    assert event["fin"] - event["sta"] == event["ms"]
    assert 20 <= event["ms"] < 1_000
    assert len(event["x"]) == 36
    assert not {"err", "why", "rat", "logs", "prg"} & event.keys()

    # And nothing is left of the message
    wait_until_empty(broker)
    assert dead_letters(broker) == []


def test_a_run_that_fails_is_pending_again_until_its_last_attempt(broker: Broker) -> None:
    # Given a job that fails every time, and may be tried twice more
    @dramatiq.actor(max_retries=2, backoff=fixed(30))
    def break_down() -> None:
        raise LookupError("no such shelf")

    # When it has used up its attempts
    message = break_down.send()
    with working(broker):
        final_event(broker, message)

    # Then each attempt has told its outcome: two were to be tried again, the third was the end
    first, second, third = run_events(broker, message)
    assert [event["s"] for event in (first, second, third)] == ["pending", "pending", "failed"]
    assert [event["n"] for event in (first, second, third)] == [1, 2, 3]
    assert {event["m"] for event in (first, second, third)} == {3}
    assert len({event["x"] for event in (first, second, third)}) == 3
    for event in (first, second):
        assert event["fin"] <= event["rat"] <= event["fin"] + 1_000
    assert "rat" not in third

    # And each with its error: type, words and where it came from
    for event in (first, second, third):
        kind, text, trace = event["err"]
        assert (kind, text) == ("LookupError", "no such shelf")
        assert "in break_down" in trace
        assert trace.endswith("LookupError: no such shelf\n")

    # And the message lies with the dead letters
    wait_until_empty(broker)
    assert len(dead_letters(broker)) == 1


def test_no_secret_is_kept_with_an_error_or_a_logged_traceback(broker: Broker) -> None:
    # Given a job whose error speaks of a password, and who logs it as well
    @dramatiq.actor(max_retries=0)
    def connect() -> None:
        try:
            raise ConnectionError("postgresql://app:hunter2hunter2@db/app does not answer")
        except ConnectionError:
            logging.getLogger("shop").exception("Trying once more.")
            raise

    # When it fails
    message = connect.send()
    with working(broker):
        event = final_event(broker, message)

    # Then what is kept says all but the password
    assert "postgresql://app:***@db/app" in event["err"][1]
    assert "Trying once more." in event["logs"][0][2]
    assert "hunter2" not in json.dumps(event)


def test_a_run_that_recovers_ends_as_a_success_of_its_second_attempt(broker: Broker) -> None:
    @dramatiq.actor(max_retries=1, backoff=fixed(10))
    def recover() -> str | None:
        run = current_run()
        assert run is not None
        if run.attempt == 1:
            raise ConnectionError("not yet")
        return "done"

    message = recover.send()
    with working(broker):
        event = final_event(broker, message)

    assert (event["s"], event["n"], event["res"]) == ("succeeded", 2, "done")
    assert "err" not in event
    assert dead_letters(broker) == []


def test_an_async_actor_is_recorded_like_any_other(broker: Broker) -> None:
    # Given an async job, which runs on the loop's own thread
    seen = Calls()

    @dramatiq.actor(max_retries=0)
    async def fetch(page: int) -> dict[str, int]:
        await asyncio.sleep(0.03)
        run = current_run()
        seen.note(None if run is None else (run.run_id, run.attempt))
        if page < 0:
            raise ValueError("no such page")
        return {"page": page}

    good, bad = fetch.send(1), fetch.send(-1)
    with working(broker):
        done, failed = final_event(broker, good), final_event(broker, bad)

    # Then it knows of its own run, and its times and outcome are there
    assert {good.message_id, bad.message_id} == {run_id for run_id, _ in seen.made}
    assert (done["s"], done["res"]) == ("succeeded", {"page": 1})
    assert done["ms"] >= 30
    assert (failed["s"], failed["err"][:2]) == ("failed", ["ValueError", "no such page"])


def test_a_direct_call_of_an_actor_stays_a_direct_call(broker: Broker) -> None:
    # Given an actor that another one calls as the function that it is
    @dramatiq.actor(max_retries=0)
    def inner(text: str) -> tuple[str, str | None]:
        run = current_run()
        return text.upper(), None if run is None else run.job

    @dramatiq.actor(max_retries=0)
    def outer() -> list[Any]:
        return list(inner("called"))

    # When it is called outside of a worker, then it is a function, and part of no run
    assert inner("plain") == ("PLAIN", None)
    assert inner.fn.__name__ == "inner"
    assert events(broker) == []

    # When it is called within another's run, then it is part of that run and makes none of its own
    message = outer.send()
    with working(broker):
        event = final_event(broker, message)
    assert event["res"] == ["CALLED", "outer"]
    assert [event["job"] for event in events(broker, "run")] == ["outer"]


def test_a_direct_call_that_fails_leaves_the_caller_its_own_outcome(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def inner() -> None:
        raise RuntimeError("inner")

    @dramatiq.actor(max_retries=0)
    def outer() -> str:
        try:
            inner()
        except RuntimeError:
            time.sleep(0.02)
        return "saved"

    message = outer.send()
    with working(broker):
        event = final_event(broker, message)
    assert (event["s"], event["res"]) == ("succeeded", "saved")
    assert event["ms"] >= 20


def test_a_long_run_is_announced_while_it_runs(broker: Broker) -> None:
    # Given a job that takes longer than a blink
    @dramatiq.actor(max_retries=0)
    def tarry() -> None:
        time.sleep(0.4)

    message = tarry.send()
    with working(broker):
        event = final_event(broker, message)

    # Then it was shown as processing first, under the same execution and start
    begun, ended = run_events(broker, message)
    assert (begun["s"], ended["s"]) == ("processing", "succeeded")
    assert (begun["x"], begun["sta"]) == (ended["x"], ended["sta"])
    assert "fin" not in begun
    assert ended == event


def test_a_run_that_an_applications_own_middleware_turns_away_is_skipped(broker: Broker) -> None:
    # Given an application whose middleware skips one job's messages, and has refused another's
    class Guard(Middleware):
        def before_process_message(self, broker: Any, message: Any) -> None:
            if message.actor_name == "unwanted":
                raise SkipMessage("not today")
            if message.actor_name == "forbidden":
                message.fail()
                raise SkipMessage("never")

    broker.add_middleware(Guard())

    @dramatiq.actor(max_retries=0)
    def unwanted() -> None:
        raise AssertionError("it ran")

    @dramatiq.actor(max_retries=0)
    def forbidden() -> None:
        raise AssertionError("it ran")

    skipped, refused = unwanted.send(), forbidden.send()
    with working(broker):
        first, second = final_event(broker, skipped), final_event(broker, refused)

    # Then neither counts as a success: nothing has run
    assert (first["s"], first["why"]) == ("skipped", "not today")
    assert (second["s"], second["why"]) == ("dead", "never")
    assert "sta" not in first
    assert "sta" not in second


def test_a_message_that_is_too_old_for_dramatiqs_age_limit_is_dead_and_says_why(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0, max_age=1)
    def perish() -> None:
        raise AssertionError("it ran")

    message = perish.send()
    time.sleep(0.01)
    with working(broker):
        event = final_event(broker, message)
    assert (event["s"], event["why"]) == ("dead", "Message age limit exceeded")


@pytest.mark.alone
def test_a_delayed_message_is_one_run_ready_when_its_delay_is_over(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def later() -> None:
        pass

    message = later.send_with_options(delay=200)
    with working(broker):
        event = final_event(broker, message)

    assert run_events(broker, message) == [event]
    assert event["at"] + 200 <= event["rdy"] <= event["at"] + 300
    assert event["rdy"] <= event["sta"] <= event["rdy"] + 500
    assert event["q"] == "default"


def test_what_asked_for_a_run_stands_in_its_record(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def report() -> int | None:
        run = current_run()
        return None if run is None else run.due_at_ms

    options = {"trigger": "schedule", "schedule_id": 7, "due_at": 1_700_000_000_000, "requested_by": "ada"}
    message = broker.enqueue(report.message().copy(options=options))
    with working(broker):
        event = final_event(broker, message)

    assert [event[key] for key in ("trg", "sch", "due", "by")] == ["schedule", 7, 1_700_000_000_000, "ada"]
    assert event["res"] == 1_700_000_000_000


@pytest.mark.parametrize("result", [None, False, 0, "", [], {}])
def test_a_result_is_kept_unless_it_is_none(broker: Broker, result: Any) -> None:
    @dramatiq.actor(max_retries=0)
    def give() -> Any:
        return result

    message = give.send()
    with working(broker):
        event = final_event(broker, message)
    assert event.get("res") == result
    assert ("res" in event) == (result is not None)
