"""Skips a run that has waited for too long to matter.

Only what has not begun can be stale: a retry, or a run whose worker died, is seen through.
"""

from typing import Any

from dramatiq import MessageProxy
from dramatiq.middleware import Middleware

from callboard.middleware.delivery import Delivery
from callboard.middleware.execution import now_ms
from callboard.middleware.options import check_number
from callboard.middleware.skips import skip


class Stale(Middleware):
    """The actor option `stale_after`: ms after its due time or its sending in which a run may start."""

    @property
    def actor_options(self) -> set[str]:
        """The options of an actor that this middleware reads."""
        return {"stale_after"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        check_number(actor, "stale_after", least=0, none=True)

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        if not isinstance(message, Delivery) or message.begun:
            return
        limit = message.options.get("stale_after") or broker.get_actor(message.actor_name).options.get(
            "stale_after"
        )
        if not limit:
            return
        options = message.options
        due = options.get("due_at") or options.get("ready_at") or message.message_timestamp
        age = now_ms() - due
        if age > limit:
            raise skip(message, f"stale: {age / 1000:.1f} s old, and may be {limit / 1000:g} s at most")
