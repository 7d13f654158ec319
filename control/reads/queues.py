"""How much waits in each queue, from Redis."""

from dataclasses import dataclass
from typing import cast

from dramatiq.common import dq_name

from callboard.control.context import Context, reaching_redis
from callboard.storage.queries import jobs as queries


@dataclass(frozen=True, slots=True)
class Queue:
    """The messages of one queue.

    `waiting` for a worker, `delayed` until a later time, `taken` by workers and not yet acknowledged (being
    executed or fetched ahead), `dead`: failed for good and kept for a while.
    """

    name: str
    waiting: int
    delayed: int
    taken: int
    dead: int


def queues(context: Context) -> tuple[Queue, ...]:
    """The queues of all declared jobs, by name.

    Raises:
        Unavailable: PostgreSQL or Redis does not answer.
    """
    with context.read() as connection:
        names = queries.queues(connection)
    keys = context.keys
    with reaching_redis():
        beats = cast("list[bytes]", context.redis.zrange(keys.heartbeats, 0, -1))
        brokers = [each.decode() for each in beats]
        with context.redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.llen(keys.queue(name))
                pipeline.llen(keys.queue(dq_name(name)))
                pipeline.zcard(keys.dead(name))
                for broker, queue in (
                    (broker, queue) for broker in brokers for queue in (name, dq_name(name))
                ):
                    pipeline.scard(keys.acks(broker, queue))
            answers = iter(pipeline.execute())
    found = []
    for name in names:
        waiting, delayed, dead = (next(answers) for _ in range(3))
        taken = [next(answers) for _ in range(2 * len(brokers))]
        # Delayed messages are held by a worker until their time comes.
        held, running = sum(taken[1::2]), sum(taken[0::2])
        found.append(Queue(name=name, waiting=waiting, delayed=delayed + held, taken=running, dead=dead))
    return tuple(found)
