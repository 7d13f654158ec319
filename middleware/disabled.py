"""Skips the runs of a job that is switched off."""

from typing import Any

from dramatiq import MessageProxy
from dramatiq.middleware import Middleware

from callboard.middleware.delivery import Delivery
from callboard.middleware.skips import skip


class Disabled(Middleware):
    """The gate that a job's switch closes."""

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        switches = broker.switches
        if switches is None or not isinstance(message, Delivery):
            return
        reason = switches.disabled.get(message.actor_name)
        if reason is not None:
            raise skip(message, f"disabled: {reason}")
