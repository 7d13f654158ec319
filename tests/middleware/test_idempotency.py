"""A message that says what one of the last day has said is that one."""

from typing import Any

import dramatiq
import pytest

from callboard.core.errors import BadInput
from callboard.middleware.broker import ONCE_SECONDS, Broker
from helpers.workers import Calls, declare, final_event, left_over, wait_until_empty, working


def test_a_key_that_is_taken_returns_the_run_that_has_it(broker: Broker) -> None:
    # Given a job whose arguments say what it is about
    ran = Calls()
    declare(broker, lambda order_id: ran.note(order_id), actor_name="ship", idempotency_key="o:{order_id}")
    actor = broker.get_actor("ship")

    # When it is sent thrice for one order, at once, by name and with a delay
    first = actor.send(7)
    second = actor.send(order_id=7)
    third = actor.send_with_options(args=(7,), delay=60_000)
    assert second.message_id == third.message_id == first.message_id
    assert actor.send(8).message_id != first.message_id

    # Then it runs once for each order, also when the first run has ended
    with working(broker):
        wait_until_empty(broker)
        assert actor.send(7).message_id == first.message_id
    assert sorted(ran.made) == [7, 8]
    assert left_over(broker) == 0


def test_a_message_may_bring_a_key_of_its_own(broker: Broker) -> None:
    declare(broker, lambda: None, actor_name="work")
    actor = broker.get_actor("work")
    messages = [actor.send_with_options(idempotency_key="2026-11-26") for _ in range(3)]
    assert len({message.message_id for message in messages}) == 1
    assert left_over(broker) == 1


def test_jobs_do_not_share_keys(broker: Broker) -> None:
    for name in ("one", "two"):
        declare(broker, lambda: None, actor_name=name)
        broker.get_actor(name).send_with_options(idempotency_key="k")
    assert left_over(broker) == 2


def test_of_many_that_are_sent_together_each_key_goes_once(broker: Broker) -> None:
    declare(broker, lambda n: None, actor_name="work", idempotency_key="{n}")
    actor = broker.get_actor("work")
    assert broker.enqueue_many(actor.message(number % 5) for number in range(20)) == 5


def test_a_retry_is_not_held_for_a_repetition(broker: Broker) -> None:
    attempts = Calls()

    @dramatiq.actor(max_retries=2, min_backoff=1, max_backoff=2, idempotency_key="always")
    def work() -> None:
        if attempts.note() < 3:
            raise ConnectionError

    message = work.send()
    with working(broker):
        assert final_event(broker, message)["n"] == 3


def test_a_key_is_free_again_after_a_day(broker: Broker) -> None:
    declare(broker, lambda: None, actor_name="work", idempotency_key="k")
    broker.get_actor("work").send()
    left: Any = broker.client.ttl(broker.keys.once("work", "k"))
    assert ONCE_SECONDS - 5 < left <= ONCE_SECONDS == 86_400


@pytest.mark.parametrize("key", [7, "", "{nobody}", "{"])
def test_a_key_that_makes_no_sense_is_refused(broker: Broker, key: Any) -> None:
    with pytest.raises(BadInput, match="The actor work has idempotency_key="):
        declare(broker, lambda: None, actor_name="work", idempotency_key=key)
