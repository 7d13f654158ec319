"""What a job finds in a process of its own, and what comes back of it."""

import asyncio
import multiprocessing
import random
import sys
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import CurrentMessage

from callboard import current_run
from callboard.core.backoff import fixed
from callboard.middleware.broker import Broker
from callboard.middleware.execution import current_execution
from helpers.isolated import isolated
from helpers.workers import (
    final_event,
    threads_alive,
    working,
)


class Busy(Exception):
    """A failure of a type that a job's options name."""


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


@pytest.mark.alone
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


def test_a_result_that_cannot_be_sent_is_shown_by_its_words(broker: Broker) -> None:
    class Local:
        def __str__(self) -> str:
            return "a thing"

    @isolated
    def work() -> list[Any]:
        return [Local(), 1]

    with working(broker):
        assert final_event(broker, work.send())["res"] == ["a thing", 1]


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


def test_a_run_may_use_a_pool_of_processes(broker: Broker) -> None:
    @isolated(time_limit=20_000)
    def work() -> list[int]:
        # A pool ends its processes by SIGTERM, some of them before they have begun, and waits for them.
        for _ in range(30):
            with multiprocessing.get_context("fork").Pool(2) as pool:
                found = pool.map(abs, [-1, -2, -3])
        return found

    with working(broker):
        event = final_event(broker, work.send(), timeout=30)
    assert event["res"] == [1, 2, 3]


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
    @isolated
    def draw() -> float:
        return random.random()

    with working(broker):
        assert len({final_event(broker, draw.send())["res"] for _ in range(3)}) == 3


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
