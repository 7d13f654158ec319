"""Messages that are to wait."""

import time
from datetime import timedelta
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import CurrentMessage, Middleware

from callboard.middleware.broker import Broker
from helpers.workers import Calls, declare, left_over, wait_until_empty, working


def now() -> float:
    """The present time in ms since the epoch."""
    return time.time() * 1000


@pytest.mark.parametrize("delay", [300, timedelta(milliseconds=300)], ids=["ms", "timedelta"])
def test_a_delayed_message_starts_when_its_time_has_come(broker: Any, delay: Any) -> None:
    ran = Calls()
    work = declare(broker, lambda: ran.note(now()), actor_name="work")
    begun = now()
    message = work.send_with_options(delay=delay)
    assert message.options["eta"] >= int(begun) + 300
    with working(broker):
        (started,) = ran.wait_for(1)
    assert 299 <= started - begun < 20_000


def test_a_message_enqueued_with_a_delay_waits_as_well(broker: Any) -> None:
    ran = Calls()
    work = declare(broker, lambda: ran.note(now()), actor_name="work")
    begun = now()
    broker.enqueue(work.message(), delay=250)
    with working(broker):
        (started,) = ran.wait_for(1)
    assert started - begun >= 249


def test_delayed_messages_start_in_the_order_of_their_times(broker: Any) -> None:
    ran = Calls()
    work = declare(broker, ran.note, actor_name="work")
    for delay in (450, 150, 300):
        work.send_with_options(args=(delay,), delay=delay)
    with working(broker, threads=1):
        assert ran.wait_for(3) == [150, 300, 450]


def test_what_is_not_delayed_does_not_wait_behind_what_is(broker: Any) -> None:
    ran = Calls()
    work = declare(broker, ran.note, actor_name="work")
    for _ in range(20):
        work.send_with_options(args=("later",), delay=600)
    work.send("now")
    with working(broker, threads=1):
        assert ran.wait_for(21) == ["now"] + ["later"] * 20


def test_a_delayed_message_keeps_its_id_and_its_time_of_sending(broker: Any) -> None:
    broker.add_middleware(CurrentMessage())
    ran = Calls()

    def work() -> None:
        current = CurrentMessage.get_current_message()
        assert current is not None
        sent = current.message_timestamp
        ran.note((current.message_id, sent, current.queue_name, "eta" in current.options))

    message = declare(broker, work).send_with_options(delay=50)
    with working(broker):
        assert ran.wait_for(1) == [(message.message_id, message.message_timestamp, "default", False)]


def test_a_message_that_waits_in_a_worker_goes_to_the_next_one_when_it_stops(broker: Any) -> None:
    delayed, ran = Calls(), Calls()

    class Look(Middleware):
        def before_delay_message(self, broker: Any, message: Any) -> None:
            delayed.note(message.message_id)

    broker.add_middleware(Look())
    work = declare(broker, lambda: ran.note(now()), actor_name="work")
    begun = now()
    message = work.send_with_options(delay=700)
    with working(broker):
        delayed.wait_for(1)
    assert (ran.made, left_over(broker)) == ([], 1)
    with working(broker):
        (started,) = ran.wait_for(1)
        wait_until_empty(broker)
    assert started - begun >= 699
    assert set(delayed.made) == {message.message_id}


def test_a_message_that_waits_and_is_sent_once_more_runs_twice(broker: Any) -> None:
    delayed, ran = Calls(), Calls()

    class Look(Middleware):
        def before_delay_message(self, broker: Any, message: Any) -> None:
            delayed.note()

    broker.add_middleware(Look())
    message = declare(broker, lambda: ran.note(), actor_name="work").send_with_options(delay=400)
    with working(broker):
        delayed.wait_for(1)
        broker.enqueue(message)
        ran.wait_for(2)
        wait_until_empty(broker)
    assert len(ran.made) == 2


def test_a_delay_of_more_than_seven_days_is_refused_as_is_only_documented_elsewhere(ours: Broker) -> None:
    work = declare(ours, lambda: None, actor_name="work")
    with pytest.raises(ValueError, match="seven days"):
        work.send_with_options(delay=timedelta(days=7, seconds=1))
    assert left_over(ours) == 0
    work.send_with_options(delay=timedelta(days=7))
    assert left_over(ours) == 1


def test_the_arguments_of_a_delayed_message_are_those_of_its_sending(broker: Any) -> None:
    ran = Calls()

    @dramatiq.actor
    def work(items: list[int], *, name: str) -> None:
        ran.note((items, name))

    items = [1, 2]
    work.send_with_options(args=(items,), kwargs={"name": "a"}, delay=100)
    items.append(3)
    with working(broker):
        assert ran.wait_for(1) == [([1, 2], "a")]
