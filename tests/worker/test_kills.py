"""Worker processes that die in the middle of things: nothing is lost, and little is done twice."""

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

from dramatiq import Message

from callboard.core.settings import Settings
from callboard.middleware.broker import Broker
from callboard.middleware.committer import GROUP
from helpers.recorders import FINISHED, recording, select, wait_for_rows, wait_until_read
from helpers.waiting import wait_for
from helpers.worker_fleet import worker_fleet
from helpers.workers import events, final_event, left_over, run_events, wait_until_empty

#: A silent worker counts as dead after two seconds instead of fifteen.
QUICK = {"heartbeat_timeout": 2_000, "round": 0.2}


def test_workers_killed_under_load_lose_nothing_and_repeat_no_more_than_a_group_each(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given two processes in the middle of thousands of quick jobs
    count = 6_000
    with recording(settings), worker_fleet(settings, tmp_path, processes=2, threads=4, **QUICK) as workers:
        workers.wait_for_workers(2)
        broker.enqueue_many(Message("default", "tick", (number,), {}, {}) for number in range(count))
        chance, kills = random.Random(3), 0

        # When one of them is killed, and some time later the other
        for share in (0.2, 0.5):
            wait_for(lambda: len(workers.notes()) > share * count)  # noqa: B023
            time.sleep(chance.uniform(0, 0.02))
            os.kill(chance.choice(workers.alive()), signal.SIGKILL)
            kills += 1

        # Then in the end every job is in PostgreSQL, once, and has succeeded
        wait_for_rows(settings, count, FINISHED, timeout=60)
        wait_until_empty(broker, timeout=20)
        wait_until_read(settings)
        executed = Counter(workers.notes())
    runs = select(settings, "SELECT state, count(*) AS n FROM callboard.runs GROUP BY state")
    assert runs == [{"state": "succeeded", "n": count}]
    (counted,) = select(
        settings, "SELECT sum(succeeded) a, sum(started) b FROM callboard.rollups WHERE width_s = 3600"
    )
    assert counted == {"a": count, "b": count}

    # And what was executed twice is what a killed process had finished and not yet committed
    assert set(executed) == {f"tick {number}" for number in range(count)}
    twice = sum(executed.values()) - count
    assert twice <= kills * (GROUP + 4)
    assert max(executed.values()) <= 1 + kills


def test_a_run_whose_process_was_killed_goes_again_and_its_history_says_so(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given a long run
    with recording(settings), worker_fleet(settings, tmp_path, processes=2, threads=1, **QUICK) as workers:
        workers.wait_for_workers(2)
        message = broker.enqueue(Message("default", "linger", ("x", 2.0), {}, {}))
        wait_for(lambda: run_events(broker, message) or select(settings, "SELECT FROM callboard.runs"))
        (running,) = wait_for_rows(settings, 1, "SELECT * FROM callboard.runs WHERE state = 'processing'")

        # When its process is killed
        os.kill(workers.workers()[running["worker"]], signal.SIGKILL)
        (row,) = wait_for_rows(settings, 1, FINISHED, timeout=30)

    # Then it was done elsewhere, and both executions are in its history
    assert (row["state"], row["attempt"]) == ("succeeded", 1)
    assert row["worker"] != running["worker"]
    assert row["started_at"] == running["started_at"] < row["attempt_started_at"]
    attempts = select(
        settings, "SELECT state, error_type, worker FROM callboard.run_attempts ORDER BY started_at"
    )
    assert attempts[0] == {"state": "failed", "error_type": "WorkerLost", "worker": running["worker"]}


def test_a_mutex_whose_holder_was_killed_is_free_within_its_lease(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given two runs of a job that must not overlap, one of which waits
    with worker_fleet(
        settings, tmp_path, processes=2, threads=2, heartbeat_timeout=20_000, round=0.2, lease=1_000
    ) as workers:
        workers.wait_for_workers(2)
        first = broker.enqueue(Message("default", "guarded", ("first", 30.0), {}, {}))
        (begun,) = wait_for(lambda: run_events(broker, first), what="the first run")
        broker.enqueue(Message("default", "guarded", ("second", 0.1), {}, {}))
        time.sleep(1.8)
        assert workers.notes() == ["begin first"]

        # When the holder's process is killed, with it perhaps the one that waits
        os.kill(workers.workers()[begun["w"]], signal.SIGKILL)
        killed = time.monotonic()
        third = broker.enqueue(Message("default", "guarded", ("third", 0.1), {}, {}))

        # Then a run that another process holds has the mutex within the lease
        assert final_event(broker, third)["s"] == "succeeded"
        assert time.monotonic() - killed < 15


def test_a_process_that_is_stopped_for_long_and_goes_on_changes_nothing_that_others_did(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given a process in the middle of a run
    with worker_fleet(settings, tmp_path, processes=2, threads=1, **QUICK) as workers:
        workers.wait_for_workers(2)
        message = broker.enqueue(Message("default", "linger", ("x", 1.5), {}, {}))
        (begun,) = wait_for(lambda: run_events(broker, message), what="the run")
        frozen = workers.workers()[begun["w"]]

        # When it is stopped until others have taken it for dead and done its work
        os.kill(frozen, signal.SIGSTOP)
        try:
            event = final_event(broker, message, timeout=30)
        finally:
            os.kill(frozen, signal.SIGCONT)
        assert event["w"] != begun["w"]
        assert [lost["w"] for lost in events(broker, "lost")] == [begun["w"]]

        # Then its own result is refused, and it works on
        wait_for(lambda: "was refused" in workers.log.read_text(), 15, "the refusal")
        wait_for(lambda: left_over(broker) == 0)
        messages = [broker.enqueue(Message("default", "whoami", (), {}, {})) for _ in range(20)]
        assert frozen in {final_event(broker, m)["res"] for m in messages}
    assert [e["s"] for e in run_events(broker, message) if "fin" in e] == ["succeeded"]


def test_a_job_that_kills_its_process_does_not_stop_the_others(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given a job that kills the process that it runs in
    with worker_fleet(settings, tmp_path, processes=1, threads=2, **QUICK) as workers:
        workers.wait_for_workers(1)
        deadly = broker.enqueue(Message("default", "die", (1,), {}, {}))
        wait_for(lambda: "die" in workers.notes())
        others = [broker.enqueue(Message("default", "tick", (number,), {}, {})) for number in range(5)]

        # Then the fleet comes back, does the other jobs, and that one too when it no longer kills
        for message in others:
            assert final_event(broker, message, timeout=20)["s"] == "succeeded"
        event = final_event(broker, deadly, timeout=40)
    assert event["res"] == "alive"
    assert len(events(broker, "lost")) == 1


def test_a_job_that_ends_its_process_with_the_code_of_one_that_cannot_begin_ends_no_other(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    with worker_fleet(settings, tmp_path, processes=2, threads=1, **QUICK) as workers:
        workers.wait_for_workers(2)
        message = broker.enqueue(Message("default", "leave", (2,), {}, {}))
        assert final_event(broker, message, timeout=30)["s"] == "succeeded"
        workers.wait_for_workers(2)
        assert workers.master.poll() is None


def test_a_run_whose_process_was_killed_waits_for_its_own_mutex_and_is_not_skipped(
    broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    # Given a run of a job that is skipped where another run goes on
    with (
        recording(settings),
        worker_fleet(
            settings,
            tmp_path,
            processes=2,
            threads=1,
            heartbeat_timeout=1_000,
            round=0.2,
            lease=4_000,
        ) as workers,
    ):
        workers.wait_for_workers(2)
        broker.enqueue(Message("default", "alone", ("x", 1.0), {}, {}))
        (running,) = wait_for_rows(settings, 1, "SELECT * FROM callboard.runs WHERE state = 'processing'")

        # When its process is killed, and it is taken from it before its lease is over
        os.kill(workers.workers()[running["worker"]], signal.SIGKILL)

        # Then it goes again
        (row,) = wait_for_rows(settings, 1, FINISHED, timeout=30)
    assert (row["state"], row["attempt"]) == ("succeeded", 1)
