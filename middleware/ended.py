"""Ends runs on somebody's order: those that wait never start, those that run are interrupted."""

from typing import Any

from dramatiq import MessageProxy
from dramatiq.middleware import Middleware

from callboard.core.states import RunState
from callboard.middleware.delivery import Delivery
from callboard.middleware.interrupts import RunEnded
from callboard.middleware.recording import Recording
from callboard.middleware.skips import skip


class Ended(Middleware):
    """The gate for runs that an operator has ended."""

    def after_worker_boot(self, broker: Any, worker: Any) -> None:
        recording = Recording.of(broker)

        def interrupt(run_id: str) -> None:
            for execution in recording.live():
                if execution.run_id == run_id and execution.window is not None:
                    execution.interrupt = _order(broker.switches.ended.get(run_id))
                    execution.window.interrupt(RunEnded)

        broker.switches.on_end = interrupt

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        switches = broker.switches
        if switches is None or not switches.ended or not isinstance(message, Delivery):
            return
        if message.message_id in switches.ended:
            state, reason, _ = _order(switches.ended[message.message_id])
            raise skip(message, reason, state)


def _order(order: dict[str, Any] | None) -> tuple[RunState, str, str]:
    order = order or {}
    state = RunState.FAILED if order.get("state") == "failed" else RunState.CANCELLED
    return state, str(order.get("reason") or "ended by an operator"), str(order.get("by") or "")
