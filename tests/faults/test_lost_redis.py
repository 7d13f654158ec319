"""Row 5: Redis is killed and starts again with nothing."""

import time
from collections.abc import Iterator

import pytest

from helpers.faults import Side, require_each_once, require_soon
from helpers.own_redis import OwnRedis, own_redis
from helpers.schedules import fetch
from helpers.waiting import wait_for


@pytest.fixture(scope="module")
def server() -> Iterator[OwnRedis]:
    with own_redis(forgetful=True) as server:
        yield server


@pytest.fixture
def redis_url(server: OwnRedis) -> str:
    return server.url


def redis_loses_what_was_sent(side: Side, server: OwnRedis) -> None:
    """Each slot runs, once: those that had been sent, those that fell due meanwhile, those after."""
    side.schedule()
    with side.scheduler():
        wait_for(lambda: len(side.waiting_slots()) >= 3, 30, "slots in the queue")
        first = side.waiting_slots()[0]
        server.kill()
        time.sleep(2)
        server.start()
        back = time.time()
        last = require_soon(
            lambda: [slot for slot in side.waiting_slots() if slot > back], 20, "no more slots"
        )
        require_soon(lambda: first in side.waiting_slots(), 20, "what had been sent was lost")
        wait_for(lambda: side.unsent() == 0 and max(side.waiting_slots()) > last[-1])
    with side.fleet(threads=4):
        require_soon(lambda: side.left_over() == 0, 20, "something is left in the queue")
    require_each_once([note.slot for note in side.notes("slot")], first, last[-1])


def test_the_outbox_is_replayed_and_no_slot_is_lost(ours: Side, server: OwnRedis) -> None:
    redis_loses_what_was_sent(ours, server)

    query = "SELECT disposition, count(*) FROM callboard.occurrences GROUP BY disposition"
    ((disposition, count),) = fetch(ours.engine, query)
    assert disposition == "fired"
    assert count == len(ours.notes("slot"))


def test_stock_periodiq_loses_them(violated_by_stock, server: OwnRedis) -> None:
    violated_by_stock(lambda side: redis_loses_what_was_sent(side, server), "what had been sent was lost")
