"""Work that no interrupt may tear apart: what has gone out has to be known to have gone out.

A time limit, a cancel or a stop is raised in the thread of the run, between any two steps of Python: also
between the answer of a service and the statement that marks what it has taken. Such work is done in a thread
of its own, for which the run waits.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import Final, TypeVar

#: Seconds after which a waiting run looks up: it can be interrupted then.
LOOK_UP_S: Final = 0.2

Done = TypeVar("Done")


def apart(work: Callable[[threading.Event], Done]) -> Done:
    """Do the work in a thread of its own, and return what it returns.

    Where the run is interrupted meanwhile, the event that `work` is given is set: it is to begin nothing
    more and to come to an end. The interrupt goes on after that end, and not before.
    """
    stop, begun, ended = threading.Event(), threading.Event(), threading.Event()
    future: Future[Done] = Future()

    def go() -> None:
        begun.set()
        try:
            # An interrupt that came before the beginning leaves nothing to wait for.
            if not stop.is_set():
                future.set_result(work(stop))
        except BaseException as error:  # noqa: BLE001 - it is the run's, whatever it is
            future.set_exception(error)
        finally:
            ended.set()

    # The lines that it logs belong to the run.
    thread = threading.Thread(target=copy_context().run, args=(go,), name="apart", daemon=True)
    try:
        thread.start()
        while not ended.wait(LOOK_UP_S):
            pass
    finally:
        stop.set()
        if begun.is_set():
            ended.wait()
    return future.result()
