"""How a hook says that an actor must not run, or not yet."""

from dramatiq.middleware import SkipMessage

from callboard.core.holds import Cause
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


def park(delivery: Delivery, lot: str, reason: str, cause: Cause) -> SkipMessage:
    """The exception to raise where a run has to wait: its message is parked until the lot is free to go on.

    It waits in Redis, holds no thread and burns no attempt; see `parking`. How long it does so is put down to
    the cause.
    """
    delivery.silent, delivery.moves, delivery.lot, delivery.cause = True, "park", lot, cause
    return SkipMessage(reason)


def put_back(delivery: Delivery, reason: str) -> SkipMessage:
    """The exception to raise where a message should not have been taken: it goes back to its queue's head."""
    delivery.silent, delivery.moves = True, "back"
    return SkipMessage(reason)
