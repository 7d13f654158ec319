"""Row 17: messages that cannot be decoded, of unknown actors, with arguments of an older version."""

import time
from collections.abc import Iterator
from uuid import uuid4

from helpers.faults import Side, require, require_soon

#: What no Dramatiq ever wrote.
UNDECODABLE = b"\x80\x04\x95 not a message"


def put(side: Side, payload: bytes) -> None:
    """Put a payload into the queue as it is."""
    redis_id = str(uuid4())
    side.client.hset(side.keys.messages("default"), redis_id, payload)
    side.client.rpush(side.keys.queue("default"), redis_id)


def acks(side: Side) -> Iterator[bytes]:
    """The sets of messages that workers hold."""
    return side.client.scan_iter(f"{side.namespace}:__acks__.*")  # type: ignore[no-any-return]


def bad_messages_come_before_good_ones(side: Side) -> None:
    """The bad ones go to the dead letters, once and for all, and the good ones are done."""
    put(side, UNDECODABLE)
    side.send("nobody-knows")
    # The arguments that it took before.
    side.send("fickle", "job", 1.0, "and one that is no more")
    for number in range(5):
        side.send("tick", number)
    with side.fleet():
        require_soon(lambda: len(side.notes("tick")) == 5, 10, "the messages after them were not done")
        require_soon(lambda: len(side.dead_letters()) == 3, 10, "they are not all in the dead letters")
        require_soon(lambda: side.left_over() == 0, 5, "something of them is left in the queue")
        letters = sorted(side.dead_letters())
        time.sleep(1.5)
        require(sorted(side.dead_letters()) == letters, "they go round and round")
        require(not list(acks(side)), "something of them is left in the hands of a worker")
    require(len(side.notes()) == 5, "a job was begun with arguments that it does not take")


def test_they_are_dead_letters_with_the_reason(ours: Side) -> None:
    bad_messages_come_before_good_ones(ours)

    dead = {event["job"]: event for event in ours.events("run") if "dl" in event}
    assert dead["(undecodable)"]["why"] == "the message cannot be decoded"
    assert dead["nobody-knows"]["s"] == "dead"
    assert "nobody-knows" in dead["nobody-knows"]["why"]
    assert (dead["fickle"]["s"], dead["fickle"]["err"][0]) == ("failed", "TypeError")
    assert "positional argument" in dead["fickle"]["err"][1]


def test_plain_dramatiq_holds_them_for_ever(violated_by_stock) -> None:
    violated_by_stock(
        bad_messages_come_before_good_ones,
        "the messages after them were not done|not all in the dead letters",
    )
