"""Row 7: Redis has no memory left (`noeviction`)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from helpers.faults import Side, require_each_once, require_soon
from helpers.waiting import wait_for


@contextmanager
def no_memory_left(side: Side) -> Iterator[None]:
    side.client.config_set("maxmemory", "1")
    try:
        yield
    finally:
        side.client.config_set("maxmemory", "0")


def redis_is_full_for_some_seconds(side: Side) -> None:
    """Whoever sends is told so, and each slot that falls due meanwhile runs in the end, once."""
    side.schedule()
    with side.fleet(threads=4):
        with side.scheduler():
            wait_for(lambda: len(side.notes("slot")) >= 2, 30, "slots")
            first = side.notes("slot")[0].slot
            with no_memory_left(side):
                with pytest.raises(redis.ResponseError, match="maxmemory"):
                    side.send("tick", 1)
                time.sleep(4)
            back = time.time()

            def later() -> list[int]:
                return [note.slot for note in side.notes("slot") if note.slot > back]

            last = require_soon(later, 20, "no more slots")[0]
            wait_for(lambda: side.unsent() == 0)
        require_soon(lambda: side.left_over() == 0, 10, "something is left in the queue")
    ran = [note.slot for note in side.notes("slot")]
    require_each_once(ran, first, last)
    assert side.notes("tick") == []


def test_the_outbox_keeps_what_cannot_be_sent(ours: Side) -> None:
    redis_is_full_for_some_seconds(ours)


def test_stock_periodiq_ends_and_loses_what_was_due(violated_by_stock) -> None:
    violated_by_stock(redis_is_full_for_some_seconds, "were lost")
