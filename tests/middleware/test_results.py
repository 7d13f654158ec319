"""What `message.get_result()` answers, and what a stale execution cannot change of it."""

import dramatiq
import pytest
from dramatiq.results import ResultFailure
from dramatiq.results.backends import RedisBackend

from callboard.middleware.broker import Broker
from helpers.workers import Calls, another_broker, declare, final_event, linger, working


def test_a_result_can_be_read_by_any_backend_of_the_namespace(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0, store_results=True)
    def work() -> list[int]:
        return [1, 2]

    message = work.send()
    with working(broker):
        assert message.get_result(block=True) == [1, 2]
    stock = RedisBackend(client=broker.client, namespace=f"{broker.namespace}-results")
    assert stock.get_result(message) == [1, 2]


def test_a_final_failure_can_be_read_too(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0, store_results=True)
    def work() -> None:
        raise ValueError("no")

    message = work.send()
    with working(broker), pytest.raises(ResultFailure, match="no"):
        message.get_result(block=True)


@pytest.mark.parametrize("late", ["result", "failure"])
def test_what_a_stale_execution_ends_with_replaces_nothing(broker: Broker, late: str) -> None:
    # Given a run that another worker does while its first one is still at it, having been taken for dead
    begun = Calls()

    def work() -> str:
        if begun.note() == 1:
            linger(1.5)
            if late == "failure":
                raise ValueError("late")
            return "late"
        return "in time"

    other = another_broker(broker)
    for each in (broker, other):
        declare(each, work, max_retries=0, store_results=True)
    message = broker.get_actor("work").send()
    with working(broker, threads=1):
        begun.wait_for(1)
        acks = broker.keys.acks(broker.broker_id, "default")
        (redis_id,) = broker.client.smembers(acks)
        broker.client.srem(acks, redis_id)
        broker.client.rpush(broker.keys.queue("default"), redis_id)
        broker.draining = True
        with working(other, threads=1):
            assert final_event(broker, message)["w"] == other.broker_id

    # Then its own end, which comes after, is not what is read
    assert message.get_result() == "in time"
