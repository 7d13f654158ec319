"""Holds back what an operator has paused: a job, a queue, or everything.

Consumers take nothing off a paused queue. What this process had taken by then goes back to its head; the
messages of a paused job are parked.
"""

from typing import Any

from dramatiq import MessageProxy
from dramatiq.middleware import Middleware

from callboard.middleware.delivery import Delivery
from callboard.middleware.parking import pause_lot
from callboard.middleware.skips import park, put_back


class Paused(Middleware):
    """The gate that a pause closes."""

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        switches = broker.switches
        if switches is None or not isinstance(message, Delivery):
            return
        if broker.is_paused(message.queue_name):
            raise put_back(message, "paused")
        if message.actor_name in switches.paused_jobs:
            raise park(message, pause_lot(message.actor_name), "paused", "pause")
