"""Ends runs on somebody's order: those that wait never start, those that run are interrupted."""

from typing import Any

from dramatiq import MessageProxy
from dramatiq.middleware import Middleware

from callboard.core.states import RunState
from callboard.middleware.delivery import Delivery
from callboard.middleware.execution import Execution
from callboard.middleware.interrupts import RunEnded
from callboard.middleware.recording import Recording
from callboard.middleware.skips import skip


class Ended(Middleware):
    """The gate for runs that an operator has ended."""

    def after_worker_boot(self, broker: Any, worker: Any) -> None:
        switches = broker.switches

        def enforce(execution: Execution) -> None:
            order = switches.ended.get(execution.run_id) if switches.ended else None
            if order is not None and execution.window is not None:
                execution.window.interrupt(RunEnded, _order(order))

        watch = Recording.of(broker).watch
        if watch is not None:
            watch.checks.append(enforce)

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        switches = broker.switches
        if switches is None or not switches.ended or not isinstance(message, Delivery):
            return
        if message.message_id in switches.ended:
            state, reason, _ = _order(switches.ended[message.message_id])
            raise skip(message, reason, state)


def _order(order: dict[str, Any]) -> tuple[RunState, str, str]:
    state = RunState.FAILED if order.get("state") == "failed" else RunState.CANCELLED
    return state, str(order.get("reason") or "ended by an operator"), str(order.get("by") or "")
