"""What lies in a queue in Redis."""

from collections import Counter
from typing import Any

from dramatiq import Message


def queued(broker: Any, queue: str = "default") -> list[Message[Any]]:
    """The messages of a queue, oldest first."""
    ids = broker.client.lrange(broker.keys.queue(queue), 0, -1)
    if not ids:
        return []
    return [Message.decode(payload) for payload in broker.client.hmget(broker.keys.messages(queue), ids)]


def slots_sent(broker: Any, queue: str = "default") -> Counter[tuple[int, int]]:
    """How often each slot, (schedule id, due time in ms), lies in a queue."""
    return Counter(
        (message.options["schedule_id"], message.options["due_at"])
        for message in queued(broker, queue)
        if "schedule_id" in message.options
    )
