"""Makes a message that says the same as one sent within the last day be that one.

The work is done where messages are put onto their queues (`broker.Broker.enqueue`): a key that is taken
returns the run that has it.
"""

from typing import Any

from dramatiq.middleware import Middleware

from callboard.middleware.options import refuse
from callboard.middleware.templates import check_template


class Idempotency(Middleware):
    """The option `idempotency_key`: of an actor, a text with the names of arguments (`"order:{order_id}"`);
    of a message, any text.
    """

    @property
    def actor_options(self) -> set[str]:
        """The options of an actor that this middleware reads."""
        return {"idempotency_key"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        template = actor.options.get("idempotency_key")
        if template is None:
            return
        if not isinstance(template, str) or not template:
            raise refuse(actor, "idempotency_key", "a text with the names of arguments")
        check_template(actor, "idempotency_key", template)
