"""The log lines that a job writes, kept with its run."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest

from callboard.core.backoff import fixed
from callboard.core.limits import MAX_LOG_LINE, MAX_LOG_LINES
from callboard.core.logging import get_logger
from callboard.middleware.broker import Broker
from callboard.middleware.capture import run_fields
from callboard.middleware.execution import current_run
from helpers.waiting import wait_for
from helpers.workers import Event, events, final_event, final_events, logged, run_events, working

NAME = "app.shop"


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    """What a process does that calls `configure_logging`: everything from INFO on is let through."""
    logger = logging.getLogger(NAME)
    logger.setLevel(logging.INFO)
    yield
    logger.setLevel(logging.NOTSET)


def lines(event: Event) -> list[tuple[str, str]]:
    """(level, text) of each log line of an event."""
    return [(level, text) for _, level, text in event.get("logs", ())]


def test_the_lines_of_standard_logging_and_of_callboards_are_kept_in_order(broker: Broker) -> None:
    # Given a job that logs in both ways
    @dramatiq.actor(max_retries=0)
    def sell() -> None:
        logging.getLogger(NAME).info("%d books for %s", 3, "Ada")
        logging.getLogger(NAME).debug("below the level")
        get_logger(NAME).warning("Out of stock.", title="Emma", left=0)

    message = sell.send()
    with working(broker):
        event = final_event(broker, message)

    # Then its lines are there, each with its time, level and fields
    assert lines(event) == [
        ("info", "3 books for Ada"),
        ("warning", "Out of stock. title=Emma left=0"),
    ]
    assert all(event["sta"] <= at <= event["fin"] + 1 for at, _, _ in event["logs"])
    assert event["seq"] == 0


def test_a_logged_exception_keeps_its_traceback(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def stumble() -> None:
        try:
            raise LookupError("no such title")
        except LookupError:
            logging.getLogger(NAME).exception("Stumbled.")

    message = stumble.send()
    with working(broker):
        ((level, text),) = lines(final_event(broker, message))
    assert level == "error"
    assert text.startswith("Stumbled.")
    assert "in stumble" in text
    assert text.endswith("LookupError: no such title")


def test_lines_from_outside_of_a_run_and_of_the_engine_are_nobodys(broker: Broker) -> None:
    # Given a job, a thread that it starts, and the engine, all logging
    @dramatiq.actor(max_retries=0)
    def work() -> None:
        logging.getLogger("dramatiq.worker.WorkerThread").warning("of the engine")
        thread = threading.Thread(target=lambda: logging.getLogger(NAME).warning("of a stranger"))
        thread.start()
        thread.join()
        logging.getLogger(NAME).warning("its own")

    message = work.send()
    with working(broker):
        logging.getLogger(NAME).warning("of nobody")
        event = final_event(broker, message)
    assert lines(event) == [("warning", "its own")]


def test_each_of_many_runs_at_once_keeps_its_own_lines(broker: Broker) -> None:
    # Given jobs that run side by side, some of them on the event loop, all logging to one logger
    @dramatiq.actor(max_retries=0)
    def plain(number: int) -> None:
        for _ in range(20):
            logging.getLogger(NAME).info("line of %d", number)
            time.sleep(0.001)

    @dramatiq.actor(max_retries=0)
    async def looped(number: int) -> None:
        for _ in range(20):
            logging.getLogger(NAME).info("line of %d", number)
            await asyncio.sleep(0.001)

    sent = [(plain, looped)[number % 2].send(number) for number in range(20)]
    with working(broker, threads=8):
        final_events(broker, 20)

    for message in sent:
        assert logged(broker, message) == [f"line of {message.args[0]}"] * 20


def test_each_attempt_keeps_its_own_lines(broker: Broker) -> None:
    @dramatiq.actor(max_retries=1, backoff=fixed(10))
    def persist() -> None:
        run = current_run()
        assert run is not None
        logging.getLogger(NAME).info("attempt %d", run.attempt)
        if run.attempt == 1:
            raise ConnectionError

    message = persist.send()
    with working(broker):
        final_event(broker, message)
    assert [(event["n"], lines(event)) for event in run_events(broker, message)] == [
        (1, [("info", "attempt 1")]),
        (2, [("info", "attempt 2")]),
    ]


def test_the_lines_of_a_running_job_come_while_it_runs_and_none_comes_twice(broker: Broker) -> None:
    # Given a job that logs, rests, and logs again
    @dramatiq.actor(max_retries=0)
    def narrate() -> None:
        logging.getLogger(NAME).info("one")
        wait_for(lambda: run_events(broker, message))
        logging.getLogger(NAME).info("two")
        wait_for(lambda: events(broker, "note"))
        logging.getLogger(NAME).info("three")

    message = narrate.message()
    broker.enqueue(message)
    with working(broker):
        end = final_event(broker, message)

    # Then each piece of the run's story carried the lines that were new, numbered on
    begun, note = run_events(broker, message)[0], events(broker, "note")[0]
    assert [(e["seq"], lines(e)) for e in (begun, note, end)] == [
        (0, [("info", "one")]),
        (1, [("info", "two")]),
        (2, [("info", "three")]),
    ]


def test_lines_beyond_the_limit_are_left_out_and_one_says_so(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def chatter() -> None:
        for number in range(MAX_LOG_LINES + 500):
            logging.getLogger(NAME).info("line %d", number)

    message = chatter.send()
    with working(broker):
        final_event(broker, message)
    kept = [
        line for event in events(broker) if event.get("id") == message.message_id for line in lines(event)
    ]
    assert len(kept) == MAX_LOG_LINES + 1
    assert kept[MAX_LOG_LINES - 1] == ("info", f"line {MAX_LOG_LINES - 1}")
    assert kept[MAX_LOG_LINES] == ("warning", f"[cut: only the first {MAX_LOG_LINES} lines are kept]")


def test_a_long_line_is_cut_and_says_so(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def drone() -> None:
        logging.getLogger(NAME).info("x" * 100_000)

    message = drone.send()
    with working(broker):
        ((_, text),) = lines(final_event(broker, message))
    assert len(text) <= MAX_LOG_LINE
    assert "[cut:" in text


def test_a_line_that_cannot_be_formatted_does_not_break_the_job(
    broker: Broker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)

    @dramatiq.actor(max_retries=0)
    def misprint() -> str:
        logging.getLogger(NAME).propagate = True
        logging.getLogger(NAME).handle(
            logging.LogRecord(NAME, logging.INFO, __file__, 1, "%d", ("not a number",), None)
        )
        return "done"

    with working(broker):
        # pytest's own handlers raise on such a line; a program's do not.
        others = [h for h in logging.getLogger().handlers if type(h).__module__.startswith("_pytest")]
        for handler in others:
            logging.getLogger().removeHandler(handler)
        try:
            event = final_event(broker, misprint.send())
        finally:
            for handler in others:
                logging.getLogger().addHandler(handler)
    assert (event["s"], event["res"]) == ("succeeded", "done")
    assert lines(event) == []


def test_awkward_characters_in_a_line_do_not_stop_the_record(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def mumble() -> None:
        logging.getLogger(NAME).info("nul \0, surrogate \udc80, tab \t, \\N")

    message = mumble.send()
    with working(broker):
        ((_, text),) = lines(final_event(broker, message))
    assert text == "nul \ufffd, surrogate \ufffd, tab \t, \\N"


def test_what_the_process_logs_within_a_run_names_the_job_run_attempt_and_slot(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0)
    def introspect() -> dict[str, Any]:
        return run_fields()

    message = broker.enqueue(introspect.message().copy(options={"due_at": 1_700_000_000_000}))
    with working(broker):
        event = final_event(broker, message)
    assert event["res"] == {
        "job": "introspect",
        "run": message.message_id,
        "attempt": 1,
        "slot": 1_700_000_000_000,
    }
    assert run_fields() == {}


def test_a_worker_that_has_ended_captures_no_longer(broker: Broker) -> None:
    before = list(logging.getLogger().handlers)
    with working(broker):
        assert len(logging.getLogger().handlers) == len(before) + 1
    assert logging.getLogger().handlers == before


def test_a_job_that_returns_something_is_not_accused_of_losing_it(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    # Given that the record keeps results, with no middleware of Dramatiq's for that
    @dramatiq.actor(max_retries=0)
    def give() -> int:
        return 1

    with working(broker), caplog.at_level(logging.INFO):
        final_event(broker, give.send())
    assert "discarded" not in caplog.text
