"""Finds the message of a run that waits in Redis, and brings a delayed one forward.

Redis knows messages by ids of its own; the run's is within them. So finding one reads through a queue, which
an operator's single action may, and nothing else should.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import uuid4

import redis
from dramatiq import Message
from dramatiq.common import dq_name
from dramatiq.errors import DecodeError

from callboard.core.keys import Keys
from callboard.middleware.consumer import check_fields
from callboard.middleware.scripts import load_script

#: Messages read at once.
STEP = 1_000

_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Waiting(NamedTuple):
    """A message that waits: in its queue, in a worker's hand, parked or (then `delayed`) for its time."""

    message: Message[Any]
    queue: str
    redis_id: str
    delayed: bool
    #: Bytes of the encoded message.
    size: int


def find_waiting(client: redis.Redis, keys: Keys, queues: Iterable[str], run_id: str) -> Waiting | None:
    """The message of a run, or None where none of the queues has it."""
    wanted = run_id.encode()
    for queue in queues:
        for name in (dq_name(queue), queue):
            found: Any = client.hscan_iter(keys.messages(name), count=STEP)
            for redis_id, payload in found:
                if wanted in payload and (message := _decode(payload, run_id)) is not None:
                    return Waiting(message, queue, redis_id.decode(), name != queue, len(payload))
    return None


def hurry(client: redis.Redis, keys: Keys, waiting: Waiting) -> bool:
    """Have a delayed message go at once. Returns whether it was still delayed."""
    redis_id = str(uuid4())
    options = {
        name: value for name, value in waiting.message.options.items() if name not in ("eta", "ready_at")
    }
    options["redis_message_id"] = redis_id
    message: Message[Any] = Message(
        queue_name=waiting.queue,
        actor_name=waiting.message.actor_name,
        args=waiting.message.args,
        kwargs=waiting.message.kwargs,
        options=options,
        message_id=waiting.message.message_id,
        message_timestamp=waiting.message.message_timestamp,
    )
    script = load_script(client, "hurry")
    arguments: list[str | bytes] = [waiting.queue, waiting.redis_id, redis_id, message.encode()]
    return bool(script(keys=[keys.namespace], args=arguments) == 1)


def hurry_all(client: redis.Redis, keys: Keys, runs: Mapping[str, str]) -> set[str]:
    """Have the delayed messages of runs go at once; returns the runs that were delayed.

    Reads through each queue once, however many runs there are of it.

    Args:
        client: Redis.
        keys: the names of its keys.
        runs: ids of runs, each with its queue.
    """
    hurried = set()
    for queue in set(runs.values()):
        wanted = {run_id.encode() for run_id, of in runs.items() if of == queue}
        found: Any = client.hscan_iter(keys.messages(dq_name(queue)), count=STEP)
        for redis_id, payload in found:
            for run_id in {each.decode() for each in wanted.intersection(_UUID.findall(payload))}:
                message = _decode(payload, run_id)
                if message is None:
                    continue
                waiting = Waiting(message, queue, redis_id.decode(), True, len(payload))
                if hurry(client, keys, waiting):
                    hurried.add(run_id)
    return hurried


def _decode(payload: bytes, run_id: str) -> Message[Any] | None:
    try:
        message: Message[Any] = Message.decode(payload)
        check_fields(message, payload)
    except DecodeError:
        return None
    return message if message.message_id == run_id else None
