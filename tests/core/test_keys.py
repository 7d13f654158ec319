"""The names of keys in Redis: in one namespace, no two alike, Dramatiq's as Dramatiq has them."""

import inspect

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker

from callboard.core.keys import Keys

KEYS = Keys("ns")


def all_keys(keys: Keys) -> list[str]:
    """Each kind of key once, with sample arguments."""
    found = []
    for name, member in inspect.getmembers(Keys):
        if isinstance(member, property):
            found.append(getattr(keys, name))
        elif inspect.isfunction(member) and not name.startswith("_"):
            count = len(inspect.signature(member).parameters) - 1
            found.append(getattr(keys, name)(*["default", "other"][:count]))
    return found


def test_every_key_lies_in_the_namespace_and_no_two_are_alike() -> None:
    keys = all_keys(KEYS)

    assert len(keys) > 12
    assert all(key.startswith("ns:") for key in keys)
    assert len(set(keys)) == len(keys)


def test_a_namespace_in_braces_keeps_all_keys_in_one_slot_of_a_cluster() -> None:
    assert all(key.startswith("{callboard}:") for key in all_keys(Keys("{callboard}")))


def test_none_of_our_keys_can_be_a_queue_of_dramatiq() -> None:
    # Dramatiq's validator allows a queue letters, digits, dots, dashes; and a leading letter or underscore.
    assert KEYS.queue("default") == "ns:default"
    assert KEYS.messages("default") == "ns:default.msgs"
    assert KEYS.dead("default") == "ns:default.XQ"
    ours = {KEYS.events, KEYS.control, KEYS.ended, KEYS.signals, KEYS.workers}
    assert all(key.startswith("ns:__") for key in ours)


def test_names_of_different_things_do_not_run_together() -> None:
    assert KEYS.mutex("a") != KEYS.fence("a")
    assert KEYS.sent("1") != KEYS.wake("1")
    assert KEYS.acks("a", "b") != KEYS.acks("b", "a")


@pytest.mark.parametrize("queue", ["default", "default.DQ"])
def test_dramatiq_keeps_its_messages_where_we_look_for_them(redis_url: str, queue: str) -> None:
    # Given a message that stock Dramatiq enqueues
    broker = RedisBroker(url=redis_url, namespace="ns")
    broker.declare_queue("default")
    message = dramatiq.Message(queue_name=queue, actor_name="job", args=(), kwargs={}, options={})
    try:
        broker.enqueue(message)
        fetched = next(iter(broker.consume(queue, timeout=100)))

        # Expect its traces under our names
        assert fetched is not None
        assert broker.client.exists(KEYS.messages(queue)) == 1
        assert broker.client.smembers(KEYS.acks(broker.broker_id, queue)) == {
            fetched.options["redis_message_id"].encode()
        }
        assert broker.client.zscore(KEYS.heartbeats, broker.broker_id) is not None
    finally:
        broker.close()
