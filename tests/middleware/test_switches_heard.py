"""Switches arrive through networks that lose connections, and in any number."""

import time

import pytest

from callboard.middleware import switches as module
from callboard.middleware.broker import Broker
from callboard.middleware.switches import Switches
from helpers.proxy import network_to
from helpers.waiting import wait_for


def test_a_connection_that_the_network_has_swallowed_is_noticed(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a worker that listens through a network
    monkeypatch.setattr(module, "QUIET", 0.5)
    monkeypatch.setattr(module, "PATIENCE", 0.5)
    with network_to(broker.url) as (network, url):
        far = Broker(url=url, namespace=broker.namespace, socket_timeout=0.5)
        switches = Switches(far.direct, far.keys, "a-worker")
        switches.start()
        time.sleep(1.5)

        # When it loses the connection without a sign, and a job is switched off
        network.swallow()
        broker.client.hset(broker.keys.control, "disabled:report", '{"reason": "by ada"}')
        assert broker.client.publish(broker.keys.signals, "control") == 1

        # Then the worker hears of it all the same
        wait_for(lambda: switches.disabled == {"report": "by ada"}, 10)
        switches.stop()
        far.close()


def test_thousands_of_signals_at_once_are_answered_by_reading_a_few_times(broker: Broker) -> None:
    # Given a worker
    switches = Switches(broker.direct, broker.keys, "a-worker")
    reads = []
    read = switches.read

    def count() -> None:
        read()
        reads.append(time.monotonic())

    switches.read = count  # type: ignore[method-assign]
    switches.start()

    # When five thousand runs are ended at once
    with broker.client.pipeline(transaction=True) as pipeline:
        for number in range(5_000):
            pipeline.hset(broker.keys.ended, f"run-{number}", '{"state": "cancelled"}')
            pipeline.publish(broker.keys.signals, f"end run-{number}")
        pipeline.execute()

    # Then it knows of all, and has not read all of them for each
    wait_for(lambda: len(switches.ended) == 5_000)
    time.sleep(1.5)
    switches.stop()
    assert len(reads) < 20


def test_what_goes_wrong_in_listening_does_not_end_it(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    switches = Switches(broker.direct, broker.keys, "a-worker")
    switches.start()
    read = switches.read

    def fail_once() -> None:
        switches.read = read  # type: ignore[method-assign]
        raise RuntimeError

    switches.read = fail_once  # type: ignore[method-assign]
    broker.client.publish(broker.keys.signals, "control")
    wait_for(lambda: switches.read == read)
    broker.client.hset(broker.keys.control, "disabled:report", '{"reason": "by ada"}')
    wait_for(lambda: switches.disabled == {"report": "by ada"})
    switches.stop()
