"""Dramatiq's pipelines and groups, neither lost nor doubled, and each known as one thing.

The next part of a pipeline, and what follows a group, go into the very step that commits the part before:
a worker that dies in between leaves nothing half-sent. Every part's message says what it is a part of (the
options `chain` and `group`), so that all parts are found from any of them, those that never ran included.
"""

from typing import Any

import redis
from dramatiq import Message, MessageProxy, middleware
from dramatiq.rate_limits import RateLimiterBackend

from callboard.core.keys import Keys
from callboard.core.logging import get_logger
from callboard.middleware.delivery import Delivery, Join, is_text

#: The most parts of a chain that its messages name.
MOST = 100


def begin_chain(message: Message[Any]) -> dict[str, Any]:
    """The option `chain` of the first message of a pipeline: {id, part (from 1), parts: [[id, job], ...]}."""
    parts: list[list[Any]] = [[message.message_id, message.actor_name]]
    following = message.options.get("pipe_target")
    while isinstance(following, dict) and len(parts) < MOST:
        parts.append([following.get("message_id"), following.get("actor_name")])
        following = following.get("options", {}).get("pipe_target")
    return {"id": message.message_id, "part": 1, "parts": parts}


class Chains(middleware.Pipelines):
    """Sends the next part of a pipeline in the commit of the one before it."""

    def __init__(self) -> None:
        self._logger = get_logger(__name__)

    def after_process_message(
        self, broker: Any, message: MessageProxy, *, result: Any = None, exception: Any = None
    ) -> None:
        target = message.options.get("pipe_target")
        if target is None or exception is not None or message.failed:
            return
        if not isinstance(message, Delivery):
            super().after_process_message(  # type: ignore[no-untyped-call]
                broker, message, result=result, exception=exception
            )
            return
        following: Message[Any] = Message(**target)
        options = broker.get_actor(message.actor_name).options
        if not (following.options.get("pipe_ignore") or options.get("pipe_ignore")):
            following = following.copy(args=(*following.args, result))
        chain = message.options.get("chain")
        if isinstance(chain, dict) and isinstance(chain.get("part"), int):
            following = following.copy(options={"chain": {**chain, "part": chain["part"] + 1}})
        try:
            message.followers.append(broker.follow_up(following, following.options.get("delay")))
        except Exception as error:
            # Such as a result that no message can carry: the chain ends here, and this part is why.
            self._logger.exception("The next part after message %r cannot be sent.", message.message_id)
            message.stuff_exception(error)
            message.fail()


class Groups(middleware.GroupCallbacks):
    """Sends what follows a group in the commit of its last part.

    Dramatiq's own counts parts down, so that a part which is delivered twice counts twice.
    """

    def __init__(self, client: redis.Redis, keys: Keys, *, barrier_ttl: int = 86_400_000) -> None:
        super().__init__(Totals(client, keys), barrier_ttl=barrier_ttl)

    def after_process_message(
        self, broker: Any, message: MessageProxy, *, result: Any = None, exception: Any = None
    ) -> None:
        group = message.options.get("group_completion_uuid")
        callbacks = message.options.get("group_completion_callbacks")
        if not group or not callbacks or exception is not None or not isinstance(message, Delivery):
            return
        if is_text(group) and not message.failed:
            packets = tuple(
                broker.follow_up(Message(**each).copy(options={"group": {"id": group}}), None)
                for each in callbacks
            )
            message.join = Join(group, message.message_id, packets)


class Totals(RateLimiterBackend):
    """Keeps how many parts a group has, which is all that a group asks of a rate limiter."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def add(self, key: str, value: int, ttl: int) -> bool:
        """Note the number of parts. Returns whether it was new."""
        return bool(self._client.set(self._keys.group_total(key), value, px=ttl, nx=True))
