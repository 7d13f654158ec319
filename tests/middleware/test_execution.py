"""What a job says while it runs: progress, result, error, and the limits of all that."""

import time
from typing import Any

import dramatiq
import pytest

from callboard.core.limits import MAX_ARGS_BYTES, MAX_ERROR, MAX_TRACEBACK
from callboard.middleware.broker import Broker
from callboard.middleware.execution import current_run, progress
from helpers.waiting import wait_for
from helpers.workers import Calls, events, final_event, run_events, wait_until_empty, working


def test_outside_of_a_worker_there_is_no_run_and_progress_says_nothing() -> None:
    assert current_run() is None
    progress(1, 2, "nobody listens")


def test_a_job_knows_its_own_run(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def introspect() -> dict[str, Any]:
        run = current_run()
        assert run is not None
        return {
            "id": run.run_id,
            "job": run.job,
            "attempt": run.attempt,
            "due": run.due_at_ms,
            "fence": run.fence,
        }

    message = introspect.send()
    with working(broker):
        event = final_event(broker, message)
    assert event["res"] == {
        "id": message.message_id,
        "job": "introspect",
        "attempt": 1,
        "due": None,
        "fence": None,
    }


def test_the_progress_of_a_running_job_is_shown_while_it_runs(broker: Broker) -> None:
    # Given a job that says how far it has come, and waits to be seen
    release = Calls()

    @dramatiq.actor(max_retries=0)
    def count() -> None:
        for done in range(1, 4):
            progress(done, 3, f"page {done}")
        wait_for(lambda: release.made)
        progress(3, 3, "all pages")

    message = count.send()
    with working(broker):
        # Then its latest word is in the stream before it ends
        shown = wait_for(
            lambda: [event["prg"] for event in run_events(broker, message) if "prg" in event],
            what="progress",
        )
        assert shown == [{"done": 3, "total": 3, "note": "page 3"}]
        release.note()
        event = final_event(broker, message)

    # And its last word is part of how it ended
    assert event["prg"] == {"done": 3, "total": 3, "note": "all pages"}


def test_what_a_running_job_says_after_it_was_announced_comes_as_notes(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def climb() -> None:
        time.sleep(0.3)
        progress(1, 2)
        time.sleep(0.9)
        progress(2, 2)

    message = climb.send()
    with working(broker):
        final_event(broker, message)

    (note,) = events(broker, "note")
    assert (note["id"], note["n"], note["prg"]["done"]) == (message.message_id, 1, 1)


def test_the_last_progress_is_part_of_the_outcome_even_when_a_note_has_told_it(broker: Broker) -> None:
    # Given a job whose last word was sent as a note while it still ran
    @dramatiq.actor(max_retries=0)
    def finish_slowly() -> None:
        time.sleep(0.2)
        progress(7, 7)
        wait_for(lambda: events(broker, "note"))

    message = finish_slowly.send()
    with working(broker):
        event = final_event(broker, message)

    # Then the outcome repeats it: a recorder that reads both at once must not lose it
    assert event["prg"]["done"] == 7


def test_a_long_note_is_cut_and_says_so(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def ramble() -> None:
        progress(1, note="x" * 500)

    message = ramble.send()
    with working(broker):
        event = final_event(broker, message)
    note = event["prg"]["note"]
    assert len(note) <= 200
    assert "[cut:" in note


def test_a_result_beyond_the_limit_is_cut_and_says_how_large_it_was(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def spill() -> list[str]:
        return ["x" * 1_000] * 1_000

    message = spill.send()
    with working(broker):
        event = final_event(broker, message)
    assert event["s"] == "succeeded"
    assert event["res"]["bytes"] > 1_000_000
    assert "[cut:" in event["res"]["cut"]
    assert len(event["res"]["cut"]) <= 2_000


def _circle() -> list[Any]:
    circle: list[Any] = []
    circle.append(circle)
    return circle


def _pit(depth: int, bottom: Any = None) -> Any:
    pit = bottom
    for _ in range(depth):
        pit = [pit]
    return pit


class Mute:
    def __str__(self) -> str:
        raise RuntimeError("speechless")


UNFIT = {
    "bytes": (b"bytes", "b'bytes'"),
    "odd keys": ({1: "one", (2, 3): "pair"}, {"1": "one", "(2, 3)": "pair"}),
    "a set": ({"x"}, "{'x'}"),
    "NaN": (float("nan"), None),
    "a huge int": ([2**80, 1], [str(2**80), 1]),
    "a surrogate": ("lone \ud800 surrogate", "lone \ufffd surrogate"),
    "NUL": ("nul \0 here", "nul \ufffd here"),
    "a circle": (_circle(), ["[cut: it contains itself]"]),
    "deep": (_pit(600), _pit(49, "[cut: nested too deeply]")),
    "bottomless": (_pit(20_000), _pit(49, "[cut: nested too deeply]")),
    "an object without words": (Mute(), "<Mute>"),
    "one in a list": ([Mute()], ["<Mute>"]),
}


@pytest.mark.parametrize(("result", "shown"), UNFIT.values(), ids=UNFIT.keys())
def test_a_result_that_json_cannot_hold_ends_the_run_all_the_same(
    broker: Broker, result: Any, shown: Any
) -> None:
    # Given a job that returns something awkward
    @dramatiq.actor(max_retries=0)
    def give() -> Any:
        return result

    @dramatiq.actor(max_retries=0)
    def follow() -> int:
        return 1

    # When it runs, and another after it in the same thread
    message, next_message = give.send(), follow.send()
    with working(broker, threads=1):
        after = final_event(broker, next_message)
        event = final_event(broker, message)
        wait_until_empty(broker)

    # Then both have succeeded, and nothing is stuck
    assert (event["s"], after["s"]) == ("succeeded", "succeeded")
    assert event["res"] == shown


def test_arguments_beyond_the_limit_are_not_copied_into_the_record(broker: Broker) -> None:
    # Given a message of a megabyte
    @dramatiq.actor(max_retries=0)
    def measure(text: str) -> int:
        return len(text)

    message = measure.send("x" * 1_000_000)
    with working(broker):
        event = final_event(broker, message)

    # Then the actor got all of it, and the record says that it was cut
    assert event["res"] == 1_000_000
    (shown,) = event["args"]
    assert shown.startswith("[cut: a message of 1000")
    assert len(shown) < MAX_ARGS_BYTES


AWKWARD = {
    "NUL": "a\0b",
    "a surrogate": "a\ud800b",
    "an astral sign": "a\U0001f3adb",
    "a huge int": 2**80,
    "a negative huge int": -(2**80),
    "NaN": float("nan"),
    "infinity": float("inf"),
    "deep": _pit(400),
    "COPY's own signs": "\\N\t\\.\n\r\x01",
}


@pytest.mark.parametrize("value", AWKWARD.values(), ids=AWKWARD.keys())
def test_awkward_arguments_reach_the_actor_whole_and_are_recorded(broker: Broker, value: Any) -> None:
    # Given a job, called with a value that JSON or PostgreSQL has trouble with
    got = Calls()

    @dramatiq.actor(max_retries=1, backoff="fixed")
    def take(value: Any, *, named: Any) -> None:
        got.note((value, named))
        raise ValueError(repr(value)[:100])

    message = take.message_with_options(args=(value,), kwargs={"named": value}, max_retries=0)
    with working(broker):
        broker.enqueue(message)
        event = final_event(broker, message)
        wait_until_empty(broker)

    # Then it arrived as it was, and the run has ended
    assert event["s"] == "failed"
    assert repr(got.made) == repr([(value, value)])
    assert len(event["args"]) == 1


def test_an_error_and_a_traceback_beyond_the_limits_are_cut_and_say_so(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def complain() -> None:
        raise ValueError("x" * 100_000)

    message = complain.send()
    with working(broker):
        _, text, trace = final_event(broker, message)["err"]
    assert len(text) <= MAX_ERROR
    assert len(trace) <= MAX_TRACEBACK
    assert "[cut:" in text
    assert "[cut:" in trace


def test_an_error_that_cannot_say_what_it_is_ends_the_run_all_the_same(broker: Broker) -> None:
    # Given a job whose exception fails when it is asked for its words
    class UnspeakableError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("speechless")

    @dramatiq.actor(max_retries=0)
    def choke() -> None:
        raise UnspeakableError

    message = choke.send()
    with working(broker):
        event = final_event(broker, message)
        wait_until_empty(broker)
    assert event["s"] == "failed"
    assert event["err"][0] == "UnspeakableError"


def test_an_error_without_words_is_named_by_its_type(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def stop() -> None:
        raise KeyboardInterrupt

    message = stop.send()
    with working(broker):
        event = final_event(broker, message)
    assert event["err"][:2] == ["KeyboardInterrupt", "KeyboardInterrupt"]
