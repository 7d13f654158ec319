"""Redis goes away in the middle of things and comes back: nothing is lost, and nobody has to be restarted."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import dramatiq
import dramatiq.broker
import pytest
import redis
from dramatiq.brokers.redis import RedisBroker
from redis.backoff import NoBackoff
from redis.retry import Retry

from callboard.core.backoff import fixed
from callboard.middleware.broker import Broker
from callboard.middleware.committer import Committer
from callboard.middleware.execution import current_run
from helpers.own_redis import OwnRedis, own_redis
from helpers.waiting import wait_for
from helpers.workers import (
    Calls,
    dead_letters,
    declare,
    events,
    final_event,
    final_events,
    held,
    left_over,
    threads_alive,
    wait_until_empty,
    working,
)


@pytest.fixture(scope="module")
def server() -> Iterator[OwnRedis]:
    with own_redis() as server:
        yield server


@pytest.fixture
def broker(server: OwnRedis, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """A broker on the server that comes and goes; its consumers begin anew soon after an error."""
    monkeypatch.setattr(dramatiq.worker, "CONSUMER_RESTART_DELAY_SECS", 0.3)
    before = dramatiq.broker.global_broker
    made = Broker(url=server.url, namespace=namespace)
    dramatiq.set_broker(made)
    yield made
    made.client.flushdb()
    made.close()
    dramatiq.broker.global_broker = before


def ready(broker: Any) -> bool:
    """Whether Redis answers."""
    try:
        return bool(broker.client.ping())
    except redis.RedisError:
        return False


def test_an_outage_under_load_loses_nothing_and_doubles_no_record(broker: Broker, server: OwnRedis) -> None:
    # Given a worker in the middle of jobs of all kinds: quick, slow, delayed, and some that fail at first
    executed: Counter[str] = Counter()

    @dramatiq.actor(max_retries=0)
    def quick(number: int) -> None:
        executed[f"quick {number}"] += 1

    @dramatiq.actor(max_retries=0)
    def slow(number: int) -> None:
        time.sleep(0.1)
        executed[f"slow {number}"] += 1

    @dramatiq.actor(max_retries=3, backoff=fixed(300))
    def shaky(number: int) -> None:
        run = current_run()
        assert run is not None
        executed[f"shaky {number}, attempt {run.attempt}"] += 1
        if run.attempt == 1:
            raise ConnectionError

    broker.enqueue_many(
        [
            *(slow.message(number) for number in range(40)),
            *(quick.message(number) for number in range(200)),
            *(shaky.message(number) for number in range(20)),
        ]
    )
    for number in range(200, 230):
        quick.send_with_options(args=(number,), delay=300 + number * 5)
    total = 40 + 230 + 20

    with working(broker, threads=4) as worker:
        final_events(broker, 10)

        # When Redis is away for two seconds
        server.kill()
        time.sleep(2)
        server.start()

        # Then the worker goes on by itself until all is done
        wait_for(lambda: ready(broker))
        found = final_events(broker, total, timeout=30)
        wait_until_empty(broker)
        assert threads_alive(worker) == 4
        assert all(consumer.is_alive() for consumer in worker.consumers.values())

        # And takes new work
        assert final_event(broker, quick.send(999))["s"] == "succeeded"

    # Every run has ended once in the record, well, and nothing is held or dead
    assert Counter(event["id"] for event in found).most_common(1)[0][1] == 1
    assert {event["s"] for event in found} == {"succeeded"}
    assert held(broker) == held(broker, "default.DQ") == set()
    assert dead_letters(broker) == []
    assert left_over(broker) == 0
    assert len(executed) == 40 + 230 + 40 + 1


def test_messages_that_wait_for_their_time_in_a_worker_survive_an_outage(
    broker: Broker, server: OwnRedis
) -> None:
    # Given a worker that holds delayed messages in memory
    ran = Calls()

    @dramatiq.actor(max_retries=0)
    def later(number: int) -> None:
        ran.note(number)

    for number in range(5):
        later.send_with_options(args=(number,), delay=1_500)
    with working(broker, threads=2):
        wait_for(lambda: len(held(broker, "default.DQ")) == 5, what="the fetch")

        # When Redis is away for a moment
        server.kill()
        time.sleep(0.5)
        server.start()

        # Then they run
        ran.wait_for(5, timeout=10)
        wait_until_empty(broker)
    assert sorted(ran.made) == list(range(5))


def test_stock_dramatiq_strands_them_in_the_hands_of_a_live_worker(broker: Broker, server: OwnRedis) -> None:
    # Given a stock worker in the same position, whose client does not sit the outage out
    ran = Calls()
    client = redis.Redis.from_url(server.url, retry=Retry(NoBackoff(), 0))
    stock = RedisBroker(client=client, namespace=broker.namespace)
    later = declare(stock, ran.note, actor_name="later", max_retries=0)
    for number in range(5):
        later.send_with_options(args=(number,), delay=1_500)
    with working(stock, threads=2):
        wait_for(lambda: len(held(stock, "default.DQ")) == 5, what="the fetch")
        server.kill()
        time.sleep(0.5)
        server.start()
        wait_for(lambda: ready(stock))

        # Then their time passes and nothing happens, although the worker lives and does other work
        later.send(99)
        ran.wait_for(1, timeout=10)
        time.sleep(2.5)
        assert ran.made == [99]
        assert len(held(stock, "default.DQ")) == 5
    client.close()


def test_a_worker_does_not_spin_while_redis_is_away(broker: Broker, server: OwnRedis) -> None:
    # Given a worker whose delayed message falls due in an outage, with a finished job to commit
    @dramatiq.actor(max_retries=0)
    def later() -> None:
        pass

    @dramatiq.actor(max_retries=0)
    def work() -> None:
        time.sleep(0.5)

    later.send_with_options(delay=400)
    work.send()
    with working(broker, threads=2):
        wait_for(lambda: held(broker, "default.DQ") and held(broker))
        server.stop()
        time.sleep(0.8)

        # When it can do nothing but wait
        before = time.process_time()
        time.sleep(1.5)
        spent = time.process_time() - before
        server.start()

        # Then it does just that
        assert spent < 0.5
        final_events(broker, 2, timeout=10)


def test_a_redis_that_stops_answering_for_a_while_is_waited_for(broker: Broker, server: OwnRedis) -> None:
    # Given a Redis that hangs instead of breaking connections
    @dramatiq.actor(max_retries=0)
    def work(number: int) -> int:
        return number

    with working(broker, threads=2):
        final_event(broker, work.send(0))
        broker.enqueue_many(work.message(number) for number in range(1, 300))
        server.freeze()
        time.sleep(1.5)
        server.thaw()

        # Then everything is done once it goes on
        found = final_events(broker, 300, timeout=20)
        wait_until_empty(broker)
    assert sorted(event["res"] for event in found) == list(range(300))


def test_a_redis_that_comes_back_with_nothing_is_worked_for_like_any_other(
    broker: Broker, server: OwnRedis
) -> None:
    # Given a worker whose Redis loses all that it held
    @dramatiq.actor(max_retries=0)
    def work(number: int) -> int:
        return number

    work.send_with_options(args=(0,), delay=60_000)
    with working(broker, threads=2):
        wait_for(lambda: held(broker, "default.DQ"))
        broker.client.flushdb()
        server.kill()
        server.start()
        wait_for(lambda: ready(broker))

        # Then it does what is sent from now on, and gives signs of life
        found = [final_event(broker, work.send(number)) for number in range(5)]
        wait_for(lambda: broker.client.zscore(broker.keys.heartbeats, broker.broker_id))
    assert [event["res"] for event in found] == list(range(5))


def test_a_worker_that_starts_before_redis_begins_by_itself_when_there_is_one(
    broker: Broker, server: OwnRedis
) -> None:
    @dramatiq.actor(max_retries=0)
    def work() -> None:
        pass

    message = work.send()
    server.stop()
    with working(broker, threads=2):
        time.sleep(0.5)
        server.start()
        assert final_event_when_ready(broker, message)["s"] == "succeeded"
        wait_for(lambda: events(broker, "jobs"), what="the declaration")


def final_event_when_ready(broker: Broker, message: dramatiq.Message[Any]) -> dict[str, Any]:
    """The end of a run on a Redis that is about to answer."""
    wait_for(lambda: ready(broker))
    return final_event(broker, message)


def test_a_worker_ends_in_good_time_although_redis_is_away(
    broker: Broker, server: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a worker with a finished job that it cannot commit, and little patience with that
    monkeypatch.setattr(Committer.stop, "__defaults__", (1.0,))

    @dramatiq.actor(max_retries=0)
    def work() -> None:
        time.sleep(0.3)

    work.send()
    try:
        with working(broker, threads=2):
            wait_for(lambda: held(broker))
            server.stop()
            time.sleep(0.5)
            begun = time.monotonic()
        assert time.monotonic() - begun < 15
    finally:
        server.start()
        wait_for(lambda: ready(broker))
