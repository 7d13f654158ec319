"""Worker processes that have had their day give way to fresh ones, and lose nothing."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
import pytest
from dramatiq import Message

from callboard.core.memory import resident_bytes
from callboard.core.settings import Settings
from callboard.middleware.broker import Broker
from callboard.worker.recycling import Recycling
from helpers.waiting import wait_for
from helpers.worker_fleet import worker_fleet


def send_to(broker: Broker, job: str, arguments: Iterable[tuple[Any, ...]]) -> None:
    """Send a job of the fleet once for each tuple of arguments."""
    broker.enqueue_many(Message("default", job, args, {}, {}) for args in arguments)


def test_a_process_that_has_done_its_jobs_is_renewed_and_every_job_is_done_once(
    settings: Settings, tmp_path: Path, broker: Broker
) -> None:
    # Given a fleet of one process that is renewed after ten jobs
    with worker_fleet(settings, tmp_path, processes=1, threads=2, max_jobs=10) as fleet:
        (first,) = fleet.wait_for_workers(1)
        send_to(broker, "tick", ((number,) for number in range(60)))

        # Then the jobs are done, each once, by more than one process, one after the other
        wait_for(lambda: len(fleet.notes()) == 60, 30)
        wait_for(lambda: fleet.alive() and first not in fleet.alive(), 10)
        assert sorted(fleet.notes()) == sorted(f"tick {number}" for number in range(60))
        assert "worker_recycled" in fleet.log.read_text()
        assert "worker_died" not in fleet.log.read_text()
        assert fleet.terminate() == 0


def test_a_job_under_way_is_finished_before_its_process_is_renewed(
    settings: Settings, tmp_path: Path, broker: Broker
) -> None:
    with worker_fleet(settings, tmp_path, processes=1, threads=2, max_jobs=1) as fleet:
        (first,) = fleet.wait_for_workers(1)
        send_to(broker, "linger", [("long", 1.5)])
        wait_for(lambda: "begin long" in fleet.notes(), 10)
        send_to(broker, "tick", [(1,)])
        wait_for(lambda: first not in fleet.alive(), 10)
        assert "end long" in fleet.notes()
        assert fleet.notes().count("begin long") == 1


def test_a_process_that_has_grown_too_large_says_so(broker: Broker) -> None:
    assert Recycling(broker, max_jobs=None, max_memory=None).reason() is None
    assert Recycling(broker, max_jobs=None, max_memory=1 << 40).reason() is None
    said = Recycling(broker, max_jobs=None, max_memory=1 << 20).reason()
    assert said is not None
    assert said.endswith("MB of memory, of 1 MB at most")


def test_the_memory_in_use_is_what_the_system_says() -> None:
    assert resident_bytes() == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)


def test_a_bound_that_is_exceeded_before_the_first_job_is_refused_in_one_sentence(
    settings: Settings, tmp_path: Path
) -> None:
    with worker_fleet(settings, tmp_path, processes=1, threads=1, max_memory=8 << 20) as fleet:
        assert fleet.master.wait(30) == 2
        assert "make --max-memory more than that" in fleet.log.read_text()
