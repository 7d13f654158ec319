"""Runs an actor's function in a process of its own, which can be ended whatever it does."""

import functools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dramatiq.middleware import Middleware, Shutdown, ShutdownNotifications

from callboard.core.errors import BadInput
from callboard.core.sizes import parse_size
from callboard.middleware.execution import Execution, current_execution
from callboard.middleware.interrupts import Leash
from callboard.middleware.options import check_choice, refuse
from callboard.middleware.recording import Recording

if TYPE_CHECKING:
    from callboard.middleware.isolated.caller import Caller

#: Seconds in which isolated runs that outlast the worker's grace are ended and put back.
PUT_BACK = 3.0

#: The least memory limit: less than what the interpreter itself needs.
LEAST_MEMORY = 2**24


class Isolation(Middleware):
    """The actor options `isolation` (`"thread"`, the default, or `"process"`) and `memory_limit`."""

    def __init__(self) -> None:
        self._functions: dict[str, Callable[..., Any]] = {}
        self._caller: Caller | None = None

    @staticmethod
    def of(broker: Any) -> "Isolation":
        """The isolating middleware of a broker."""
        return next(middleware for middleware in broker.middleware if isinstance(middleware, Isolation))

    @property
    def actor_options(self) -> set[str]:
        """The options of an actor that this middleware reads."""
        return {"isolation", "memory_limit"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        check_choice(actor, "isolation", ("thread", "process"))
        if actor.options.get("memory_limit") is None:
            return
        if actor.options.get("isolation") != "process":
            raise BadInput(
                f"The actor {actor.actor_name} has a memory_limit, which threads cannot have;"
                ' add isolation="process".'
            )
        if _memory(actor) < LEAST_MEMORY:
            raise refuse(
                actor, "memory_limit", "a number of bytes, or a text like '512MB', of at least 16 MB"
            )

    def after_declare_actor(self, broker: Any, actor: Any) -> None:
        if actor.options.get("isolation") != "process":
            return
        function = self._functions[actor.actor_name] = actor.fn
        memory = _memory(actor)

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            execution = current_execution()
            if execution is None or not isinstance(execution.window, Leash):
                # A direct call, from another job or in the process itself.
                return function(*args, **kwargs)
            if self._caller is None:
                raise BadInput(f"The job {actor.actor_name} was declared after its worker had begun.")
            _be_told_by_us(broker, actor, execution)
            return self._caller.call(execution, execution.window, memory, args, kwargs)

        actor.fn = run

    def start(self, broker: Any) -> None:
        """Begin, if there is any isolated job, before the worker has threads."""
        if self._functions:
            # Only where it is used: everything that makes a broker would pay for it.
            from callboard.middleware.isolated.caller import Caller

            self._caller = Caller(broker, self._functions)

    def stop(self) -> None:
        """End what is left."""
        if self._caller is not None:
            self._caller.stop()
            self._caller = None

    def before_worker_shutdown(self, broker: Any, worker: Any) -> None:
        for execution in _isolated(broker):
            if execution.notify_shutdown and execution.window is not None:
                execution.window.interrupt(Shutdown)

    def after_worker_shutdown(self, broker: Any, worker: Any) -> None:
        """The grace is over: what still runs is ended, and goes again."""
        threads = set()
        for execution in _isolated(broker):
            if execution.window is not None and execution.window.interrupt(Shutdown):
                threads.add(execution.window.thread)
        deadline = time.monotonic() + PUT_BACK
        for thread in worker.workers:
            if thread.ident in threads:
                thread.join(max(0.0, deadline - time.monotonic()))


def _memory(actor: Any) -> int:
    limit = actor.options.get("memory_limit")
    if limit is None:
        return 0
    try:
        return parse_size(limit)
    except BadInput:
        return -1


def _isolated(broker: Any) -> list[Execution]:
    return [each for each in Recording.of(broker).live() if isinstance(each.window, Leash)]


def _be_told_by_us(broker: Any, actor: Any, execution: Execution) -> None:
    """Take Dramatiq's notification of a shutdown back: it would strike this thread, not the job's process."""
    for middleware in broker.middleware:
        if isinstance(middleware, ShutdownNotifications):
            execution.notify_shutdown = middleware.should_notify(actor, execution.message)
            middleware.manager.remove_notification()
