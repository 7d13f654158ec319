"""A run that kills its worker each time is quarantined; whoever merely died with it is not."""

import dramatiq

from callboard.middleware.broker import Broker
from helpers.workers import Calls, dead_letters, final_event, left_over, run_events, working


def rescued(broker: Broker, times: int, begun: int) -> str:
    """Note that the one message of the queue was rescued, and begun since; returns its id in Redis."""
    (redis_id,) = (each.decode() for each in broker.client.lrange(broker.keys.queue("default"), 0, -1))
    broker.client.hset(broker.keys.rescued, redis_id, str(times))
    if begun:
        broker.client.hset(broker.keys.begun, redis_id, str(begun))
    return redis_id


def test_after_three_deaths_it_goes_to_the_dead_letters_with_the_reason(broker: Broker) -> None:
    @dramatiq.actor(max_retries=5)
    def work() -> None:
        raise AssertionError("it ran")

    message = work.send()
    rescued(broker, 3, 2)
    with working(broker):
        event = final_event(broker, message)
    assert event["s"] == "dead"
    assert event["why"] == "poison: the worker died each of the 3 times that it was begun"
    assert len(dead_letters(broker)) == 1
    assert len(run_events(broker, message)) == 1
    assert broker.client.exists(broker.keys.rescued, broker.keys.begun) == 0


def test_a_message_that_was_only_fetched_when_its_worker_died_is_no_suspect(broker: Broker) -> None:
    # Given a message that was rescued often, and never begun
    ran = Calls()

    @dramatiq.actor(max_retries=0)
    def work() -> None:
        ran.note()

    message = work.send()
    rescued(broker, 9, 0)
    with working(broker):
        assert final_event(broker, message)["s"] == "succeeded"
    assert len(ran.made) == 1


def test_that_it_is_begun_again_is_known_before_it_is(broker: Broker) -> None:
    counted = Calls()

    @dramatiq.actor(max_retries=0)
    def work() -> None:
        counted.note(broker.client.hgetall(broker.keys.begun))

    message = work.send()
    redis_id = rescued(broker, 1, 0)
    with working(broker):
        final_event(broker, message)
    assert counted.made == [{redis_id.encode(): b"1"}]
    assert left_over(broker) == 0


def test_a_redis_without_memory_keeps_no_rescued_run_from_beginning(broker: Broker) -> None:
    ran = Calls()

    @dramatiq.actor(max_retries=0)
    def work() -> None:
        ran.note()

    work.send()
    rescued(broker, 1, 0)
    broker.client.config_set("maxmemory", "1")
    try:
        with working(broker):
            ran.wait_for(1, timeout=5)
    finally:
        broker.client.config_set("maxmemory", "0")
    assert len(ran.made) == 1
