"""The fleet of processes under one master, in the middle of its work: deaths, ends and bad beginnings."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from dramatiq import Message

from callboard.core.settings import Settings
from callboard.middleware.broker import Broker
from helpers.waiting import wait_for
from helpers.worker_fleet import TESTS, worker_fleet
from helpers.workers import final_event, final_events, held, left_over, run_events


def send(broker: Broker, actor: str, *arguments: object, queue: str = "default") -> Message:
    """Send a job to the fleet."""
    return broker.enqueue(Message(queue, actor, arguments, {}, {}))


def test_a_process_that_is_killed_is_started_again_and_no_other_is_touched(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given a fleet of two processes
    with worker_fleet(settings, tmp_path, processes=2, threads=1) as workers:
        first, second = workers.wait_for_workers(2)

        # When one of them is killed
        os.kill(first, signal.SIGKILL)

        # Then there are two again, and the other is the same
        wait_for(lambda: len(set(workers.alive()) - {first}) == 2, what="the new process")
        assert second in workers.alive()
        assert workers.master.poll() is None

        # And both work
        new = next(pid for pid in workers.alive() if pid != second)
        wait_for(lambda: new in workers.workers().values(), what="the new worker")
        messages = [send(broker, "whoami") for _ in range(20)]
        assert {final_event(broker, message)["res"] for message in messages} == {second, new}
        assert "A worker process died." in workers.log.read_text()


def test_stock_dramatiq_ends_altogether_when_one_process_dies(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given Dramatiq's own command with two processes
    environment = {
        **os.environ,
        "REDIS_URL": settings.redis_url,
        "CALLBOARD_NAMESPACE": settings.callboard_namespace,
        "PYTHONPATH": str(TESTS),
    }
    command = [sys.executable, "-m", "dramatiq", "helpers.stock_fleet", "--processes", "2", "--threads", "1"]
    with (tmp_path / "log").open("wb") as log:
        master = subprocess.Popen(
            [*command, "--worker-shutdown-timeout", "1000"], env=environment, stdout=log, stderr=log
        )
    try:
        # The heartbeats say that both have begun.
        wait_for(lambda: broker.client.zcard(broker.keys.heartbeats) == 2, what="two workers")
        children = psutil.Process(master.pid).children(recursive=True)
        worker = next(
            c for c in children if any(f.fd > 2 for f in c.net_connections()) or c.num_threads() > 2
        )

        # When one of them is killed, then the whole of it ends
        worker.kill()
        assert master.wait(20) != 0
    finally:
        if master.poll() is None:
            master.kill()
            master.wait()
    assert "exited unexpectedly" in (tmp_path / "log").read_text()


def test_sigterm_lets_running_jobs_finish_and_leaves_the_rest_in_the_queue(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given a process of two threads with more jobs than that
    with worker_fleet(settings, tmp_path, threads=2) as workers:
        workers.wait_for_workers(1)
        messages = [send(broker, "linger", str(number), 1.0) for number in range(6)]
        wait_for(lambda: len(workers.notes()) == 2)

        # When it is told to end
        begun = time.monotonic()
        assert workers.terminate() == 0

    # Then it has finished what it had begun, recorded it, and put the rest back
    assert time.monotonic() - begun < 20
    notes = workers.notes()
    done = sum(note.startswith("end") for note in notes)
    assert len(notes) == 2 * done
    assert len(final_events(broker, done)) == done
    assert broker.client.llen(broker.keys.queue("default")) == left_over(broker) == 6 - done
    assert not [key for key in broker.client.keys("*") if b"__acks__" in key]
    assert len(messages) == 6
    assert "Traceback" not in workers.log.read_text()


def test_a_job_longer_than_the_grace_is_left_to_others_and_is_no_failure(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given a job that needs longer than the grace of its process
    with worker_fleet(settings, tmp_path, threads=2, grace_s=0.5) as workers:
        workers.wait_for_workers(1)
        message = send(broker, "linger", "long", 3.0)
        wait_for(lambda: workers.notes() == ["begin long"])
        begun = time.monotonic()
        assert workers.terminate() == 0
        assert time.monotonic() - begun < 20
    assert [event["s"] for event in run_events(broker, message) if "fin" in event] == []

    # When another fleet begins, then it does the job at once
    with worker_fleet(settings, tmp_path, threads=2) as workers:
        event = final_event(broker, message, timeout=20)
    assert (event["s"], event["n"]) == ("succeeded", 1)
    assert workers.notes() == ["begin long", "begin long", "end long"]


def test_an_idle_fleet_ends_at_once(broker: Broker, settings: Settings, tmp_path: Path) -> None:
    with worker_fleet(settings, tmp_path, processes=2, threads=8) as workers:
        workers.wait_for_workers(2)
        begun = time.monotonic()
        assert workers.terminate() == 0
    assert time.monotonic() - begun < 20
    assert workers.alive() == []
    assert broker.client.hgetall(broker.keys.workers) == {}


@pytest.mark.parametrize("delay", [0.0, 0.5, 1.2])
def test_a_fleet_that_is_told_to_end_while_it_begins_does_so(
    settings: Settings, tmp_path: Path, delay: float
) -> None:
    # Given a fleet of some processes, each at another point of its beginning
    with worker_fleet(settings, tmp_path, processes=3, threads=2, grace_s=5) as workers:
        wait_for(lambda: workers.alive() or workers.master.poll() is not None, what="a child")
        time.sleep(delay)
        begun = time.monotonic()
        workers.terminate(timeout=30)
    assert time.monotonic() - begun < 20
    assert "did not end in time" not in workers.log.read_text()


def test_ctrl_c_ends_a_fleet_like_sigterm(broker: Broker, settings: Settings, tmp_path: Path) -> None:
    with worker_fleet(settings, tmp_path, processes=2, threads=1) as workers:
        pids = workers.wait_for_workers(2)
        message = send(broker, "linger", "x", 0.5)
        wait_for(workers.notes)

        # A terminal sends the signal to the whole group.
        for pid in (*pids, workers.master.pid):
            os.kill(pid, signal.SIGINT)
        assert workers.master.wait(15) == 0
    assert final_event(broker, message)["s"] == "succeeded"


@pytest.mark.parametrize(
    ("actors", "said"),
    [
        ("helpers.fleet_jobs,helpers.nothing", "The module helpers.nothing of CALLBOARD_ACTORS"),
        ("helpers.broken_jobs", "The actor broken has periodic='0 8 * * *'"),
    ],
    ids=["one of two missing", "a wrong option"],
)
def test_actors_that_cannot_be_loaded_end_the_fleet_with_one_sentence(
    settings: Settings, tmp_path: Path, actors: str, said: str
) -> None:
    with worker_fleet(settings, tmp_path, actors=actors, processes=2) as workers:
        assert workers.master.wait(20) == 2
    log = workers.log.read_text()
    assert said in log
    assert "Traceback" not in log
    reasons = [json.loads(line)["reason"] for line in log.splitlines() if "worker_refused" in line]
    assert reasons
    assert all(reason.endswith(".") and "\n" not in reason for reason in reasons)


def test_children_end_when_their_master_is_killed(broker: Broker, settings: Settings, tmp_path: Path) -> None:
    # Given a fleet in the middle of a job
    with worker_fleet(settings, tmp_path, processes=2, threads=1) as workers:
        pids = workers.wait_for_workers(2)
        message = send(broker, "linger", "x", 1.0)
        wait_for(workers.notes)

        # When its master is killed
        workers.master.kill()
        workers.master.wait()

        # Then no child stays behind, and the job was finished
        wait_for(lambda: not any(psutil.pid_exists(pid) for pid in pids), 10, "the end of the children")
    assert final_event(broker, message)["s"] == "succeeded"
    assert held(broker) == set()


def test_a_process_serves_the_queues_that_it_is_told_to(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    with worker_fleet(settings, tmp_path, threads=1, queues=["mail"]) as workers:
        workers.wait_for_workers(1)
        other = send(broker, "tick", 1)
        assert final_event(broker, send(broker, "mail", queue="mail"))["s"] == "succeeded"
        time.sleep(0.3)
        assert run_events(broker, other) == []
        assert broker.client.llen(broker.keys.queue("default")) == 1


def test_a_process_that_dies_at_once_again_and_again_is_started_less_and_less_often(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given a fleet whose process is killed whenever it begins
    with worker_fleet(settings, tmp_path, processes=1, threads=1) as workers:
        begun, seen = time.monotonic(), set()
        while time.monotonic() - begun < 4 or (len(seen) < 2 and time.monotonic() - begun < 60):
            for pid in workers.alive():
                seen.add(pid)
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

        # Then there were a few attempts, not a storm, and the master lives
        assert 2 <= len(seen) <= 4
        assert workers.master.poll() is None
