"""Tells of runs that go on although they were interrupted: each holds a thread that does nothing else.

An interrupt is raised between two steps of Python. A call that never returns to the interpreter, or a job
that catches the interrupt and goes on, is not ended by it; only a process can be killed.
"""

import time
from typing import Any

from dramatiq.middleware import Middleware, TimeLimitExceeded

from callboard.core.logging import get_logger
from callboard.middleware.execution import Execution
from callboard.middleware.interrupts import Leash
from callboard.middleware.recording import Recording

#: Seconds after an interrupt at which a run that still goes on is told of.
PATIENCE = 5.0

PAST_ITS_LIMIT = (
    "The run is past its limit and cannot be interrupted: a thread of its worker is lost until it ends by"
    ' itself; use isolation="process".'
)
ORDERED_TO_END = PAST_ITS_LIMIT.replace("past its limit", "ordered to end")


class Stuck(Middleware):
    """Has the watch look for such runs."""

    def __init__(self) -> None:
        self._logger = get_logger(__name__)

    def after_worker_boot(self, broker: Any, worker: Any) -> None:
        watch = Recording.of(broker).watch
        if watch is not None:
            watch.checks.append(self._look)

    def _look(self, execution: Execution) -> None:
        window = execution.window
        # The process of an isolated run is killed long before.
        if execution.stuck or window is None or window.interrupted_by is None or isinstance(window, Leash):
            return
        if time.monotonic() - window.interrupted_at < PATIENCE:
            return
        execution.stuck = True
        late = issubclass(window.interrupted_by, TimeLimitExceeded)
        told = PAST_ITS_LIMIT if late else ORDERED_TO_END
        execution.log("warning", told)
        self._logger.warning(told, action="run_stuck", job=execution.job, run=execution.run_id)


def count_stuck(broker: Any) -> int:
    """How many threads of this process are lost to such runs."""
    return sum(execution.stuck for execution in Recording.of(broker).live())
