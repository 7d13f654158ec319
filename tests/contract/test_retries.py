"""What becomes of a message whose actor fails."""

import time
from typing import Any

import dramatiq
import pytest
from dramatiq import Message, RateLimitExceeded
from dramatiq.middleware import CurrentMessage, Middleware

from helpers.workers import Calls, dead_letters, declare, wait_until_empty, working

#: Delays that a test can wait for.
SOON = {"min_backoff": 100, "max_backoff": 100}


def fails(calls: Calls, times: int, error: BaseException | None = None) -> Any:
    """A function that fails so many times and then succeeds."""

    def work(*args: Any) -> str:
        if calls.note(args) <= times:
            raise error or RuntimeError("not yet")
        return "done"

    return work


def test_a_message_that_fails_is_tried_again_until_it_succeeds(broker: Any) -> None:
    attempts = Calls()
    work = declare(broker, fails(attempts, 3), **SOON, store_results=True)
    message = work.send("x")
    with working(broker):
        assert message.get_result(block=True, timeout=8_000) == "done"
        wait_until_empty(broker)
    assert attempts.made == [("x",)] * 4
    assert dead_letters(broker) == []


def test_a_retry_has_the_messages_id_and_says_which_one_it_is_and_why(broker: Any) -> None:
    broker.add_middleware(CurrentMessage())
    seen = Calls()

    def work() -> None:
        message = CurrentMessage.get_current_message()
        assert message is not None
        options = message.options
        if seen.note((message.message_id, message.message_timestamp, dict(options))) < 3:
            raise ValueError(f"attempt {len(seen.made)}")

    sent = declare(broker, work, **SOON).send()
    begun = time.time() * 1000
    with working(broker):
        seen.wait_for(3)
    assert {(run_id, at) for run_id, at, _ in seen.made} == {(sent.message_id, sent.message_timestamp)}
    first, second, third = (options for _, _, options in seen.made)
    assert "retries" not in first
    assert (second["retries"], third["retries"]) == (1, 2)
    assert "ValueError: attempt 1" in second["traceback"]
    assert "ValueError: attempt 2" in third["traceback"]
    assert begun - 1_000 < second["requeue_timestamp"] <= third["requeue_timestamp"]


@pytest.mark.parametrize("retries", [0, 2])
def test_a_message_without_attempts_left_becomes_a_dead_letter(broker: Any, retries: int) -> None:
    attempts = Calls()
    message = declare(broker, fails(attempts, 99), actor_name="work", max_retries=retries, **SOON).send("x")
    with working(broker):
        attempts.wait_for(retries + 1)
        wait_until_empty(broker)
    assert len(attempts.made) == retries + 1
    (letter,) = map(Message.decode, dead_letters(broker))
    assert (letter.message_id, letter.args) == (message.message_id, ("x",))


def test_a_messages_own_number_of_retries_goes_before_its_actors(broker: Any) -> None:
    attempts = Calls()
    work = declare(broker, fails(attempts, 99), actor_name="work", max_retries=5, **SOON)
    work.send_with_options(args=("one",), max_retries=1)
    with working(broker):
        attempts.wait_for(2)
        wait_until_empty(broker)
    assert len(attempts.made) == 2


def test_without_a_number_of_retries_there_is_no_end_to_them(broker: Any) -> None:
    attempts = Calls()
    work = declare(
        broker, fails(attempts, 23), actor_name="work", max_retries=None, min_backoff=5, max_backoff=5
    )
    work.send()
    with working(broker):
        attempts.wait_for(24)
        wait_until_empty(broker)
    assert dead_letters(broker) == []


def test_delays_begin_with_the_least_and_double_up_to_the_most(broker: Any) -> None:
    delays = Calls()

    class Look(Middleware):
        def after_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
            if delay is not None:
                delays.note(delay)

    broker.add_middleware(Look())
    declare(broker, fails(Calls(), 4), actor_name="work", min_backoff=50, max_backoff=300).send()
    with working(broker):
        delays.wait_for(4)
        wait_until_empty(broker)
    for delay, least, most in zip(delays.made, (50, 100, 150, 150), (100, 200, 300, 300), strict=True):
        assert least <= delay <= most


def test_a_retry_does_not_start_before_its_time(broker: Any) -> None:
    times = Calls()

    def work() -> None:
        if times.note(time.monotonic()) == 1:
            raise RuntimeError

    declare(broker, work, min_backoff=600, max_backoff=600).send()
    with working(broker):
        first, second = times.wait_for(2)
    assert second - first >= 0.29


@pytest.mark.parametrize("throws", [KeyError, (ValueError, LookupError)], ids=["one", "several"])
def test_an_exception_that_an_actor_may_throw_is_never_tried_again(broker: Any, throws: Any) -> None:
    attempts, others = Calls(), Calls()
    declare(broker, fails(attempts, 99, KeyError("gone")), actor_name="work", throws=throws, **SOON).send()
    declare(broker, fails(others, 1, OSError()), actor_name="other", throws=throws, **SOON).send()
    with working(broker):
        others.wait_for(2)
        wait_until_empty(broker)
    assert len(attempts.made) == 1
    assert [Message.decode(letter).actor_name for letter in dead_letters(broker)] == ["work"]


def test_a_predicate_decides_on_retries_before_their_number_does(broker: Any) -> None:
    asked, attempts = Calls(), Calls()

    def again(retries: int, error: BaseException) -> bool:
        asked.note((retries, type(error)))
        return retries < 2

    work = declare(
        broker, fails(attempts, 99, OSError()), actor_name="work", retry_when=again, max_retries=0, **SOON
    )
    work.send()
    with working(broker):
        attempts.wait_for(3)
        wait_until_empty(broker)
    assert asked.made == [(0, OSError), (1, OSError), (2, OSError)]
    assert len(attempts.made) == 3
    assert len(dead_letters(broker)) == 1


def test_an_actor_may_ask_for_a_retry_and_say_when(broker: Any, caplog: pytest.LogCaptureFixture) -> None:
    times = Calls()

    def work() -> None:
        if times.note(time.monotonic()) == 1:
            raise dramatiq.Retry("busy", delay=300)

    # Its own delay goes before the actor's
    declare(broker, work, min_backoff=60_000, max_backoff=60_000).send()
    with working(broker):
        first, second = times.wait_for(2)
    assert 0.29 <= second - first < 5
    assert "unhandled exception" not in caplog.text


def test_a_retry_that_is_asked_for_counts_as_any_other(broker: Any) -> None:
    attempts = Calls()
    work = fails(attempts, 99, dramatiq.Retry("busy", delay=10))
    declare(broker, work, max_retries=2).send()
    with working(broker):
        attempts.wait_for(3)
        wait_until_empty(broker)
    assert len(attempts.made) == 3
    assert len(dead_letters(broker)) == 1


def test_a_rate_limit_exceeded_is_tried_again_without_being_logged_as_an_error(
    broker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    attempts = Calls()
    declare(broker, fails(attempts, 1, RateLimitExceeded("full")), actor_name="work", **SOON).send()
    with working(broker):
        attempts.wait_for(2)
        wait_until_empty(broker)
    assert "unhandled exception" not in caplog.text


def test_a_message_with_wrong_arguments_fails_as_any_other(broker: Any) -> None:
    work = declare(broker, lambda a: None, actor_name="work", max_retries=0)
    work.send(1, 2, 3)  # type: ignore[call-arg]
    with working(broker):
        wait_until_empty(broker)
    assert len(dead_letters(broker)) == 1
