"""A fleet in the middle of a change over: Dramatiq's workers and ours on the same queues.

Each test runs twice: what one of them sends or begins, the other goes on with.
"""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from dramatiq import Message, group
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import GroupCallbacks, default_middleware
from dramatiq.rate_limits.backends import RedisBackend as LimitsBackend
from dramatiq.results import ResultFailure, Results
from dramatiq.results.backends import RedisBackend

from callboard.middleware.broker import Broker
from helpers.waiting import wait_for
from helpers.workers import (
    Calls,
    dead_letters,
    declare,
    held,
    left_over,
    stock_broker,
    wait_until_empty,
    working,
)

#: Delays that a test can wait for.
SOON = {"min_backoff": 200, "max_backoff": 200}
#: Longer than it takes to start a worker, let it fetch and stop it, on a machine that is slow just then.
DELAY_MS = 3_000


class Fleet(NamedTuple):
    """The broker that begins, and the one that goes on."""

    first: Any
    second: Any

    def declare(self, function: Any, **options: Any) -> Any:
        """Declare an actor on both; returns the first one's."""
        declare(self.second, function, **options)
        return declare(self.first, function, **options)


@pytest.fixture(params=["from Dramatiq to Callboard", "from Callboard to Dramatiq"])
def fleet(request: pytest.FixtureRequest, ours: Broker) -> Iterator[Fleet]:
    """A broker of each kind on the same queues, with results and group callbacks in the same places."""
    stock: RedisBroker = stock_broker(ours, [kind() for kind in default_middleware])
    stock.add_middleware(Results(backend=RedisBackend(url=ours.url, namespace=f"{ours.namespace}-results")))
    for broker in (stock, ours):
        broker.add_middleware(GroupCallbacks(LimitsBackend(url=ours.url)))
    yield Fleet(stock, ours) if request.param.endswith("Callboard") else Fleet(ours, stock)
    stock.close()


def test_messages_run_wherever_they_were_sent(fleet: Fleet) -> None:
    ran = Calls()
    work = fleet.declare(ran.note, actor_name="work", queue_name="shared")
    work.send("plain")
    work.send_with_options(args=("delayed",), delay=200)
    with working(fleet.second):
        assert ran.wait_for(2) == ["plain", "delayed"]
        wait_until_empty(fleet.second, "shared")


def test_a_delayed_message_in_a_workers_hand_goes_on_in_the_others(fleet: Fleet) -> None:
    ran = Calls()
    work = fleet.declare(lambda: ran.note(time.monotonic()), actor_name="work")
    begun = time.monotonic()
    work.send_with_options(delay=DELAY_MS)
    with working(fleet.first):
        wait_for(lambda: held(fleet.first, "default.DQ"), what="the message in the worker's hand")
    assert (ran.made, left_over(fleet.first)) == ([], 1)
    with working(fleet.second):
        (started,) = ran.wait_for(1)
        wait_until_empty(fleet.second)
    assert started - begun >= DELAY_MS / 1000 - 0.01


def test_a_retry_goes_on_in_the_other_with_its_count(fleet: Fleet) -> None:
    attempts, exhausted = Calls(), Calls()
    fleet.declare(lambda message, facts: exhausted.note(facts), actor_name="tell")

    def work() -> None:
        attempts.note()
        raise RuntimeError

    fleet.declare(work, max_retries=2, on_retry_exhausted="tell", **SOON).send()
    with working(fleet.first):
        attempts.wait_for(1)
    with working(fleet.second):
        assert exhausted.wait_for(1) == [{"retries": 2, "max_retries": 2}]
        wait_until_empty(fleet.second)
    assert len(attempts.made) == 3
    assert len(dead_letters(fleet.second)) == 1


def test_a_pipeline_goes_on_in_the_other(fleet: Fleet) -> None:
    fleet.declare(lambda *numbers: sum(numbers), actor_name="first", queue_name="one", store_results=True)
    fleet.declare(lambda *numbers: sum(numbers), actor_name="then", queue_name="two", store_results=True)
    first, then = fleet.first.get_actor("first"), fleet.first.get_actor("then")
    later = then.message_with_options(args=(10,), delay=100)
    pipe = first.message(1) | later | first.message(100) | then.message(1000)
    pipe.run()
    for number, message in enumerate(pipe.messages):
        with working(fleet[number % 2], queues={("one", "two")[number % 2]}):
            message.get_result(backend=fleet.first.get_results_backend(), block=True, timeout=10_000)
    assert list(pipe.get_results()) == [1, 11, 111, 1111]
    assert left_over(fleet.second, "one") == left_over(fleet.second, "two") == 0


def test_a_group_is_completed_by_both_and_calls_back_once(fleet: Fleet) -> None:
    done, told = Calls(), Calls()

    def work(number: int) -> None:
        time.sleep(0.01)
        done.note(number)

    work_ = fleet.declare(work)
    tell = fleet.declare(lambda: told.note(len(done.made)), actor_name="tell")
    together = group([work_.message(number) for number in range(40)], broker=fleet.first)
    together.add_completion_callback(tell.message())
    together.run()
    with working(fleet.first, threads=2), working(fleet.second, threads=2):
        told.wait_for(1)
        wait_until_empty(fleet.second)
    assert sorted(done.made) == list(range(40))
    assert told.made == [40]


def test_results_are_found_by_whoever_sent_the_message(fleet: Fleet) -> None:
    def work(number: int) -> float:
        return 10 / number

    work_ = fleet.declare(work, store_results=True, max_retries=0)
    sent, failing = work_.send(4), work_.send(0)
    backend = fleet.first.get_results_backend()
    with working(fleet.second):
        assert sent.get_result(backend=backend, block=True, timeout=5_000) == 2.5
        with pytest.raises(ResultFailure, match="ZeroDivisionError"):
            failing.get_result(backend=backend, block=True, timeout=5_000)


def test_callbacks_go_to_the_other_as_they_come(fleet: Fleet) -> None:
    told = Calls()
    fleet.declare(lambda message, result: told.note(result), actor_name="tell", queue_name="callbacks")
    work = fleet.declare(lambda: "done", actor_name="work", on_success="tell")
    work.send()
    with working(fleet.first, queues={"default"}), working(fleet.second, queues={"callbacks"}):
        assert told.wait_for(1) == ["done"]


def test_a_dead_letter_of_the_one_is_a_dead_letter_of_the_other(fleet: Fleet) -> None:
    def work(what: str) -> None:
        raise RuntimeError

    message = fleet.declare(work, max_retries=0).send("x")
    with working(fleet.first):
        wait_until_empty(fleet.first)
    (letter,) = map(Message.decode, dead_letters(fleet.second))
    assert (letter.message_id, letter.args) == (message.message_id, ("x",))


def test_what_the_one_has_fetched_and_not_begun_goes_to_the_other_when_it_stops(fleet: Fleet) -> None:
    ran = Calls()

    def work(number: int) -> None:
        time.sleep(0.1)
        ran.note(number)

    work_ = fleet.declare(work)
    for number in range(12):
        work_.send(number)
    with working(fleet.first, threads=1):
        ran.wait_for(1)
    assert left_over(fleet.second) > 0
    with working(fleet.second):
        wait_until_empty(fleet.second)
    assert sorted(ran.made) == list(range(12))


def test_both_at_once_do_everything_once(fleet: Fleet) -> None:
    ran = Calls()
    fleet.declare(ran.note, actor_name="work")
    with working(fleet.first), working(fleet.second):
        for number in range(200):
            broker = fleet.first if number % 2 else fleet.second
            delay = 100 if number % 5 == 0 else None
            broker.get_actor("work").send_with_options(args=(number,), delay=delay)
        ran.wait_for(200)
        wait_until_empty(fleet.first)
    assert sorted(ran.made) == list(range(200))


def test_either_joins_and_flushes_the_queues_that_both_use(fleet: Fleet) -> None:
    ran = Calls()
    work = fleet.declare(ran.note, actor_name="work")
    work.send(1)
    work.send_with_options(args=(2,), delay=100)
    with working(fleet.second):
        fleet.first.join("default", interval=20, timeout=10_000)
    assert ran.made == [1, 2]
    work.send(3)
    work.send_with_options(args=(4,), delay=100)
    fleet.second.flush_all()
    wait_for(lambda: left_over(fleet.first) == 0)
    fleet.first.join("default", interval=20, timeout=1_000)
    assert ran.made == [1, 2]
