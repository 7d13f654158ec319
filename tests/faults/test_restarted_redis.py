"""Row 6: Redis is killed and starts again with its append-only file, while delayed jobs are pending."""

import time
from collections.abc import Iterator

import pytest

from helpers.faults import Side, require_soon
from helpers.own_redis import OwnRedis, own_redis
from helpers.waiting import wait_for


@pytest.fixture(scope="module")
def server() -> Iterator[OwnRedis]:
    with own_redis() as server:
        yield server


@pytest.fixture
def redis_url(server: OwnRedis) -> str:
    return server.url


def redis_restarts_while_jobs_wait_for_their_time(side: Side, server: OwnRedis) -> None:
    """They run when it has come, those in the hands of a worker like those in the queue."""
    with side.fleet(threads=2):
        for number in range(5):
            side.send("tick", number, delay=3_000)
        taken = f"{side.namespace}:default.DQ"
        wait_for(lambda: side.client.llen(taken) == 0, what="a worker that has taken them")
        server.kill()
        time.sleep(0.5)
        server.start()
        for number in range(5, 10):
            side.send("tick", number, delay=1_000)

        def done() -> bool:
            return {note.name for note in side.notes("tick")} == {str(number) for number in range(10)}

        require_soon(done, 10, "the delayed jobs did not run")
        require_soon(lambda: side.left_over() == 0, 5, "something is left in the queue")


def test_they_run_within_the_bound(ours: Side, server: OwnRedis) -> None:
    redis_restarts_while_jobs_wait_for_their_time(ours, server)

    assert len(ours.notes("tick")) == 10


def test_plain_dramatiq_strands_them_in_its_hands(violated_by_stock, server: OwnRedis) -> None:
    violated_by_stock(
        lambda side: redis_restarts_while_jobs_wait_for_their_time(side, server),
        "the delayed jobs did not run",
    )
