"""Actors that run side by side."""

import time
from typing import Any

import dramatiq
import pytest
from dramatiq import group
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits.backends import RedisBackend
from dramatiq.results import ResultMissing, ResultTimeout

from helpers.workers import Calls, declare, left_over, wait_until_empty, working

#: Delays that a test can wait for.
SOON = {"min_backoff": 100, "max_backoff": 100}


@pytest.fixture
def add(broker: Any) -> Any:
    """An actor that adds its arguments and keeps the sum."""
    return declare(broker, lambda *numbers: sum(numbers), actor_name="add", store_results=True)


@pytest.fixture
def calling_back(broker: Any) -> Any:
    """The broker, with the middleware by which groups tell that they are complete."""
    broker.add_middleware(GroupCallbacks(RedisBackend(client=broker.client)))
    return broker


def test_a_group_has_the_results_of_its_messages_in_their_order(broker: Any, add: Any) -> None:
    together = group([add.message(number, 1) for number in range(10)])
    assert len(together) == 10
    assert together.run() is together
    with working(broker):
        assert list(together.get_results(block=True, timeout=5_000)) == list(range(1, 11))
    assert together.completed
    assert together.completed_count == 10


def test_a_groups_messages_run_at_the_same_time(broker: Any) -> None:
    inside = Calls()

    @dramatiq.actor(store_results=True)
    def meet() -> int:
        inside.note()
        inside.wait_for(3, timeout=5)
        return len(inside.made)

    together = group(meet.message() for _ in range(3)).run()
    with working(broker, threads=3):
        assert list(together.get_results(block=True, timeout=8_000)) == [3, 3, 3]


def test_a_group_can_be_waited_for(broker: Any, add: Any) -> None:
    together = group([add.message(1), add.message_with_options(args=(2,))]).run(delay=300)
    with pytest.raises(ResultTimeout):
        together.wait(timeout=1_000)
    with pytest.raises(ResultMissing):
        list(together.get_results())
    assert (together.completed, together.completed_count) == (False, 0)
    with working(broker):
        together.wait(timeout=5_000)
    assert together.completed


def test_a_delayed_group_waits_with_all_of_its_messages(broker: Any) -> None:
    times = Calls()
    work = declare(broker, lambda: times.note(time.monotonic()), actor_name="work")
    begun = time.monotonic()
    group([work.message(), work.message(), work.message() | work.message_with_options(pipe_ignore=True)]).run(
        delay=300
    )
    with working(broker):
        started = times.wait_for(4)
    assert min(started) - begun >= 0.29


def test_pipelines_in_a_group_run_side_by_side(broker: Any, add: Any) -> None:
    together = group([add.message(1) | add.message(2), add.message(3), add.message(4) | add.message(5)]).run()
    with working(broker):
        assert list(together.get_results(block=True, timeout=5_000)) == [3, 3, 9]
    assert together.completed


def test_groups_in_a_group_have_lists_of_results(broker: Any, add: Any) -> None:
    inner = group([add.message(1), group([add.message(2), add.message(3)])])
    together = group([inner, add.message(4)]).run()
    with working(broker):
        assert list(together.get_results(block=True, timeout=5_000)) == [[1, [2, 3]], 4]
    assert together.completed_count == 2


def test_a_group_calls_back_once_when_all_of_it_is_done(calling_back: Any) -> None:
    done, told = Calls(), Calls()
    work = declare(calling_back, done.note, actor_name="work")
    tell = declare(calling_back, lambda what: told.note((what, len(done.made))), actor_name="tell")
    together = group(work.message(number) for number in range(12))
    together.add_completion_callback(tell.message("all done"))
    together.add_completion_callback(tell.message("again"))
    together.run()
    with working(calling_back):
        told.wait_for(2)
        wait_until_empty(calling_back)
    assert sorted(told.made) == [("again", 12), ("all done", 12)]


def test_a_group_of_one_calls_back(calling_back: Any) -> None:
    told = Calls()
    work = declare(calling_back, lambda: None, actor_name="work")
    tell = declare(calling_back, lambda: told.note(), actor_name="tell")
    alone = group([work.message()])
    alone.add_completion_callback(tell.message())
    alone.run()
    with working(calling_back):
        told.wait_for(1)
        wait_until_empty(calling_back)
    assert len(told.made) == 1


def test_a_group_calls_back_after_the_retries_of_what_failed_first(calling_back: Any) -> None:
    attempts, told = Calls(), Calls()

    def work(number: int) -> None:
        attempts.note(number)
        if number == 1 and attempts.made.count(1) < 3:
            raise RuntimeError

    work_ = declare(calling_back, work, **SOON)
    tell = declare(calling_back, lambda: told.note(attempts.made.count(1)), actor_name="tell")
    together = group(work_.message(number) for number in range(3))
    together.add_completion_callback(tell.message())
    together.run()
    with working(calling_back):
        assert told.wait_for(1) == [3]
        wait_until_empty(calling_back)
    assert told.made == [3]


def test_a_group_of_which_a_part_fails_for_good_does_not_call_back(calling_back: Any) -> None:
    told = Calls()

    @dramatiq.actor(max_retries=0)
    def work(number: int) -> None:
        if number == 1:
            raise RuntimeError

    tell = declare(calling_back, lambda: told.note(), actor_name="tell")
    together = group(work.message(number) for number in range(3))
    together.add_completion_callback(tell.message())
    together.run()
    with working(calling_back):
        wait_until_empty(calling_back)
    assert told.made == []


def test_a_group_of_pipelines_calls_back_when_their_last_parts_are_done(calling_back: Any) -> None:
    done, told = Calls(), Calls()
    work = declare(calling_back, lambda *what: done.note(what), actor_name="work")
    tell = declare(calling_back, lambda: told.note(len(done.made)), actor_name="tell")
    later = work.message_with_options(delay=200)
    together = group(
        [work.message() | work.message(), work.message(), work.message() | later | work.message()]
    )
    together.add_completion_callback(tell.message())
    together.run()
    with working(calling_back):
        assert told.wait_for(1) == [6]
        wait_until_empty(calling_back)
    assert told.made == [6]


def test_a_group_that_is_run_twice_calls_back_twice(calling_back: Any) -> None:
    told = Calls()
    work = declare(calling_back, lambda: None, actor_name="work")
    tell = declare(calling_back, lambda: told.note(), actor_name="tell")
    together = group([work.message(), work.message()])
    together.add_completion_callback(tell.message())
    together.run()
    together.run()
    with working(calling_back):
        told.wait_for(2)
        wait_until_empty(calling_back)
    assert len(told.made) == 2


def test_what_is_called_back_may_begin_the_next_group(calling_back: Any) -> None:
    ran = Calls()
    work = declare(calling_back, ran.note, actor_name="work")

    def stage(number: int) -> None:
        ran.note(f"stage {number}")
        if number < 3:
            together = group([work.message(number), work.message(number)], broker=calling_back)
            together.add_completion_callback(calling_back.get_actor("stage").message(number + 1))
            together.run()

    declare(calling_back, stage).send(1)
    with working(calling_back):
        ran.wait_for(7)
        wait_until_empty(calling_back)
    assert ran.made == ["stage 1", 1, 1, "stage 2", 2, 2, "stage 3"]


def test_a_group_within_a_group_cannot_call_back(calling_back: Any, add: Any) -> None:
    together = group([group([add.message(1)])])
    together.add_completion_callback(add.message())
    with pytest.raises(NotImplementedError):
        together.run()
    assert left_over(calling_back) == 0
