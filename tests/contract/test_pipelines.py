"""Actors chained one after the other."""

import time
from typing import Any

import dramatiq
import pytest
from dramatiq import pipeline
from dramatiq.middleware import Middleware, SkipMessage
from dramatiq.results import ResultMissing, ResultTimeout

from helpers.workers import Calls, declare, left_over, wait_until_empty, working


@pytest.fixture
def add(broker: Any) -> Any:
    """An actor that adds its arguments and keeps the sum."""
    return declare(broker, lambda *numbers: sum(numbers), actor_name="add", store_results=True)


def test_each_part_is_given_the_result_of_the_one_before_after_its_own_arguments(broker: Any) -> None:
    ran = Calls()

    @dramatiq.actor
    def join(*words: str, **more: str) -> str:
        ran.note((words, more))
        return "".join(words)

    (join.message("a", "b") | join.message("c", end="!") | join.message()).run()
    with working(broker):
        assert ran.wait_for(3) == [(("a", "b"), {}), (("c", "ab"), {"end": "!"}), (("cab",), {})]
        wait_until_empty(broker)


def test_a_pipeline_has_the_result_of_its_last_part_and_those_of_all(broker: Any, add: Any) -> None:
    pipe = add.message(1) | add.message(10) | add.message(100)
    assert len(pipe) == 3
    assert pipe.run() is pipe
    with working(broker):
        assert pipe.get_result(block=True, timeout=5_000) == 111
        assert list(pipe.get_results(block=True, timeout=5_000)) == [1, 11, 111]
    assert pipe.completed
    assert pipe.completed_count == 3


def test_a_pipeline_says_how_far_it_has_come(broker: Any, add: Any) -> None:
    pipe = add.message(1) | add.message_with_options(args=(10,), delay=60_000) | add.message(100)
    pipe.run()
    with working(broker):
        assert pipe.messages[0].get_result(block=True, timeout=5_000) == 1
    assert not pipe.completed
    assert pipe.completed_count == 1
    with pytest.raises(ResultMissing):
        pipe.get_result()
    with pytest.raises(ResultTimeout):
        pipe.get_result(block=True, timeout=1_000)


def test_pipelines_are_joined_into_one(broker: Any, add: Any) -> None:
    inner = pipeline([add.message(1), add.message(2)])
    outer = pipeline([inner, add.message(3), add.message(4) | add.message(5)])
    longer = outer | add.message(6)
    assert [len(each) for each in (inner, outer, longer)] == [2, 5, 6]
    longer.run()
    with working(broker):
        assert longer.get_result(block=True, timeout=5_000) == 21


def test_a_pipeline_that_was_run_may_be_run_again(broker: Any) -> None:
    ran = Calls()
    work = declare(broker, ran.note, actor_name="work")
    pipe = work.message("x") | work.message()
    pipe.run()
    pipe.run()
    with working(broker):
        ran.wait_for(4)
        wait_until_empty(broker)
    assert len(ran.made) == 4


def test_a_part_that_ignores_the_result_before_it_gets_its_own_arguments_only(broker: Any) -> None:
    ran = Calls()
    work = declare(broker, lambda *what: ran.note(what), actor_name="work")
    first, second = work.message("first"), work.message_with_options(args=("second",), pipe_ignore=True)
    (first | second | work.message("third")).run()
    with working(broker):
        assert ran.wait_for(3) == [("first",), ("second",), ("third", 2)]


def test_the_results_of_an_actor_that_is_declared_to_be_ignored_go_nowhere(broker: Any) -> None:
    ran = Calls()
    first = declare(broker, lambda: "ignored", actor_name="first", pipe_ignore=True)
    second = declare(broker, lambda *what: ran.note(what), actor_name="second")
    (first.message() | second.message("own")).run()
    with working(broker):
        assert ran.wait_for(1) == [("own",)]


def test_a_part_that_is_to_wait_waits_from_the_end_of_the_one_before(broker: Any) -> None:
    times = Calls()
    work = declare(broker, lambda *_: times.note(time.monotonic()), actor_name="work")
    parts = [work.message(), work.message_with_options(delay=300), work.message_with_options(delay=200)]
    pipeline(parts).run()
    with working(broker):
        first, second, third = times.wait_for(3)
        wait_until_empty(broker)
    assert 0.29 <= second - first < 3
    assert 0.19 <= third - second < 3


@pytest.mark.parametrize(
    ("own", "whole", "least"), [(None, 300, 300), (300, None, 300), (100, 300, 300), (300, 100, 300)]
)
def test_a_pipeline_starts_after_the_longer_of_its_own_delay_and_its_first_parts(
    broker: Any, own: int | None, whole: int | None, least: int
) -> None:
    times = Calls()
    work = declare(broker, lambda *_: times.note(time.monotonic()), actor_name="work")
    first = work.message_with_options(**({} if own is None else {"delay": own}))
    begun = time.monotonic()
    (first | work.message()).run(delay=whole)
    with working(broker):
        started, next_one = times.wait_for(2)
    assert started - begun >= least / 1000 - 0.01
    assert next_one - started < 0.25


def test_a_failed_part_stops_the_pipeline(broker: Any) -> None:
    ran = Calls()

    @dramatiq.actor(max_retries=0)
    def fail() -> None:
        raise RuntimeError

    work = declare(broker, ran.note, actor_name="work")
    (fail.message() | work.message()).run()
    with working(broker):
        wait_until_empty(broker)
    assert ran.made == []
    assert left_over(broker) == 0


def test_a_part_that_succeeds_at_last_passes_its_result_on_once(broker: Any) -> None:
    attempts, ran = Calls(), Calls()

    @dramatiq.actor(min_backoff=100, max_backoff=100)
    def flaky() -> str:
        if attempts.note() < 3:
            raise RuntimeError
        return "at last"

    work = declare(broker, ran.note, actor_name="work")
    (flaky.message() | work.message()).run()
    with working(broker):
        ran.wait_for(1)
        wait_until_empty(broker)
    assert ran.made == ["at last"]


@pytest.mark.parametrize("refused", [False, True], ids=["acknowledged", "rejected"])
def test_what_comes_after_a_skipped_part_does_not_run(broker: Any, refused: bool) -> None:
    class Doorkeeper(Middleware):
        def before_process_message(self, broker: Any, message: Any) -> None:
            if message.actor_name == "skipped":
                if refused:
                    message.fail()
                raise SkipMessage("not you")

    broker.add_middleware(Doorkeeper())
    ran = Calls()
    skipped = declare(broker, ran.note, actor_name="skipped")
    work = declare(broker, ran.note, actor_name="work")
    (skipped.message("x") | work.message()).run()
    with working(broker):
        wait_until_empty(broker)
    assert ran.made == []


def test_the_parts_of_a_pipeline_may_be_on_different_queues(broker: Any) -> None:
    ran = Calls()

    def part(name: str) -> Any:
        return declare(
            broker, lambda *what: ran.note((name, *what)) and name, actor_name=name, queue_name=f"q-{name}"
        ).message()

    (part("a") | part("b") | part("c")).run()
    with working(broker):
        assert ran.wait_for(3) == [("a",), ("b", "a"), ("c", "b")]


def test_parts_have_the_ids_that_their_messages_were_built_with(broker: Any, add: Any) -> None:
    first, second = add.message(1), add.message(2)
    (first | second).run()
    with working(broker):
        assert second.get_result(block=True, timeout=5_000) == 3
    assert first.get_result() == 1
    assert "pipe_target" not in first.options


def test_a_long_pipeline_runs_to_its_end(broker: Any, add: Any) -> None:
    pipe = pipeline([add.message(1) for _ in range(40)])
    pipe.run()
    with working(broker):
        assert pipe.get_result(block=True, timeout=10_000) == 40
        wait_until_empty(broker)


def test_each_part_goes_through_the_hooks_of_a_message_that_is_enqueued(broker: Any, add: Any) -> None:
    told = Calls()

    class Look(Middleware):
        def before_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
            message.options["seen"] = True

        def after_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
            told.note((message.args, delay))

        def before_process_message(self, broker: Any, message: Any) -> None:
            assert message.options["seen"]

    broker.add_middleware(Look())
    pipe = add.message(1) | add.message(2)
    pipe.run()
    with working(broker):
        assert pipe.get_result(block=True, timeout=5_000) == 3
    assert [(tuple(args), delay) for args, delay in told.made] == [((1,), None), ((2, 1), None)]


def test_a_callback_is_told_of_a_part_as_of_any_other_message(broker: Any, add: Any) -> None:
    told = Calls()
    tell = declare(broker, lambda message, result: told.note(result), actor_name="tell")
    (add.message(1) | add.message_with_options(args=(2,), on_success=tell)).run()
    with working(broker):
        assert told.wait_for(1) == [3]
