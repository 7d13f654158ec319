"""Isolated runs as their threads see them: they end in time, in whatever way."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import dramatiq
import psutil
import pytest

from callboard import current_run
from callboard.core.backoff import fixed
from callboard.core.logging import get_logger
from callboard.middleware.broker import Broker
from helpers.isolated import BLOCKING, end, isolated, lives, written
from helpers.waiting import wait_for
from helpers.workers import (
    Calls,
    dead_letters,
    declare,
    events,
    final_event,
    final_events,
    logged,
    run_events,
    stock_broker,
    threads_alive,
    wait_until_empty,
    working,
)


@pytest.mark.alone
@pytest.mark.parametrize("how", BLOCKING)
def test_a_run_is_over_within_a_second_after_its_limit_however_it_blocks(broker: Broker, how: str) -> None:
    # Given a job of 300 ms that blocks in its way, and tries again
    @isolated(max_retries=1, backoff=fixed(1), time_limit=300)
    def block() -> None:
        BLOCKING[how]()

    message = block.send()
    with working(broker):
        event = final_event(broker, message, timeout=15)
        wait_until_empty(broker)

    # Then both of its attempts have failed in time, as those of any other job
    failed = [event for event in run_events(broker, message) if "fin" in event]
    assert [(event["s"], event["n"]) for event in failed] == [("pending", 1), ("failed", 2)]
    for event in failed:
        assert event["err"][:2] == ["TimeLimitExceeded", "Job timeout after 0.3 seconds"]
        assert 300 <= event["ms"] <= 1300
        # and say where it was, unless the job saw to that itself
        assert how == "deaf" or f"in {BLOCKING[how].__name__}" in event["err"][2]
    assert len(dead_letters(broker)) == 1


def test_stock_dramatiq_lets_a_blocking_call_go_on_past_its_limit(broker: Broker) -> None:
    # Given the same in a thread of a stock worker
    stock, ended = stock_broker(broker), Calls()

    def block() -> None:
        begun = time.monotonic()
        try:
            time.sleep(2.5)
        finally:
            ended.note(time.monotonic() - begun)

    declare(stock, block, max_retries=0, time_limit=300)
    stock.emit_after("process_boot")
    stock.enqueue(stock.get_actor("block").message())
    with working(stock, threads=1):
        assert ended.wait_for(1)[0] > 1.5


@pytest.mark.alone
def test_a_run_past_its_limit_is_killed_even_while_the_worker_itself_cannot_do_it(
    broker: Broker, tmp_path: Path
) -> None:
    # Given an isolated job that says all the time that it is there, and will not end
    beat, started = tmp_path / "beat", Calls()

    @isolated(time_limit=500)
    def work() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            beat.touch()
            time.sleep(0.005)

    # and a job in a thread that keeps the interpreter's lock for longer than that takes
    @dramatiq.actor(max_retries=0)
    def hog() -> float:
        started.note()
        begun = time.monotonic()
        sum(range(3 * 10**8))
        return time.monotonic() - begun

    message = work.send()
    with working(broker):
        wait_for(beat.exists)
        begun = time.time()
        held = final_event(broker, hog.send(), timeout=60)
        event = final_event(broker, message)
    assert held["res"] > 1.5, "the lock was not held for long enough to show anything"
    assert event["err"][0] == "TimeLimitExceeded"
    assert beat.stat().st_mtime - begun < 1.6


@pytest.mark.alone
def test_a_run_can_clean_up_before_it_is_killed(broker: Broker, tmp_path: Path) -> None:
    @isolated(time_limit=500)
    def work() -> None:
        try:
            time.sleep(30)
        except dramatiq.middleware.TimeLimitExceeded:
            get_logger("app").warning("Out of time.")
            raise
        finally:
            (tmp_path / "clean").write_text("yes")

    message = work.send()
    with working(broker):
        event = final_event(broker, message)
    assert (tmp_path / "clean").exists()
    assert event["err"][0] == "TimeLimitExceeded"
    assert "in work" in event["err"][2]
    assert logged(broker, message) == ["Out of time."]
    assert event["ms"] < 1_000


@pytest.mark.parametrize("how", BLOCKING)
def test_a_run_that_somebody_ends_is_over_within_a_second(broker: Broker, tmp_path: Path, how: str) -> None:
    @isolated(max_retries=3)
    def block() -> None:
        (tmp_path / "pid").write_text(str(os.getpid()))
        BLOCKING[how]()

    message = block.send()
    with working(broker):
        pid = written(tmp_path / "pid")
        time.sleep(0.1)
        ordered = time.time() * 1000
        end(broker, message)
        event = final_event(broker, message)
        assert not lives(pid)
    assert (event["s"], event["why"], event["by"], event["n"]) == ("cancelled", "wrong day", "ada", 1)
    assert event["fin"] - ordered < 1000


def test_a_run_that_loses_its_mutex_ends_and_goes_again(broker: Broker, monkeypatch: Any) -> None:
    from callboard.middleware import keeper

    monkeypatch.setattr(keeper, "ROUND", 0.1)
    lock = broker.keys.mutex("guarded")

    @isolated(mutex=True)
    def guarded() -> int:
        run = current_run()
        assert run is not None
        if run.fence == 1:
            time.sleep(30)
        return run.fence or 0

    message = guarded.send()
    with working(broker):
        wait_for(lambda: broker.client.get(lock))
        broker.client.set(lock, "somebody else", px=500)
        event = final_event(broker, message)
    (lost,) = events(broker, "lost")
    assert lost["err"][0] == "MutexLost"
    assert (event["s"], event["n"], event["res"] > 1) == ("succeeded", 1, True)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("exit", "The job's process ended with exit code 3 before the job was done."),
        ("segv", "The job's process ended with signal SIGSEGV."),
        ("kill", "The job's process ended with signal SIGKILL."),
    ],
)
def test_a_process_that_dies_is_a_failed_attempt_and_hurts_no_other_run(
    broker: Broker, how: str, said: str, tmp_path: Path
) -> None:
    # Given a run in the middle of its work
    @isolated
    def other() -> str:
        wait_for((tmp_path / "go").exists)
        return "done"

    # When another dies, twice
    @isolated(max_retries=1, backoff=fixed(1))
    def die() -> None:
        if how == "exit":
            os._exit(3)
        os.kill(os.getpid(), {"segv": signal.SIGSEGV, "kill": signal.SIGKILL}[how])

    waiting, dying = other.send(), die.send()
    with working(broker):
        event = final_event(broker, dying)
        (tmp_path / "go").touch()
        assert final_event(broker, waiting)["res"] == "done"
    assert (event["s"], event["n"], event["err"][:2]) == ("failed", 2, ["ProcessEnded", said])
    assert ("in die" in event["err"][2]) == (how == "segv")


@pytest.mark.alone
def test_a_process_with_too_much_memory_is_ended_with_a_clear_sentence(broker: Broker) -> None:
    # The interpreter's own memory counts, and here that of the tests.
    base = psutil.Process().memory_info().rss // 2**20

    @isolated(memory_limit=f"{base + 200}MB")
    def work(megabytes: int) -> int:
        hoard = []
        for _ in range(megabytes):
            hoard.append(os.urandom(2**20))
            time.sleep(0.001)
        time.sleep(0.2)
        return len(hoard)

    with working(broker):
        assert final_event(broker, work.send(50))["res"] == 50
        event = final_event(broker, work.send(5_000))
    kind, text, trace = event["err"]
    assert "in work" in trace
    assert kind == "MemoryLimitExceeded"
    assert f"and its memory_limit is {base + 200:,} MB;" in text
    assert event["ms"] < 5_000


def test_what_a_run_has_started_ends_with_it(broker: Broker, tmp_path: Path) -> None:
    # Given a job that starts a process, and one that starts a process and then blocks
    @isolated(time_limit=1_500)
    def work(name: str, seconds: float) -> int:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        (tmp_path / name).write_text(str(child.pid))
        time.sleep(seconds)
        return child.pid

    with working(broker):
        # When the one ends and the other is ended
        done, blocked = work.send("done", 0.0), work.send("blocked", 30.0)
        assert final_event(broker, done)["s"] == "succeeded"
        assert final_event(broker, blocked)["s"] == "failed"

        # Then so have those
        wait_for(lambda: not lives(written(tmp_path / "done")))
        wait_for(lambda: not lives(written(tmp_path / "blocked")))


@pytest.mark.alone
def test_many_runs_that_end_in_every_way_leave_nothing_behind(broker: Broker) -> None:
    # Given runs that end by themselves, in time or about at their limit, crash, or have to be killed
    chance = random.Random(7)

    @isolated(time_limit=400)
    def work(how: str, seconds: float) -> str:
        if how == "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(seconds)
        if how == "crash":
            os.abort()
        return how

    ways = [("race", chance.uniform(0.37, 0.42)) for _ in range(60)]
    ways += [("quick", 0.0)] * 60 + [("crash", 0.0)] * 20 + [("deaf", 30.0)] * 10
    chance.shuffle(ways)
    before = {child.pid for child in psutil.Process().children()}
    with working(broker, threads=8) as worker:
        final_event(broker, work.send("quick", 0.0))
        files = psutil.Process().num_fds()
        (nursery,) = [child for child in psutil.Process().children() if child.pid not in before]
        opened = nursery.num_fds()

        # When they all run
        messages = {work.send(*way).message_id: way for way in ways}
        found = final_events(broker, len(ways) + 1, timeout=60)
        wait_until_empty(broker)

        # Then each has one end, of its kind
        for event in found:
            how = messages.get(event["id"], ("quick", 0.0))[0]
            outcome = event.get("res") or event["err"][0]
            assert (
                outcome
                in {
                    "race": ("race", "TimeLimitExceeded"),
                    "quick": ("quick",),
                    "crash": ("ProcessEnded",),
                    "deaf": ("TimeLimitExceeded",),
                }[how]
            ), event
        assert len({event["id"] for event in found}) == len(ways) + 1

        # and no thread, process, or file is lost
        assert threads_alive(worker) == 8
        assert nursery.children() == []
        assert nursery.num_fds() == opened
        assert psutil.Process().num_fds() <= files + 2
