"""Stopping a job in the midst of its work, as a worker that ends does."""

import threading
from collections.abc import Callable

from dramatiq.middleware import Shutdown
from dramatiq.middleware.threading import raise_thread_exception

from helpers.waiting import wait_for


def interrupted(run: Callable[[], object], when: Callable[[], bool]) -> BaseException | None:
    """Let the job run, stop it once it is so far, and wait for its end. Returns what it has raised."""
    caught: list[BaseException] = []

    def go() -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - an interrupt is none of Exception
            caught.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    wait_for(when, 30, "the moment to stop it")
    assert thread.ident is not None
    raise_thread_exception(thread.ident, Shutdown)
    thread.join(60)
    assert not thread.is_alive()
    return caught[0] if caught else None
