"""Work that no interrupt may tear apart."""

import threading
import time
from contextvars import ContextVar

import pytest
from dramatiq.middleware import Shutdown
from dramatiq.middleware.threading import raise_thread_exception

from callboard.actors.apart import apart

mark: ContextVar[str] = ContextVar("mark", default="")


def test_what_the_work_returns_or_raises_is_what_comes_of_it() -> None:
    def fails(stop: threading.Event) -> None:
        raise LookupError("no such thing")

    assert apart(lambda stop: stop.is_set()) is False
    with pytest.raises(LookupError, match="no such thing"):
        apart(fails)


def test_the_work_knows_for_whom_it_is_done() -> None:
    mark.set("run 17")

    assert apart(lambda stop: mark.get()) == "run 17"


def test_an_interrupt_waits_for_the_end_of_the_work_which_is_told_to_begin_nothing_more() -> None:
    ended, caught = [], []
    begun = threading.Event()

    def work(stop: threading.Event) -> None:
        begun.set()
        assert stop.wait(30)
        time.sleep(0.2)
        ended.append("all of it")

    def run() -> None:
        try:
            apart(work)
        except Shutdown:
            caught.append(list(ended))

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(30)
    raise_thread_exception(thread.ident, Shutdown)
    thread.join(30)

    assert caught == [["all of it"]]
