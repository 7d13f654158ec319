"""Makes the record of an execution, and runs the actor's function within it."""

import functools
import sys
import time
from collections.abc import Callable
from typing import Any

from dramatiq import Actor, Broker, MessageProxy
from dramatiq.middleware import Middleware

from callboard.core.states import RunState
from callboard.middleware.delivery import Delivery
from callboard.middleware.execution import Execution, current_execution, enter, leave, now_ms
from callboard.middleware.interrupts import Leash, Window
from callboard.middleware.options import check_choice, check_name, check_number, check_text, schedules_of
from callboard.middleware.watch import Watch


class Recording(Middleware):
    """Attaches an `Execution` to each delivery and shows the long ones while they run."""

    def __init__(self) -> None:
        self.watch: Watch | None = None
        #: About how many attempts have ended in this process: two that end at once may count as one.
        self.ended = 0

    @staticmethod
    def of(broker: Any) -> "Recording":
        """The recording middleware of a broker."""
        return next(middleware for middleware in broker.middleware if isinstance(middleware, Recording))

    @property
    def actor_options(self) -> set[str]:
        """What a job says about itself."""
        about = {"category", "description", "enabled", "quick_action"}
        return about | {"periodic", "misfire", "misfire_limit", "grace"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        check_name(actor)
        schedules_of(actor)
        check_choice(actor, "misfire", ("skip", "run_once", "run_all"))
        check_number(actor, "misfire_limit", least=0, unit="", whole=True)
        check_number(actor, "grace", least=0, whole=True)
        check_choice(actor, "enabled", (True, False))
        check_text(actor, "category")
        check_text(actor, "description")
        check_text(actor, "quick_action")

    def live(self) -> list[Execution]:
        """The executions of this process that run now."""
        return self.watch.live() if self.watch is not None else []

    def after_declare_actor(self, broker: Broker, actor: Actor[Any, Any]) -> None:
        window = Leash if actor.options.get("isolation") == "process" else Window
        actor.fn = _within_execution(actor.fn, window)

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        self.watch = Watch(broker)

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        if isinstance(message, Delivery):
            execution = message.execution = Execution(message)
            enter(execution)
            if self.watch is not None:
                self.watch.add(execution)

    def after_process_message(
        self,
        broker: Any,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        if isinstance(message, Delivery) and (execution := message.execution) is not None:
            if execution.window is not None:
                execution.window.close()
            execution.result = result
            if execution.started is not None:
                self.ended += 1
            if self.watch is not None:
                self.watch.remove(execution)
        leave()

    def after_skip_message(self, broker: Any, message: MessageProxy) -> None:
        execution = message.execution if isinstance(message, Delivery) and not message.failed else None
        if execution is not None and execution.skip is None and execution.started is None:
            # An application's own middleware; its exception is being handled while this hook is called.
            execution.skip = (RunState.SKIPPED, str(sys.exception() or "") or "skipped by a middleware")
        self.after_process_message(broker, message)

    def after_worker_shutdown(self, broker: Any, worker: Any) -> None:
        if self.watch is not None:
            self.watch.stop()


def _within_execution(function: Callable[..., Any], window: type[Window]) -> Callable[..., Any]:
    """Stamp the times of an actor's function, and let it be interrupted; a direct call stays one."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        execution = current_execution()
        if execution is None or execution.started is not None:
            return function(*args, **kwargs)
        begun = execution.begun_ns = time.perf_counter_ns()
        execution.started = now_ms()
        try:
            with window() as execution.window:
                return function(*args, **kwargs)
        finally:
            execution.duration_ms = (time.perf_counter_ns() - begun) // 1_000_000
            execution.finished = execution.started + execution.duration_ms

    return run
