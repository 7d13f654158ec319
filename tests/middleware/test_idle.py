"""An idle worker costs Redis next to nothing, and starts a job within milliseconds."""

import threading
import time
from collections import Counter
from typing import Any

import dramatiq
import pytest

from callboard.middleware import consumer
from callboard.middleware.broker import Broker
from helpers.waiting import wait_for
from helpers.workers import Calls, declare, final_event, stock_broker, working

#: What a client says once, when it connects.
CONNECTING = ("HELLO", "CLIENT", "SELECT")


def commands_within(broker: Any, seconds: float) -> Counter[str]:
    """The commands that clients send to Redis meanwhile, each script as one."""
    seen: Counter[str] = Counter()
    with broker.client.monitor() as monitor:
        time.sleep(seconds)
        broker.client.echo("the end")
        for command in monitor.listen():
            if command["command"].endswith("the end"):
                return seen
            name = command["command"].split()[0].upper()
            if command["client_type"] != "lua" and name not in CONNECTING:
                seen[name] += 1
    raise AssertionError("unreachable")


def test_an_idle_worker_sends_at_most_a_command_a_second(broker: Broker) -> None:
    # Given an idle worker of one queue
    declare(broker, lambda: None, actor_name="job")
    with working(broker, threads=8):
        time.sleep(1)
        seconds = 8

        # When nothing happens for a while
        sent = commands_within(broker, seconds)

    # Then it sent no more than that, its signs of life included
    assert 0 < sum(sent.values()) <= seconds, sent


def test_a_stock_worker_polls(broker: Broker) -> None:
    # Given an idle stock worker of one queue, with Dramatiq's usual patience of a second
    stock = stock_broker(broker)
    declare(stock, lambda: None, actor_name="job")
    worker = dramatiq.Worker(stock, worker_threads=8)
    worker.start()
    try:
        time.sleep(1.5)
        sent = commands_within(stock, 3)
    finally:
        worker.stop()
    assert sum(sent.values()) > 3 * 1.5, sent


def test_a_job_sent_to_an_idle_worker_starts_within_tens_of_milliseconds(broker: Broker) -> None:
    # Given a worker that has been idle for longer than its consumers' first waits
    @dramatiq.actor(max_retries=0)
    def work() -> None:
        pass

    with working(broker, threads=2):
        time.sleep(0.5)
        delays = []
        for _ in range(20):
            event = final_event(broker, work.send())
            delays.append(event["sta"] - event["at"])
            time.sleep(0.02)

    # Then a message starts soon after it was sent, and its wait is not a poll's
    assert sorted(delays)[10] <= 20
    assert max(delays) < 500


def test_a_job_sent_by_a_stock_producer_starts_at_the_next_look(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a producer that leaves no token
    monkeypatch.setattr(consumer, "IDLE", 1.0)
    ran = Calls()
    declare(broker, ran.note, actor_name="job", max_retries=0)
    stock = stock_broker(broker)
    actor = declare(stock, ran.note, actor_name="job", max_retries=0)
    with working(broker, threads=2):
        time.sleep(1.5)
        actor.send()
        ran.wait_for(1, timeout=3)


def test_a_process_that_only_sends_has_no_threads_and_no_heartbeat(broker: Broker) -> None:
    before = {thread.name for thread in threading.enumerate()}
    declare(broker, lambda: None, actor_name="job")
    for _ in range(10):
        broker.get_actor("job").send()
    assert {thread.name for thread in threading.enumerate()} <= before
    assert broker.client.zcard(broker.keys.heartbeats) == 0


def test_wake_tokens_do_not_pile_up_without_a_worker(broker: Broker) -> None:
    declare(broker, lambda: None, actor_name="job")
    for _ in range(300):
        broker.get_actor("job").send()
    wake = broker.keys.wake("default")
    assert broker.client.llen(wake) <= 64
    assert 0 < broker.client.ttl(wake) <= 60
    with working(broker):
        wait_for(lambda: not broker.client.exists(wake), what="the end of the tokens")


def test_an_idle_worker_takes_no_silence_that_it_asked_for_for_a_lost_connection(
    redis_url: str, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a socket timeout that is shorter than a consumer with nothing to do blocks
    ran, broker = Calls(), Broker(url=redis_url, namespace=namespace, socket_timeout=0.3)
    work = declare(broker, lambda: ran.note(), actor_name="work")
    with working(broker):
        time.sleep(1)
        work.send()
        ran.wait_for(1, timeout=0.5)
    broker.close()
    assert "connection error" not in caplog.text
