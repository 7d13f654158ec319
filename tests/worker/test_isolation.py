"""Isolated jobs in a fleet: what becomes of their processes when others die, and of others when they do."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from dramatiq import Message

from callboard.core.settings import Settings
from callboard.middleware.broker import Broker
from helpers.isolated import BLOCKING, lives
from helpers.waiting import wait_for
from helpers.worker_fleet import Fleet, worker_fleet
from helpers.workers import events, final_event, final_events, run_events

QUICK = {"actors": "helpers.isolated_jobs", "heartbeat_timeout": 1_500, "round": 0.3}


def send(broker: Broker, actor: str, *arguments: object) -> Message:
    """Send a job to the fleet."""
    return broker.enqueue(Message("default", actor, arguments, {}, {}))


def noted(fleet: Fleet, name: str, times: int = 1) -> list[int]:
    """The processes that a job has noted, the last time of so many."""

    def found() -> list[str]:
        notes = [note for note in fleet.notes() if note.startswith(f"{name} ")]
        return notes if len(notes) >= times else []

    return [int(pid) for pid in wait_for(found, 20, f"note {times} of {name}")[-1].split()[1:]]


def test_a_worker_that_is_killed_takes_its_runs_processes_with_it(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given a run, in its process, that has started another
    with worker_fleet(settings, tmp_path, threads=2, **QUICK) as workers:
        (worker,) = workers.wait_for_workers(1)
        message = send(broker, "settle", "x", 3.0)
        pids = noted(workers, "x")
        nursery = [child.pid for child in psutil.Process(worker).children()]
        assert all(lives(pid) for pid in (*pids, *nursery))

        # When the worker is killed, then all of them are gone within a second
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: not any(lives(pid) for pid in (*pids, *nursery)), 1.0, "the end of all of them")

        # and the run goes again
        event = final_event(broker, message, timeout=30)
    assert (event["s"], event["res"], event["n"]) == ("succeeded", "x", 1)
    assert [lost["err"][0] for lost in events(broker, "lost")] == ["WorkerLost"]


@pytest.mark.parametrize("how", BLOCKING)
def test_a_process_is_gone_within_a_second_after_its_limit_while_the_worker_is_busy(
    broker: Broker, settings: Settings, tmp_path: Path, how: str
) -> None:
    # Given as many blocking runs as there are threads
    with worker_fleet(settings, tmp_path, threads=3, **QUICK) as workers:
        workers.wait_for_workers(1)
        messages = [send(broker, "block", how) for _ in range(3)]
        found = [final_event(broker, message, timeout=20) for message in messages]

        # Then each has ended in time, no process is left, and no thread is lost
        assert [event["err"][0] for event in found] == ["TimeLimitExceeded"] * 3
        assert max(event["ms"] for event in found) <= 1_500
        pids = [int(note.split()[1]) for note in workers.notes()]
        assert len(pids) == 3
        assert not any(lives(pid) for pid in pids)
        messages = [send(broker, "settle", str(number), 0.1) for number in range(3)]
        assert {final_event(broker, message)["s"] for message in messages} == {"succeeded"}


def test_a_job_that_crashes_ends_its_own_process_alone(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    with worker_fleet(settings, tmp_path, threads=2, **QUICK) as workers:
        (worker,) = workers.wait_for_workers(1)
        other = send(broker, "settle", "other", 1.0)
        noted(workers, "other")
        crashed = [final_event(broker, send(broker, "crash")) for _ in range(3)]
        assert [event["err"][1] for event in crashed] == ["The job's process ended with signal SIGABRT."] * 3
        assert final_event(broker, other)["s"] == "succeeded"
        assert workers.wait_for_workers(1) == [worker]


def test_a_stop_puts_back_what_outlasts_the_grace_uncounted(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given a run that is finished within the grace, and one that is not
    with worker_fleet(settings, tmp_path, threads=2, grace_s=2.0, **QUICK) as workers:
        workers.wait_for_workers(1)
        short, long = send(broker, "settle", "short", 1.0), send(broker, "settle", "long", 4.0)
        pids = [*noted(workers, "short"), *noted(workers, "long")]

        # When the worker is told to end
        begun = time.monotonic()
        assert workers.terminate() == 0
        assert time.monotonic() - begun < 20

    # Then the one has finished, the other is in the queue again, and no process is left
    assert final_event(broker, short)["s"] == "succeeded"
    assert not [event for event in run_events(broker, long) if "fin" in event]
    assert broker.client.llen(broker.keys.queue("default")) == 1
    assert not any(lives(pid) for pid in pids)

    # and it is done by the next
    with worker_fleet(settings, tmp_path, threads=2, **QUICK) as workers:
        event = final_event(broker, long, timeout=20)
    assert (event["s"], event["n"]) == ("succeeded", 1)


def test_a_worker_whose_nursery_dies_is_replaced_and_its_runs_go_again(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given isolated runs, some of which have not begun
    with worker_fleet(settings, tmp_path, threads=2, **QUICK) as workers:
        (worker,) = workers.wait_for_workers(1)
        messages = [send(broker, "settle", str(number), 1.0) for number in range(6)]
        pids = [*noted(workers, "0"), *noted(workers, "1")]
        (nursery,) = psutil.Process(worker).children()

        # When the process that starts them is killed
        nursery.kill()

        # Then theirs end with it, another worker takes over, and no attempt has failed
        wait_for(lambda: not lives(pids[0]) and not lives(pids[2]), 2.0, "the end of the processes")
        found = [final_event(broker, message, timeout=30) for message in messages]
        wait_for(lambda: worker not in workers.alive(), what="the end of the worker")
        assert "The process that starts isolated runs has died" in workers.log.read_text()
    assert [(event["s"], event["n"]) for event in found] == [("succeeded", 1)] * 6


def test_a_worker_that_is_stopped_for_long_lets_no_run_of_its_own_go_on_without_it(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given a run whose mutex is renewed by its worker
    options = {**QUICK, "heartbeat_timeout": 30_000, "lease": 4_000}
    with worker_fleet(settings, tmp_path, threads=1, **options) as workers:
        (worker,) = workers.wait_for_workers(1)
        message = send(broker, "sealed", "x", 4.0)
        pids = noted(workers, "x")

        # When that is stopped
        os.kill(worker, signal.SIGSTOP)
        try:
            # Then the run's process ends before anybody else can have the mutex
            lock = broker.keys.mutex("sealed")
            wait_for(lambda: not any(lives(pid) for pid in pids), 4.0, "the end of the process")
            assert broker.client.exists(lock)
        finally:
            os.kill(worker, signal.SIGCONT)

        # and goes again, uncounted
        event = final_event(broker, message, timeout=20)
    assert (event["s"], event["n"], event["res"]) == ("succeeded", 1, "x")
    assert [lost["err"] for lost in events(broker, "lost")] == [
        ["WorkerFroze", "The worker was stopped while the job was running."]
    ]


def test_ctrl_c_reaches_no_isolated_run(broker: Broker, settings: Settings, tmp_path: Path) -> None:
    with worker_fleet(settings, tmp_path, threads=1, **QUICK) as workers:
        (worker,) = workers.wait_for_workers(1)
        message = send(broker, "settle", "x", 1.5)
        (run, _) = noted(workers, "x")
        (nursery,) = psutil.Process(worker).children()

        # A service manager sends the signal to every process of the service, a terminal to its own group.
        for number in (signal.SIGTERM, signal.SIGINT):
            for pid in (run, nursery.pid, worker, workers.master.pid):
                os.kill(pid, number)
        assert workers.master.wait(15) == 0
    assert final_event(broker, message)["s"] == "succeeded"


def test_an_isolated_run_costs_little_more_than_a_fork(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    with worker_fleet(settings, tmp_path, threads=1, **QUICK) as workers:
        workers.wait_for_workers(1)
        for job in ("nothing", "nothing_in_a_thread"):
            for _ in range(40):
                send(broker, job)
        found = final_events(broker, 80, timeout=60)
    took = sorted(event["ms"] for event in found if event["job"] == "nothing")
    print(f"isolated: median {took[20]} ms, 90% {took[36]} ms, most {took[-1]} ms")
    assert took[20] < 60
