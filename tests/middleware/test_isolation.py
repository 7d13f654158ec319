"""Jobs that run in processes of their own."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import dramatiq
import psutil
import pytest
from dramatiq.middleware import Shutdown

from callboard.core.errors import BadInput
from callboard.middleware.broker import Broker
from helpers.isolated import isolated, lives, written
from helpers.workers import (
    events,
    final_event,
    left_over,
    threads_alive,
    working,
)


def test_each_run_has_a_process_of_its_own_and_returns_its_result(broker: Broker) -> None:
    @isolated
    def work(number: int, *, text: str) -> dict[str, Any]:
        return {"pid": os.getpid(), "said": f"{text} {number}", "threads": threading.active_count()}

    with working(broker) as worker:
        found = [final_event(broker, work.send(number, text="no")) for number in range(3)]
        assert threads_alive(worker) == 4
    assert [event["s"] for event in found] == ["succeeded"] * 3
    assert [event["res"]["said"] for event in found] == ["no 0", "no 1", "no 2"]
    assert {event["res"]["threads"] for event in found} == {1}
    pids = {event["res"]["pid"] for event in found}
    assert len(pids) == 3
    assert not [pid for pid in pids if lives(pid)]


def test_a_worker_without_isolated_jobs_has_no_process_for_them(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def work() -> list[int]:
        return [child.pid for child in psutil.Process().children()]

    before = [child.pid for child in psutil.Process().children()]
    with working(broker):
        assert set(final_event(broker, work.send())["res"]) <= set(before)


def test_a_direct_call_stays_one(broker: Broker) -> None:
    @isolated
    def where() -> int:
        return os.getpid()

    @dramatiq.actor(max_retries=0)
    def thread() -> int:
        return int(where())

    @isolated(actor_name="nested")
    def nested() -> bool:
        return int(where()) == os.getpid()

    assert where() == os.getpid()
    with working(broker):
        assert final_event(broker, thread.send())["res"] == os.getpid()
        assert final_event(broker, nested.send())["res"] is True


def test_a_run_that_outlasts_the_grace_is_put_back_uncounted(broker: Broker, tmp_path: Path) -> None:
    # Given a run that goes on for longer than its worker waits
    @isolated(max_retries=0)
    def work() -> str:
        if (tmp_path / "pid").exists():
            return "at last"
        (tmp_path / "pid").write_text(str(os.getpid()))
        time.sleep(60)
        return "never"

    message = work.send()
    worker = dramatiq.Worker(broker, worker_threads=2, worker_timeout=50)
    worker.start()
    pid = written(tmp_path / "pid")

    # When the worker stops
    worker.stop(timeout=300)

    # Then its process has ended, and it lies in the queue again
    assert not lives(pid)
    (lost,) = events(broker, "lost")
    assert (lost["id"], lost["n"], lost["err"][0]) == (message.message_id, 1, "Shutdown")
    assert broker.client.llen(broker.keys.queue("default")) == 1
    with working(broker):
        event = final_event(broker, message)
    assert (event["s"], event["n"], event["res"]) == ("succeeded", 1, "at last")


def test_a_run_that_asked_for_it_is_told_of_the_shutdown(broker: Broker, tmp_path: Path) -> None:
    @isolated(notify_shutdown=True)
    def work() -> None:
        (tmp_path / "pid").write_text(str(os.getpid()))
        try:
            time.sleep(60)
        except Shutdown:
            (tmp_path / "told").touch()
            raise

    work.send()
    with working(broker):
        written(tmp_path / "pid")
        begun = time.monotonic()
    assert (tmp_path / "told").exists()
    assert time.monotonic() - begun < 20
    assert left_over(broker) == 1
    assert [lost["err"][0] for lost in events(broker, "lost")] == ["Shutdown"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"isolation": "fork"}, "isolation='fork'; use 'thread' or 'process'."),
        ({"memory_limit": "512MB"}, 'which threads cannot have; add isolation="process".'),
        ({"isolation": "thread", "memory_limit": 2**30}, 'add isolation="process".'),
        ({"isolation": "process", "memory_limit": "lots"}, "memory_limit='lots'; use a number of bytes"),
        ({"isolation": "process", "memory_limit": 512}, "memory_limit=512; use a number of bytes"),
        ({"isolation": "process", "memory_limit": True}, "memory_limit=True; use a number of bytes"),
    ],
)
def test_wrong_options_are_refused_where_the_job_is_declared(
    broker: Broker, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadInput) as refused:

        @dramatiq.actor(**options)
        def work() -> None:
            pass

    assert said in str(refused.value)


def test_a_job_declared_after_its_worker_had_begun_fails_with_a_sentence(broker: Broker) -> None:
    @isolated
    def early() -> int:
        return 1

    with working(broker):
        assert final_event(broker, early.send())["res"] == 1

        @isolated
        def late() -> None:
            pass

        event = final_event(broker, late.send())
    assert event["err"][1] == "The job late was declared after its worker had begun."
