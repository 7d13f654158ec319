"""The worker from outside: processes that are started again, and an end in order. It needs Redis alone."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dramatiq
import psutil
import pytest

from callboard.middleware.broker import Broker
from callboard.storage.embedded.process import alive
from helpers.waiting import wait_for
from helpers.workers import Event, events, final_events

TESTS = Path(__file__).parents[1]
#: Seconds that a worker has to start and work on a busy machine.
START_S = 30.0

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(broker: Broker, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker, or code in its place, with settings of the test's own; see `tmp_path/said`."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, code: str | None = None, **settings: str) -> "subprocess.Popen[bytes]":
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        environment = kept | {
            "REDIS_URL": broker.url,
            "CALLBOARD_NAMESPACE": broker.namespace,
            "CALLBOARD_HOME": str(tmp_path / "home"),
            "CALLBOARD_ACTORS": "helpers.worker_actors",
            "PYTHONPATH": str(TESTS),
            **settings,
        }
        command = [sys.executable, "-m", "callboard.control.processes", "worker", *arguments]
        if code is not None:
            command = [sys.executable, "-c", code]
        with (tmp_path / "said").open("wb") as said:
            started.append(subprocess.Popen(command, env=environment, stdout=said, stderr=said))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture
def send(broker: Broker) -> Callable[..., None]:
    """Sends a message for one of the worker's jobs."""

    def send(job: str, *args: Any) -> None:
        broker.enqueue(
            dramatiq.Message(queue_name="default", actor_name=job, args=args, kwargs={}, options={})
        )

    return send


def children(worker: "subprocess.Popen[bytes]", count: int) -> list[psutil.Process]:
    """The worker's processes, once there are so many."""

    def found() -> list[psutil.Process]:
        listed = psutil.Process(worker.pid).children()
        return listed if len(listed) == count else []

    return wait_for(found, START_S, f"{count} processes")


def results(finals: list[Event]) -> list[Any]:
    return [event.get("res") for event in finals]


def test_it_works_and_ends_when_it_is_told_to(
    broker: Broker, start: Start, send: Callable[..., None]
) -> None:
    worker = start("--processes", "2")
    send("tell-pid")

    (pid,) = results(final_events(broker, 1, START_S))

    family = children(worker, 2)
    assert pid in [child.pid for child in family]
    worker.terminate()
    assert worker.wait(20) == 0
    assert not [child.pid for child in family if alive(child.pid)]


def test_a_process_that_dies_is_started_again(
    broker: Broker, start: Start, send: Callable[..., None], tmp_path: Path
) -> None:
    worker = start()
    send("tell-pid")
    (first,) = results(final_events(broker, 1, START_S))

    os.kill(first, signal.SIGKILL)
    wait_for(lambda: "worker_died" in (tmp_path / "said").read_text(), START_S, "a word about it")
    send("tell-pid")

    second = results(final_events(broker, 2, START_S))[1]
    assert second != first
    assert [child.pid for child in children(worker, 1)] == [second]


def test_what_runs_is_finished_within_the_grace(
    broker: Broker, start: Start, send: Callable[..., None]
) -> None:
    worker = start("--grace", "20")
    send("nap", 1.5)
    wait_for(
        lambda: [event for event in events(broker, "run") if event["s"] == "processing"],
        what="a start",
        timeout=START_S,
    )

    worker.terminate()

    assert worker.wait(20) == 0
    assert results(final_events(broker, 1, START_S)) == ["rested"]


def test_a_master_that_is_killed_leaves_no_process_behind(start: Start) -> None:
    worker = start("--processes", "2")
    family = children(worker, 2)

    worker.kill()
    worker.wait()

    wait_for(lambda: not [child.pid for child in family if alive(child.pid)], START_S, "the end of all of it")


BEGIN_WITH_AN_ORDER_TO_END = """
import multiprocessing, os, signal
from callboard.core.settings import load_settings
from callboard.worker.child import WorkerOptions, work
signal.signal(signal.SIGTERM, lambda *_: print("the master's own handler"))
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
os.kill(os.getpid(), signal.SIGTERM)
work(load_settings(), WorkerOptions(), os.getppid(), multiprocessing.RawValue("b", 0))
print("ended in order")
"""


def test_an_order_to_end_that_comes_while_a_process_is_started_is_heard(start: Start, tmp_path: Path) -> None:
    worker = start(code=BEGIN_WITH_AN_ORDER_TO_END)

    assert worker.wait(START_S) == 0
    said = (tmp_path / "said").read_text()
    assert "ended in order" in said
    assert "own handler" not in said


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        ("no_such_module", "The module no_such_module of CALLBOARD_ACTORS cannot be imported"),
        ("broken_jobs", "ValueError: bad luck"),
        ("jobless", "The modules of CALLBOARD_ACTORS (jobless) declare no actor."),
    ],
)
def test_actors_that_cannot_be_loaded_end_it_at_once_with_one_sentence(
    start: Start, tmp_path: Path, module: str, sentence: str
) -> None:
    (tmp_path / "broken_jobs.py").write_text("raise ValueError('bad luck')\n")
    (tmp_path / "jobless.py").write_text("")

    worker = start(CALLBOARD_ACTORS=module, PYTHONPATH=str(tmp_path))

    assert worker.wait(30) == 2
    said = (tmp_path / "said").read_text()
    assert sentence in said
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1
