"""Jobs that run in processes of their own."""

import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import dramatiq
import psutil
import pytest
from dramatiq.middleware import CurrentMessage, Shutdown

from callboard import current_run, progress
from callboard.core.backoff import fixed
from callboard.core.errors import BadInput
from callboard.core.logging import get_logger
from callboard.middleware.broker import Broker
from callboard.middleware.execution import current_execution
from helpers.isolated import BLOCKING, lives
from helpers.waiting import wait_for
from helpers.workers import (
    Calls,
    dead_letters,
    events,
    final_event,
    left_over,
    run_events,
    threads_alive,
    wait_until_empty,
    working,
)


def isolated(function: Any = None, **options: Any) -> Any:
    """Declare an isolated actor of one attempt."""
    return dramatiq.actor(function, **{"max_retries": 0, "isolation": "process", **options})


def written(path: Path) -> int:
    """The process id that a job has written, once it has."""
    wait_for(lambda: path.exists() and path.read_text(), what=f"{path.name} to be written")
    return int(path.read_text())


def end(broker: Broker, message: dramatiq.Message[Any]) -> None:
    """Do what the scheduler does when somebody has ended a run."""
    order = {"at": int(time.time() * 1000), "by": "ada", "reason": "wrong day"}
    broker.client.hset(broker.keys.ended, message.message_id, json.dumps(order))
    broker.client.publish(broker.keys.signals, "end")


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


def test_a_run_past_its_limit_is_killed_even_while_the_worker_itself_cannot_do_it(
    broker: Broker, tmp_path: Path
) -> None:
    # Given an isolated job that says all the time that it is there, and will not end
    beat, started = tmp_path / "beat", Calls()

    @isolated(time_limit=500)
    def work() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            beat.write_text(str(time.time()))
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
    assert float(beat.read_text()) - begun < 1.6


def test_a_run_can_clean_up_before_it_is_killed(broker: Broker, tmp_path: Path) -> None:
    @isolated(time_limit=200)
    def work() -> None:
        try:
            time.sleep(30)
        except dramatiq.middleware.TimeLimitExceeded:
            get_logger("app").warning("Out of time.")
            raise
        finally:
            (tmp_path / "clean").write_text("yes")

    with working(broker):
        event = final_event(broker, work.send())
    assert (tmp_path / "clean").exists()
    assert event["err"][0] == "TimeLimitExceeded"
    assert "in work" in event["err"][2]
    assert [text for _, _, text in event["logs"]] == ["Out of time."]
    assert event["ms"] < 500


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
    from callboard.middleware import keeper, mutex

    monkeypatch.setattr(keeper, "ROUND", 0.1)
    monkeypatch.setattr(mutex, "WAIT", 100)
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


def test_what_a_run_says_is_heard_while_it_runs(broker: Broker, tmp_path: Path) -> None:
    # Given a job that logs, and says how far it is, and then waits
    @isolated
    def work() -> None:
        log = get_logger("app")
        for number in range(1, 51):
            progress(number, 50, "steps")
        log.warning("Half way.", step=50)
        wait_for((tmp_path / "go").exists)
        log.warning("Done.")

    def said() -> dict[str, Any] | None:
        found = [event for event in events(broker) if event.get("logs") or event.get("prg")]
        lines = [text for event in found for _, _, text in event.get("logs", ())]
        told = [event["prg"] for event in found if "prg" in event]
        return {"lines": lines, "progress": told[-1]} if lines and told and told[-1]["done"] == 50 else None

    message = work.send()
    with working(broker):
        # Then both are known before it ends
        before = wait_for(said, what="its words")
        assert not [event for event in run_events(broker, message) if "fin" in event]
        (tmp_path / "go").touch()
        event = final_event(broker, message)
    assert before == {
        "lines": ["Half way. step=50"],
        "progress": {"done": 50, "total": 50, "note": "steps"},
    }
    assert [text for _, _, text in event["logs"]] == ["Done."]
    assert event["seq"] == 1
    assert event["prg"]["done"] == 50


def test_what_a_run_says_last_before_it_is_killed_is_kept(broker: Broker) -> None:
    @isolated(time_limit=200)
    def work() -> None:
        progress(1, 2)
        get_logger("app").warning("Now for the hard part.")
        BLOCKING["lock"]()

    with working(broker):
        event = final_event(broker, work.send())
    lines = [text for each in events(broker) for _, _, text in each.get("logs", ())]
    assert lines == ["Now for the hard part."]
    assert event["prg"]["done"] == 1


def test_lines_and_results_are_limited_as_elsewhere(broker: Broker) -> None:
    @isolated
    def talk() -> str:
        log = get_logger("app")
        for number in range(1_200):
            log.warning("x" * (20_000 if number == 0 else 1))
        return "y" * 20_000_000

    with working(broker):
        message = talk.send()
        event = final_event(broker, message, timeout=30)
    lines = [text for each in events(broker) for _, _, text in each.get("logs", ())]
    assert len(lines) == 1_001
    assert lines[0].endswith("of 20000 characters]")
    assert lines[-1] == "[cut: only the first 1000 lines are kept]"
    assert event["res"]["bytes"] > 20_000_000
    assert event["s"] == "succeeded"


def test_a_result_that_cannot_be_sent_is_shown_by_its_words(broker: Broker) -> None:
    class Local:
        def __str__(self) -> str:
            return "a thing"

    @isolated
    def work() -> list[Any]:
        return [Local(), 1]

    with working(broker):
        assert final_event(broker, work.send())["res"] == ["a thing", 1]


def test_a_run_knows_itself(broker: Broker) -> None:
    @isolated(mutex=True, max_retries=1, backoff=fixed(1))
    def work() -> dict[str, Any]:
        run, execution = current_run(), current_execution()
        assert run is not None
        assert execution is not None
        if run.attempt == 1:
            raise ConnectionError
        return {
            "id": run.run_id,
            "job": run.job,
            "attempt": run.attempt,
            "due": run.due_at_ms,
            "fence": run.fence,
            "x": execution.execution_id,
            "message": CurrentMessage.get_current_message().message_id,
        }

    broker.add_middleware(CurrentMessage())
    message = work.send_with_options(due_at=1_700_000_000_000)
    with working(broker):
        event = final_event(broker, message)
    assert event["res"] == {
        "id": message.message_id,
        "job": "work",
        "attempt": 2,
        "due": 1_700_000_000_000,
        "fence": 2,
        "x": event["x"],
        "message": message.message_id,
    }


def test_an_async_job_runs_too_and_is_interrupted_in_time(broker: Broker) -> None:
    @isolated(time_limit=300)
    async def work(seconds: float) -> str:
        await asyncio.sleep(seconds)
        run = current_run()
        return run.run_id if run else "?"

    short, long = work.send(0.01), work.send(30)
    with working(broker):
        assert final_event(broker, short)["res"] == short.message_id
        event = final_event(broker, long)
    assert event["err"][0] == "TimeLimitExceeded"
    assert 300 <= event["ms"] <= 1300


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


def test_a_run_may_use_a_pool_of_processes(broker: Broker) -> None:
    @isolated(time_limit=20_000)
    def work() -> list[int]:
        # The pool ends its processes by SIGTERM, and waits for them.
        with multiprocessing.get_context("fork").Pool(2) as pool:
            return pool.map(abs, [-1, -2, -3])

    with working(broker):
        event = final_event(broker, work.send(), timeout=30)
    assert event["res"] == [1, 2, 3]


def test_arguments_that_cannot_be_sent_are_a_failure(broker: Broker) -> None:
    class Local:
        pass

    @isolated
    def work(thing: Any) -> None:
        pass

    class Spoil(dramatiq.Middleware):
        def before_process_message(self, broker: Any, message: Any) -> None:
            message.kwargs["thing"] = Local()

    broker.add_middleware(Spoil())
    with working(broker) as worker:
        event = final_event(broker, work.send(thing=1))
        assert threads_alive(worker) == 4
    assert event["s"] == "failed"
    assert "Local" in event["err"][1]


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


def test_a_run_may_send_messages_by_a_connection_of_its_own(broker: Broker) -> None:
    @isolated
    def leaf(number: int) -> int:
        return number

    @isolated
    def root() -> str:
        return str(leaf.send(7).message_id)

    with working(broker):
        child = final_event(broker, root.send())["res"]
        assert final_event(broker, child)["res"] == 7


def test_runs_have_random_numbers_of_their_own(broker: Broker) -> None:
    import random

    @isolated
    def draw() -> float:
        return random.random()

    with working(broker):
        assert len({final_event(broker, draw.send())["res"] for _ in range(3)}) == 3


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
    assert time.monotonic() - begun < 3
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


class Busy(Exception):
    """A failure of a type that a job's options name."""


def test_a_failure_keeps_its_type_its_words_and_its_traceback(broker: Broker) -> None:
    def inner(number: int) -> None:
        raise Busy(f"no {number}")

    @isolated
    def work() -> None:
        try:
            inner(7)
        except Busy as error:
            raise LookupError("nothing there") from error

    with working(broker):
        kind, text, trace = final_event(broker, work.send())["err"]
    assert (kind, text) == ("LookupError", "nothing there")
    assert "Busy: no 7" in trace
    assert "direct cause" in trace
    assert trace.index("in inner") < trace.rindex("in work")
    assert "isolated/child.py" not in trace


def test_what_is_said_of_failures_by_type_holds(broker: Broker) -> None:
    # Given jobs whose options go by the type of what they raise
    @isolated(max_retries=5, throws=Busy, backoff=fixed(1))
    def thrown() -> None:
        raise Busy

    @isolated(max_retries=None, retry_when=lambda retries, error: retries < 2 and isinstance(error, Busy))
    def when() -> None:
        run = current_run()
        raise Busy if run is not None and run.attempt == 1 else ValueError

    @isolated(max_retries=1, min_backoff=60_000)
    def later() -> str:
        run = current_run()
        if run is not None and run.attempt == 1:
            raise dramatiq.Retry("not yet", delay=50)
        return "now"

    with working(broker):
        assert final_event(broker, thrown.send())["n"] == 1
        event = final_event(broker, when.send_with_options(min_backoff=1, max_backoff=1))
        assert (event["n"], event["err"][0]) == (2, "ValueError")
        event = final_event(broker, later.send())
    assert (event["n"], event["res"]) == (2, "now")


def test_a_type_that_cannot_be_sent_keeps_its_name(broker: Broker) -> None:
    class Local(Busy):
        pass

    @isolated(max_retries=5, throws=Busy)
    def work() -> None:
        raise Local("here")

    with working(broker):
        event = final_event(broker, work.send())
    assert (event["err"][:2], event["n"]) == (["Local", "here"], 1)


def test_a_job_that_leaves_by_sys_exit_has_failed_as_in_a_thread(broker: Broker) -> None:
    @isolated
    def isolated_exit() -> None:
        sys.exit(0)

    @dramatiq.actor(max_retries=0)
    def thread_exit() -> None:
        sys.exit(0)

    with working(broker) as worker:
        found = [final_event(broker, job.send()) for job in (isolated_exit, thread_exit)]
        assert threads_alive(worker) == 4
    assert [(event["s"], event["err"][0]) for event in found] == [("failed", "SystemExit")] * 2
