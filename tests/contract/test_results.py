"""Results, stored and fetched."""

import time
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import Middleware, SkipMessage
from dramatiq.results import ResultFailure, ResultMissing, Results, ResultTimeout
from dramatiq.results.backends import RedisBackend, StubBackend

from callboard.middleware.broker import Broker
from helpers.waiting import wait_for
from helpers.workers import Calls, declare, wait_until_empty, working


def test_a_result_can_be_waited_for_and_fetched_again(broker: Any) -> None:
    @dramatiq.actor(store_results=True)
    def add(a: int, b: int) -> dict[str, int]:
        return {"sum": a + b}

    message = add.send(2, 3)
    with working(broker):
        assert message.get_result(block=True, timeout=5_000) == {"sum": 5}
    assert message.get_result() == {"sum": 5}
    assert message.get_result(backend=broker.get_results_backend()) == {"sum": 5}


def test_a_result_that_is_not_there_yet_is_missing(broker: Any) -> None:
    message = declare(broker, lambda: 1, actor_name="work", store_results=True).send()
    with pytest.raises(ResultMissing):
        message.get_result()


def test_waiting_for_a_result_ends_when_its_time_is_over(broker: Any) -> None:
    message = declare(broker, lambda: 1, actor_name="work", store_results=True).send()
    begun = time.monotonic()
    with pytest.raises(ResultTimeout):
        message.get_result(block=True, timeout=1_000)
    assert 0.9 < time.monotonic() - begun < 15


def test_a_result_may_be_waited_for_for_longer_than_a_socket_may_be_silent(
    redis_url: str, namespace: str
) -> None:
    broker = Broker(url=redis_url, namespace=namespace, socket_timeout=0.5)
    work = declare(broker, lambda: time.sleep(2) or "late", actor_name="work", store_results=True)
    message = work.send()
    backend = broker.get_results_backend()
    with pytest.raises(ResultTimeout):
        message.get_result(backend=backend, block=True, timeout=1_500)
    with working(broker):
        assert message.get_result(backend=backend, block=True, timeout=8_000) == "late"
    broker.close()


def test_a_failure_is_a_result_when_no_attempt_is_left(broker: Any) -> None:
    @dramatiq.actor(store_results=True, max_retries=0)
    def work() -> None:
        raise ValueError("not today")

    message = work.send()
    with working(broker), pytest.raises(ResultFailure) as caught:
        message.get_result(block=True, timeout=5_000)
    assert (caught.value.orig_exc_type, caught.value.orig_exc_msg) == ("ValueError", "not today")
    assert str(caught.value) == "actor raised ValueError: not today"


def test_a_failure_that_is_tried_again_is_no_result_yet(broker: Any) -> None:
    attempts = Calls()

    @dramatiq.actor(store_results=True, max_retries=1, min_backoff=300, max_backoff=300)
    def work() -> str:
        if attempts.note() == 1:
            raise ValueError
        return "at last"

    message = work.send()
    with working(broker):
        attempts.wait_for(1)
        with pytest.raises(ResultMissing):
            message.get_result()
        assert message.get_result(block=True, timeout=5_000) == "at last"


def test_an_exception_that_an_actor_throws_on_purpose_is_its_result(broker: Any) -> None:
    @dramatiq.actor(store_results=True, throws=KeyError)
    def work() -> None:
        raise KeyError("gone")

    message = work.send()
    with working(broker), pytest.raises(ResultFailure, match="KeyError"):
        message.get_result(block=True, timeout=5_000)


def test_nothing_is_stored_of_an_actor_that_does_not_ask_for_it(broker: Any) -> None:
    message = declare(broker, lambda: 1, actor_name="work").send()
    with working(broker):
        wait_until_empty(broker)
    with pytest.raises(ResultMissing):
        message.get_result()


def test_one_message_may_ask_for_its_result_to_be_stored_or_not(broker: Any) -> None:
    asks = declare(broker, lambda: 1, actor_name="asks").send_with_options(store_results=True)
    declines = declare(broker, lambda: 2, actor_name="declines", store_results=True)
    declined = declines.send_with_options(store_results=False)
    with working(broker):
        assert asks.get_result(block=True, timeout=5_000) == 1
        wait_until_empty(broker)
    with pytest.raises(ResultMissing):
        declined.get_result()


def test_a_result_of_none_is_a_result(broker: Any) -> None:
    message = declare(broker, lambda: None, actor_name="work", store_results=True).send()
    with working(broker):
        wait_until_empty(broker)
    assert message.get_result() is None


def test_the_result_of_a_delayed_message_is_found_by_the_message_that_was_sent(broker: Any) -> None:
    work = declare(broker, lambda: "late", actor_name="work", store_results=True)
    message = work.send_with_options(delay=100)
    assert message.queue_name == "default.DQ"
    with working(broker):
        assert message.get_result(block=True, timeout=5_000) == "late"


@pytest.mark.parametrize("place", ["actor", "message"])
def test_a_result_is_gone_when_its_time_is_over(broker: Any, place: str) -> None:
    options = {"result_ttl": 300}
    work = declare(
        broker, lambda: 1, actor_name="work", store_results=True, **(options if place == "actor" else {})
    )
    message = work.send_with_options(**(options if place == "message" else {}))

    def is_gone() -> bool:
        try:
            return message.get_result() != 1
        except ResultMissing:
            return True

    with working(broker):
        assert message.get_result(block=True, timeout=5_000) == 1
        wait_for(is_gone, 3)


@pytest.mark.parametrize("refused", [False, True], ids=["acknowledged", "rejected"])
def test_a_skipped_message_has_a_result_as_well(broker: Any, refused: bool) -> None:
    class Doorkeeper(Middleware):
        def before_process_message(self, broker: Any, message: Any) -> None:
            if refused:
                message.fail()
            raise SkipMessage("not you")

    broker.add_middleware(Doorkeeper())
    message = declare(broker, lambda: 1, actor_name="work", store_results=True).send()
    with working(broker):
        if refused:
            with pytest.raises(ResultFailure, match="SkipMessage: not you"):
                message.get_result(block=True, timeout=5_000)
        else:
            assert message.get_result(block=True, timeout=5_000) is None


def test_what_merely_waits_for_a_mutex_has_no_result_before_it_has_run(ours: Broker) -> None:
    begun = Calls()

    @dramatiq.actor(store_results=True, mutex=True, overlap="wait")
    def work(number: int) -> int:
        begun.note(number)
        time.sleep(0.5)
        return number

    with working(ours):
        work.send(1)
        begun.wait_for(1)
        assert work.send(2).get_result(block=True, timeout=5_000) == 2


def test_an_application_may_bring_a_backend_of_its_own(ours: Broker) -> None:
    backend = StubBackend()
    ours.add_middleware(Results(backend=backend, store_results=True))
    assert ours.get_results_backend() is backend
    message = declare(ours, lambda: 1, actor_name="work").send()
    with working(ours):
        assert message.get_result(block=True, timeout=5_000) == 1


def test_results_may_be_found_by_readable_keys(redis_url: str, namespace: str) -> None:
    backend = RedisBackend(url=redis_url, namespace="found", use_namespace_prefix_keys=True)
    broker = Broker(url=redis_url, namespace=namespace, middleware=[Results(backend=backend)])
    message = declare(broker, lambda: 1, actor_name="work", store_results=True).send()
    with working(broker):
        assert message.get_result(backend=backend, block=True, timeout=5_000) == 1
    assert backend.client.exists(f"found:default:work:{message.message_id}")
    broker.close()
