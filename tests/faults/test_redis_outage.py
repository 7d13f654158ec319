"""Row 8: Redis is away for a while, under load."""

import time
from collections.abc import Iterator

import pytest

from helpers.faults import Side, require, require_soon
from helpers.own_redis import OwnRedis, own_redis
from helpers.waiting import wait_for

#: Jobs of each kind: quick ones, such as fail at first, and such as wait for their time.
QUICK, SHAKY, DELAYED = 300, 30, 30


@pytest.fixture(scope="module")
def server() -> Iterator[OwnRedis]:
    with own_redis() as server:
        yield server


@pytest.fixture
def redis_url(server: OwnRedis) -> str:
    return server.url


def redis_is_away_under_load(side: Side, server: OwnRedis) -> None:
    """No process ends, each job is done, and nothing is stranded in the hands of a worker that lives."""
    with side.fleet(processes=2, threads=4) as fleet:
        lives = side.lives(fleet)
        for number in range(DELAYED):
            side.send("tick", number, delay=8_000 + 50 * number)
        for number in range(DELAYED, DELAYED + SHAKY):
            side.send("shaky", number)
        for number in range(20):
            side.send("linger", f"long {number}", 0.5)
        for number in range(DELAYED + SHAKY, DELAYED + SHAKY + QUICK):
            side.send("tick", number)
        wait_for(lambda: side.notes("end"), what="the first jobs")
        taken = f"{side.namespace}:default.DQ"
        wait_for(lambda: side.client.llen(taken) == 0, what="a worker that has taken what is delayed")
        server.kill()
        time.sleep(3)
        server.start()

        def missing() -> int:
            done = {note.name for note in side.notes("tick")} | {note.name for note in side.notes("end")}
            return DELAYED + SHAKY + QUICK + 20 - len(done)

        require_soon(lambda: missing() == 0, 9, "not all jobs were done")
        require_soon(lambda: side.left_over() == 0, 5, "something is left in the queue")
        acks = side.client.keys(f"{side.namespace}:__acks__.*")
        require(not acks, f"messages are stranded in live workers: {acks}")
        require(side.lives(fleet) == lives, "a process has ended")


def test_nothing_is_stranded_and_no_process_ends(ours: Side, server: OwnRedis) -> None:
    redis_is_away_under_load(ours, server)

    assert ours.dead_letters() == []


def test_plain_dramatiq_strands_messages(violated_by_stock, server: OwnRedis) -> None:
    violated_by_stock(lambda side: redis_is_away_under_load(side, server), "not all jobs were done", tries=3)
