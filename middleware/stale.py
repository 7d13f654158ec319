"""Skips a run that has waited for too long to matter: its slot counts as missed.

Only what has not begun can be stale: a retry, or a run whose worker died, is seen through.
"""

from typing import Any

from dramatiq import MessageProxy
from dramatiq.middleware import Middleware

from callboard.middleware.delivery import Delivery
from callboard.middleware.execution import now_ms
from callboard.middleware.options import check_number
from callboard.middleware.skips import skip

NAMES = ("start_deadline", "stale_after")


class Stale(Middleware):
    """The actor option `start_deadline`: ms after its due time or its sending in which a run may start.

    `stale_after` is its older name.
    """

    @property
    def actor_options(self) -> set[str]:
        """The options of an actor that this middleware reads."""
        return {"start_deadline", "stale_after"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        for name in NAMES:
            check_number(actor, name, least=0, none=True)

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        if not isinstance(message, Delivery) or message.begun:
            return
        declared = broker.get_actor(message.actor_name).options
        limit = next(
            (
                value
                for options in (message.options, declared)
                for name in NAMES
                if (value := options.get(name))
            ),
            None,
        )
        if not limit:
            return
        options = message.options
        due = options.get("due_at") or options.get("ready_at") or message.message_timestamp
        age = now_ms() - due
        if age > limit:
            raise skip(message, f"stale: {age / 1000:.1f} s old, and may be {limit / 1000:g} s at most")
