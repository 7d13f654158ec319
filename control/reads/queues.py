"""How much waits in each queue, from Redis."""

from dataclasses import dataclass
from typing import cast

from dramatiq.common import dq_name

from callboard.control.context import Context, reaching_redis
from callboard.control.reads.pauses import Pause, pause_of, pauses
from callboard.storage.queries import jobs as queries


@dataclass(frozen=True, slots=True)
class Queue:
    """The messages of one queue.

    `waiting` for a worker, `delayed` until a later time, `parked` until a pause is over or a mutex, a limit
    or a breaker is free, `taken` by workers and not yet acknowledged (being executed or fetched ahead),
    `dead`: failed for good and kept for a while. `pause` is what holds the whole queue.
    """

    name: str
    waiting: int
    delayed: int
    parked: int
    taken: int
    dead: int
    pause: Pause | None


def queues(context: Context) -> tuple[Queue, ...]:
    """The queues of all declared jobs, by name.

    Raises:
        Unavailable: PostgreSQL or Redis does not answer.
    """
    with context.read() as connection:
        names = queries.queues(connection)
    paused = pauses(context)
    keys = context.keys
    with reaching_redis():
        beats = cast("list[bytes]", context.redis.zrange(keys.heartbeats, 0, -1))
        brokers = [each.decode() for each in beats]
        with context.redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.llen(keys.queue(name))
                pipeline.llen(keys.queue(dq_name(name)))
                pipeline.zcard(keys.dead(name))
                pipeline.hget(keys.parked, name)
                for broker, queue in (
                    (broker, queue) for broker in brokers for queue in (name, dq_name(name))
                ):
                    pipeline.scard(keys.acks(broker, queue))
            answers = iter(pipeline.execute())
    found = []
    for name in names:
        waiting, delayed, dead, parked = (int(next(answers) or 0) for _ in range(4))
        taken = [next(answers) for _ in range(2 * len(brokers))]
        # Delayed messages are held by a worker until their time comes.
        held, running = sum(taken[1::2]), sum(taken[0::2])
        pause = pause_of(paused, queue=name)
        found.append(Queue(name, waiting, delayed + held, parked, running, dead, pause))
    return tuple(found)
