"""How a hook says that an actor must not run."""

from dramatiq.middleware import SkipMessage

from callboard.core.states import RunState
from callboard.middleware.delivery import Delivery


def skip(delivery: Delivery, reason: str, state: RunState = RunState.SKIPPED) -> SkipMessage:
    """The exception to raise in `before_process_message`; the run comes to `state` with that reason.

    A skip is no failure: it burns no attempt, and its message is acknowledged. A run that has begun cannot be
    skipped any more: it is cancelled.
    """
    if state is RunState.SKIPPED and delivery.begun:
        state = RunState.CANCELLED
    if delivery.execution is not None:
        delivery.execution.skip = (state, reason)
    return SkipMessage(reason)
