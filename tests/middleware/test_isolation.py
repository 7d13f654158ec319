"""Jobs that run in processes of their own."""

import os
import time

import dramatiq

from callboard.middleware.broker import Broker
from helpers.workers import final_event, working


def test_a_job_runs_in_a_process_of_its_own(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0, isolation="process")
    def work(number: int) -> dict:
        return {"pid": os.getpid(), "number": number}

    with working(broker):
        found = [final_event(broker, work.send(number)) for number in range(3)]
    print([ (e["s"], e.get("err"), e["ms"]) for e in found])
    pids = {event["res"]["pid"] for event in found}
    assert len(pids) == 3
    assert os.getpid() not in pids


def test_x(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0, isolation="process", time_limit=300)
    def work() -> None:
        time.sleep(30)

    with working(broker):
        event = final_event(broker, work.send())
    print(event["ms"], event["err"][2])
    assert event["err"][:2] == ["TimeLimitExceeded", "Job timeout after 0.3 seconds"]
    assert 300 <= event["ms"] < 700
