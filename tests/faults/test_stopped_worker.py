"""Row 3: a worker is stopped for longer than its heartbeat and its lease, and goes on."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from helpers.faults import Note, Side, require, require_soon
from helpers.waiting import wait_for
from helpers.workers import run_events


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """The process does nothing until the block ends."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def a_stopped_worker_goes_on_with_what_others_have_done(side: Side) -> None:
    """Its late failure is refused: the run, which has succeeded elsewhere, is not tried again."""
    with side.fleet(processes=2):
        side.send("fickle", "job", 1.0)
        first = side.begun("job")
        with stopped(first.pid):
            require_soon(lambda: side.notes("end", "job"), 15, "no other worker took it over")
        require_soon(lambda: len(side.notes("end", "job")) == 2, 10, "it did not go on")
        # Anything that is sent after its late end is done after it as well.
        for number in range(4):
            side.send("linger", f"after {number}", 0.3)
        require_soon(
            lambda: sum(one.name.startswith("after") for one in side.notes("end")) == 4, 20, "no end"
        )
        times = len(side.notes("begin", "job"))
        require(times == 2, f"its late failure was taken up: the job was begun {times} times")


def a_holder_of_a_mutex_is_stopped_and_goes_on(side: Side) -> None:
    """No two others hold the mutex at once: what it gives back is no longer its own."""
    with side.fleet(processes=2, threads=4):
        side.send("guarded", "first", 0.5)
        first = side.begun("first")
        with stopped(first.pid):
            for name in ("second", "third"):
                side.send("guarded", name, 2.5)
            require_soon(lambda: {one.name for one in side.notes("begin")} - {"first"}, 15, "no other began")
        require_soon(
            lambda: {one.name for one in side.notes("end")} >= {"second", "third"},
            20,
            "the others did not end",
        )
        wait_for(lambda: side.left_over() == 0)
    spans = sorted(spans_of(side, but=first), key=lambda span: span[0].at)
    for (_, end), (begin, _) in pairwise(spans):
        require(end.at <= begin.at, f"{begin.name} shared the mutex with {end.name}")


def spans_of(side: Side, but: Note) -> list[tuple[Note, Note]]:
    """The begin and the end of each execution but one."""
    spans = []
    for begin in side.notes("begin"):
        if begin != but:
            ends = (e for e in side.notes("end", begin.name) if e.pid == begin.pid and e.at >= begin.at)
            spans.append((begin, next(ends)))
    return spans


def test_its_stale_finish_is_refused(ours: Side) -> None:
    a_stopped_worker_goes_on_with_what_others_have_done(ours)

    (begun, _) = ours.notes("begin", "job")
    run_id = next(e["id"] for e in ours.events("run") if e["job"] == "fickle")
    assert [event["s"] for event in run_events(ours.broker, run_id) if "fin" in event] == ["succeeded"]
    assert begun.attempt == 1


def test_plain_dramatiq_does_again_what_has_been_done(violated_by_stock) -> None:
    violated_by_stock(
        a_stopped_worker_goes_on_with_what_others_have_done, "its late failure was taken up", luck=1_000_000
    )


def test_the_mutex_is_not_shared(ours: Side) -> None:
    a_holder_of_a_mutex_is_stopped_and_goes_on(ours)


def test_a_stock_limiter_is_given_back_for_somebody_else(violated_by_stock) -> None:
    violated_by_stock(a_holder_of_a_mutex_is_stopped_and_goes_on, "shared the mutex", ttl=2_500)
