"""Whether a failed run is tried again, and when."""

import time
from typing import Any

import dramatiq
import pytest
from dramatiq import Retry
from dramatiq.middleware import Retries as StockRetries

from callboard.core.backoff import exponential, fixed, linear
from callboard.middleware.broker import Broker
from callboard.middleware.retries import Retries
from helpers.workers import Calls, Event, dead_letters, final_event, run_events, wait_until_empty, working


def delays(broker: Broker, message: dramatiq.Message[Any]) -> list[int]:
    """The planned delay before each retry of a run, in ms; it counts from a moment after the failure."""
    return [event["rat"] - event["fin"] for event in run_events(broker, message) if "rat" in event]


def close(actual: list[int], planned: list[int]) -> bool:
    """Whether the delays are the planned ones, but for the time that logging a failure takes."""
    return all(0 <= a - p < 100 for a, p in zip(actual, planned, strict=True))


def ends(broker: Broker, message: dramatiq.Message[Any]) -> Event:
    """Run a message to its end."""
    broker.enqueue(message)
    with working(broker):
        event = final_event(broker, message)
        wait_until_empty(broker)
    return event


def test_two_retries_are_three_attempts_in_all(broker: Broker) -> None:
    # Given "retries: 3" as people say it: three attempts
    attempts = Calls()

    @dramatiq.actor(max_retries=2, backoff=fixed(1))
    def work() -> None:
        attempts.note()
        raise ConnectionError

    event = ends(broker, work.message())
    assert len(attempts.made) == 3
    assert (event["s"], event["n"], event["m"]) == ("failed", 3, 3)
    assert len(dead_letters(broker)) == 1


def test_no_retries_is_one_attempt(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def work() -> None:
        raise ConnectionError

    event = ends(broker, work.message())
    assert (event["s"], event["n"], event["m"]) == ("failed", 1, 1)


@pytest.mark.parametrize(
    ("backoff", "planned"),
    [
        (linear(150), [150, 300, 450]),
        (linear(150, cap_ms=280), [150, 280, 280]),
        (exponential(120, jitter=0), [120, 240, 480]),
        (fixed(110), [110, 110, 110]),
    ],
    ids=str,
)
def test_the_delays_follow_the_policy(broker: Broker, backoff: Any, planned: list[int]) -> None:
    # Given a job that fails four times under a policy
    times = Calls()

    @dramatiq.actor(max_retries=3, backoff=backoff)
    def work() -> None:
        times.note(time.time() * 1000)
        raise ConnectionError

    message = work.message()
    ends(broker, message)

    # Then its retries were planned so, and did not begin before
    assert close(delays(broker, message), planned)
    gaps = [after - before for before, after in zip(times.made, times.made[1:], strict=False)]
    for gap, delay in zip(gaps, planned, strict=True):
        assert delay - 2 <= gap < delay + 500


def test_the_policies_of_the_names_are_those_of_the_seconds_that_people_expect(broker: Broker) -> None:
    retries = Retries()
    for name, first in (("linear", 5_000), ("fixed", 15_000)):
        assert retries._policy({"backoff": name}).delay_ms(1) == first
    delay = retries._policy({"backoff": "exponential"}).delay_ms(1)
    assert 7_500 <= delay <= 15_000


def test_dramatiqs_own_options_shape_the_delays_where_no_policy_is_named(broker: Broker) -> None:
    @dramatiq.actor(max_retries=3, min_backoff=40, max_backoff=90)
    def work() -> None:
        raise ConnectionError

    message = work.message()
    ends(broker, message)
    first, second, third = delays(broker, message)
    assert 40 <= first < 190
    assert 40 <= second < 180
    assert 40 <= third < 190


def test_an_exception_that_the_job_is_known_to_throw_is_final(broker: Broker) -> None:
    @dramatiq.actor(max_retries=5, backoff=fixed(1), throws=(LookupError,))
    def work() -> None:
        raise KeyError("gone")

    event = ends(broker, work.message())
    assert (event["s"], event["n"], event["err"][0]) == ("failed", 1, "KeyError")
    assert len(dead_letters(broker)) == 1


def test_a_job_may_decide_itself_whether_it_is_worth_another_attempt(broker: Broker) -> None:
    # Given a job that is to be tried again while it fails for lack of a connection, four times at most
    asked = Calls()

    def again(retries: int, error: BaseException) -> bool:
        asked.note((retries, type(error).__name__))
        return isinstance(error, ConnectionError) and retries < 4

    attempts = Calls()

    @dramatiq.actor(max_retries=0, retry_when=again, backoff=fixed(1))
    def work() -> None:
        raise ConnectionError if attempts.note() < 3 else ValueError

    event = ends(broker, work.message())
    assert asked.made == [(0, "ConnectionError"), (1, "ConnectionError"), (2, "ValueError")]
    assert (event["s"], event["n"]) == ("failed", 3)
    assert "m" not in event


def test_a_job_may_say_when_it_wants_to_be_tried_again(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a job that asks for its retry in 70 ms, under a policy of an hour
    @dramatiq.actor(max_retries=1, backoff=fixed(3_600_000))
    def work() -> None:
        raise Retry("the other side asked for patience", delay=70)

    message = work.message()
    event = ends(broker, message)

    # Then it is so, it counts as an attempt, and the log does not cry out
    assert close(delays(broker, message), [70])
    assert (event["s"], event["n"], event["err"][0]) == ("failed", 2, "Retry")
    assert "unhandled exception" not in caplog.text


def test_a_delay_beyond_what_dramatiq_allows_is_cut_to_it(broker: Broker) -> None:
    @dramatiq.actor(max_retries=1)
    def work() -> None:
        raise Retry("see you", delay=365 * 86_400_000)

    message = work.send()
    with working(broker):
        while not run_events(broker, message):
            time.sleep(0.02)
    (event,) = run_events(broker, message)
    assert event["s"] == "pending"
    assert close(delays(broker, message), [7 * 86_400_000])
    assert broker.client.llen(broker.keys.queue("default.DQ")) == 1


def test_another_actor_is_told_when_the_attempts_are_used_up(broker: Broker) -> None:
    told = Calls()

    @dramatiq.actor(max_retries=0)
    def mourn(message: dict[str, Any], facts: dict[str, Any]) -> None:
        told.note((message["actor_name"], message["args"], facts))

    @dramatiq.actor(max_retries=1, backoff=fixed(1), on_retry_exhausted="mourn")
    def work(number: int) -> None:
        raise ConnectionError

    message = work.send(7)
    with working(broker):
        final_event(broker, message)
        ((name, arguments, facts),) = told.wait_for(1)
    assert (name, list(arguments)) == ("work", [7])
    assert facts == {"retries": 1, "max_retries": 1}


def test_a_message_may_have_retries_of_its_own(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0, backoff=fixed(1))
    def work() -> None:
        raise ConnectionError

    event = ends(broker, work.message_with_options(max_retries=2))
    assert (event["n"], event["m"]) == (3, 3)


def test_a_retry_is_the_same_run_with_the_same_arguments_and_options(broker: Broker) -> None:
    # Given a scheduled run whose job changes its arguments before it fails
    seen = Calls()

    @dramatiq.actor(max_retries=1, backoff=fixed(1))
    def work(items: list[int], *, extra: str) -> None:
        seen.note((list(items), extra))
        raise ConnectionError

    message = work.message([1, 2], extra="x").copy(
        options={"trigger": "schedule", "schedule_id": 3, "due_at": 1_700_000_000_000}
    )
    event = ends(broker, message)
    assert seen.made == [([1, 2], "x")] * 2
    assert (event["id"], event["n"]) == (message.message_id, 2)
    assert (event["trg"], event["sch"], event["due"]) == ("schedule", 3, 1_700_000_000_000)
    assert event["at"] == message.message_timestamp


def test_what_the_first_attempt_was_told_is_what_the_dead_letter_holds(broker: Broker) -> None:
    # Given a job that has used up its attempts
    @dramatiq.actor(max_retries=1, backoff=fixed(1))
    def work(number: int) -> None:
        raise ConnectionError("no route")

    message = work.message(5)
    ends(broker, message)

    # Then the letter can be sent again, and says what went wrong before
    letter = dramatiq.Message.decode(dead_letters(broker)[0])
    assert (letter.message_id, letter.args, letter.options["retries"]) == (message.message_id, (5,), 1)
    assert "no route" in letter.options["traceback"]


def test_the_settings_of_an_applications_own_retries_are_kept() -> None:
    def never(retries: int, error: BaseException) -> bool:
        return False

    broker = Broker(middleware=[StockRetries(max_retries=4, min_backoff=5, max_backoff=6, retry_when=never)])
    (ours,) = (m for m in broker.middleware if isinstance(m, StockRetries))
    assert isinstance(ours, Retries)
    assert (ours.max_retries, ours.min_backoff, ours.max_backoff) == (4, 5, 6)
    assert ours.retry_when is never


def test_a_retry_predicate_that_fails_ends_the_run_instead_of_losing_it(broker: Broker) -> None:
    def broken(retries: int, error: BaseException) -> bool:
        raise RuntimeError("the predicate itself")

    @dramatiq.actor(retry_when=broken)
    def work() -> None:
        raise ConnectionError

    event = ends(broker, work.message())
    assert (event["s"], event["err"][0]) == ("failed", "ConnectionError")
    assert len(dead_letters(broker)) == 1


def test_arguments_that_the_actor_does_not_take_are_not_tried_again(broker: Broker) -> None:
    # Given a message of an older version of the job, and a TypeError that the job raises by itself
    attempts = Calls()

    @dramatiq.actor(max_retries=2, backoff=fixed(1))
    def work(number: int) -> None:
        attempts.note()
        raise TypeError("not this time")

    misfit = work.send(1, "and one that is no more")
    fits = work.send(1)
    with working(broker):
        assert final_event(broker, misfit)["n"] == 1
        assert final_event(broker, fits)["n"] == 3
    assert "positional argument" in final_event(broker, misfit)["err"][1]
    assert len(attempts.made) == 3


@pytest.mark.parametrize(
    ("asked", "planned"),
    [(60, 60_000), (0.5, 5_000), (None, 5_000), ("soon", 5_000), (float("nan"), 5_000), (-1, 5_000)],
    ids=str,
)
def test_whoever_asks_to_be_left_alone_is_left_alone_for_that_long(
    broker: Broker, asked: object, planned: int
) -> None:
    # Given a service that asks for a wait, and a policy of five seconds
    class Busy(Exception):
        retry_after = asked

    retries = next(each for each in broker.middleware if isinstance(each, Retries))

    @dramatiq.actor(max_retries=2, backoff=fixed(5_000))
    def calls() -> None: ...

    # When the delay of its retry is made
    delay = retries._delay(0, Busy(), calls.message(), calls.options)
    # Expect the longer of the two
    assert delay == planned
