"""The queue of outbound messages."""

from dataclasses import dataclass

from callboard.control.context import Context
from callboard.storage.queries import outbound as queries


@dataclass(frozen=True, slots=True)
class OutboundQueue:
    """How many messages there are. `due` are those of the queued ones that could go out now."""

    queued: int
    due: int
    #: For how long the first of them has been due; None where none is.
    oldest_due_s: float | None
    running: int
    done_last_hour: int
    failed_last_day: int
    #: May have gone out or not: somebody has to say.
    uncertain: int


def outbound_queue(context: Context) -> OutboundQueue:
    """What is queued, and what has become of the latest."""
    with context.read() as connection:
        return OutboundQueue(**queries.states(connection))
