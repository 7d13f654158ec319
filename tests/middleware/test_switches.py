"""What operators switch arrives in every worker, whatever happens to its connection."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from callboard.core.keys import Keys
from callboard.middleware.broker import Broker
from callboard.middleware.switches import ENDED_KEPT, Switches
from helpers.waiting import wait_for


@pytest.fixture
def switches(broker: Broker) -> Iterator[Switches]:
    made = Switches(broker.direct, broker.keys, "a-worker")
    made.start()
    yield made
    made.stop()


def switch_off(broker: Broker, job: str, reason: str = "by ada") -> None:
    """What the scheduler does when an operator switches a job off."""
    broker.client.hset(broker.keys.control, f"disabled:{job}", json.dumps({"reason": reason}))
    broker.client.publish(broker.keys.signals, "control")


def switch_on(broker: Broker, job: str) -> None:
    """What the scheduler does when an operator switches a job on again."""
    broker.client.hdel(broker.keys.control, f"disabled:{job}")
    broker.client.publish(broker.keys.signals, "control")


@pytest.mark.alone
def test_a_switch_arrives_within_milliseconds_and_so_does_its_reverse(
    broker: Broker, switches: Switches
) -> None:
    begun = time.monotonic()
    switch_off(broker, "report")
    wait_for(lambda: switches.disabled == {"report": "by ada"})
    switch_on(broker, "report")
    wait_for(lambda: switches.disabled == {})
    assert time.monotonic() - begun < 1


def test_what_was_switched_before_the_worker_started_is_known_when_it_begins(broker: Broker) -> None:
    switch_off(broker, "report")
    switches = Switches(broker.direct, broker.keys, "a-worker")
    switches.start()
    try:
        assert switches.disabled == {"report": "by ada"}
    finally:
        switches.stop()


def test_a_switch_that_is_set_while_the_connection_is_broken_is_seen_afterwards(
    broker: Broker, switches: Switches
) -> None:
    # Given a listener whose connection breaks in the same moment in which a job is switched off
    def listeners() -> list[Any]:
        return [client for client in broker.client.client_list() if int(client["sub"]) > 0]

    wait_for(listeners, what="the subscription")
    with broker.client.pipeline(transaction=True) as pipeline:
        pipeline.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        pipeline.hset(broker.keys.control, "disabled:report", json.dumps({"reason": "by ada"}))
        pipeline.publish(broker.keys.signals, "control")
        pipeline.execute()

    # Then it is known all the same, although its signal went nowhere
    wait_for(lambda: switches.disabled == {"report": "by ada"}, timeout=5)

    # And later signals arrive as before
    switch_on(broker, "report")
    wait_for(lambda: switches.disabled == {}, timeout=5)


def test_orders_to_end_runs_are_known_until_no_message_can_be_left(
    broker: Broker, switches: Switches
) -> None:
    now = int(time.time() * 1000)
    orders = {
        "new": {"state": "cancelled", "at": now},
        "old": {"state": "cancelled", "at": now - ENDED_KEPT * 1000 - 60_000},
        "timeless": {"state": "cancelled"},
    }
    broker.client.hset(broker.keys.ended, mapping={run: json.dumps(order) for run, order in orders.items()})
    broker.client.publish(broker.keys.signals, "end new")
    wait_for(lambda: "new" in switches.ended)
    assert switches.ended == {"new": orders["new"], "timeless": orders["timeless"]}
    assert set(broker.client.hkeys(broker.keys.ended)) == {b"new", b"timeless"}


@pytest.mark.parametrize(
    "value",
    [
        b"no json",
        b"[1]",
        b"null",
        b'{"at": "today", "reason": 7}',
        b"\xff",
        b'{"at": null}',
        b'{"at": 1e999}',
    ],
)
def test_nonsense_in_the_switches_does_not_stop_the_worker_from_listening(
    broker: Broker, switches: Switches, value: bytes
) -> None:
    # Given values that nobody should have written
    broker.client.hset(broker.keys.control, mapping={"disabled:odd": value, b"\xff": b"", "other": b"{}"})
    broker.client.hset(broker.keys.ended, mapping={"run": value, b"\xfe": value})
    broker.client.publish(broker.keys.signals, b"\xff nonsense")

    # When a proper switch follows, then it arrives; and the odd one counts as switched off
    switch_off(broker, "report")
    wait_for(lambda: "report" in switches.disabled, timeout=5)
    assert isinstance(switches.disabled["odd"], str)


def test_stopping_does_not_take_long(broker: Broker, switches: Switches) -> None:
    begun = time.monotonic()
    switches.stop()
    assert time.monotonic() - begun < 5
    assert not switches._thread.is_alive()


def test_a_worker_without_redis_begins_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    # Given a server that does not answer
    client = redis.Redis.from_url("unix:///nonexistent/valkey.sock")
    switches = Switches(client, Keys("ns"), "a-worker")
    begun = time.monotonic()
    switches.start(timeout=0.3)
    assert time.monotonic() - begun < 5
    wait_for(lambda: "cannot be read" in caplog.text)
    switches.stop()
