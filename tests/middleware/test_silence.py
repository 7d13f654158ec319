"""Redis is away for longer than a worker may be silent: that makes no worker dead."""

import time
from collections import Counter
from typing import Any

import dramatiq
import pytest

from callboard.middleware import keeper
from callboard.middleware.broker import Broker
from callboard.middleware.scripts import load_script
from helpers.waiting import wait_for
from helpers.workers import another_broker, declare, events, final_events, held, working


@pytest.fixture(autouse=True)
def quick_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round every 0.2 s instead of every 5."""
    monkeypatch.setattr(keeper, "ROUND", 0.2)


def test_jobs_that_run_through_an_outage_are_not_run_again_by_other_workers(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given three workers that count as dead after a second, each in the middle of a job
    executed: Counter[int] = Counter()
    fleet: list[Any] = [another_broker(broker, heartbeat_timeout=1_000) for _ in range(3)]

    def work(number: int) -> None:
        executed[number] += 1
        time.sleep(5)

    jobs = [declare(one, work, actor_name="work", max_retries=0, time_limit=60_000) for one in fleet]
    with working(fleet[0], threads=1), working(fleet[1], threads=1), working(fleet[2], threads=1):
        for number in range(3):
            jobs[0].send(number)
            wait_for(lambda: executed[number])  # noqa: B023
            time.sleep(0.5)

        # When Redis does not answer for two
        broker.client.execute_command("CLIENT", "PAUSE", 2_000, "ALL")

        # Then each is run once
        found = final_events(broker, 3, timeout=20)
    assert executed == {0: 1, 1: 1, 2: 1}
    assert {event["s"] for event in found} == {"succeeded"}
    assert events(broker, "lost") == []


def test_a_worker_that_was_silent_itself_takes_nothing_from_others(broker: Broker) -> None:
    # Given a dead worker's message, and a worker that was not heard of for as long
    work = declare(broker, lambda: None, actor_name="work")
    dead, silent = another_broker(broker), another_broker(broker)
    work.send()
    assert len(dead.fetch("default", 1)) == 1
    long_ago = int(time.time() * 1000) - 60_000
    broker.client.zadd(broker.keys.heartbeats, {dead.broker_id: long_ago, silent.broker_id: long_ago})
    rescue = load_script(broker.client, "rescue")

    def look(caller: dramatiq.Broker) -> Any:
        return rescue(keys=[broker.namespace], args=[caller.broker_id, 15_000, "", "default"])  # type: ignore[attr-defined]

    # Then it takes the message only when it looks again, after time enough for others to be heard
    assert look(silent) == []
    assert len(held(dead)) == 1
    assert look(silent)[0].decode() == dead.broker_id
    assert held(dead) == set()
