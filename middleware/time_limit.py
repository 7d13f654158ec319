"""Interrupts an actor that runs for longer than it may.

The limit counts from the start of the actor's function and is enforced within a tenth of a second. A call
that never returns to the interpreter cannot be interrupted this way.
"""

import math
import time
from typing import Any

from dramatiq import MessageProxy, middleware
from dramatiq.middleware import TimeLimitExceeded

from callboard.middleware.delivery import Delivery
from callboard.middleware.execution import Execution
from callboard.middleware.options import check_number
from callboard.middleware.recording import Recording

#: The limit of an actor that names none, in ms: ten minutes, as in Dramatiq.
DEFAULT = 600_000


class TimeLimit(middleware.TimeLimit):
    """The actor option `time_limit`, in ms."""

    def __init__(self, *, time_limit: float = DEFAULT) -> None:
        self.time_limit = time_limit

    @classmethod
    def like(cls, stock: middleware.TimeLimit) -> "TimeLimit":
        """Ours with the settings of Dramatiq's."""
        return cls(time_limit=stock.time_limit)

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        check_number(actor, "time_limit", least=1)

    def after_process_boot(self, broker: Any) -> None:
        pass

    def after_worker_boot(self, broker: Any, worker: Any) -> None:
        watch = Recording.of(broker).watch
        if watch is not None:
            watch.checks.append(_enforce)

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        if isinstance(message, Delivery) and message.execution is not None:
            options = broker.get_actor(message.actor_name).options
            limit = message.options.get("time_limit") or options.get("time_limit", self.time_limit)
            message.execution.limit_ms = None if math.isinf(limit) else limit

    def after_process_message(self, broker: Any, message: Any, **outcome: Any) -> None:
        pass

    def after_skip_message(self, broker: Any, message: Any, **outcome: Any) -> None:
        pass


def _enforce(execution: Execution) -> None:
    window, limit = execution.window, execution.limit_ms
    if window is None or limit is None or execution.started is None:
        return
    if time.perf_counter_ns() - execution.begun_ns >= limit * 1_000_000:
        window.interrupt(TimeLimitExceeded)
