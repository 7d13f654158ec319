"""How much waits in each queue, from Redis; and of one, who serves it and what became of its runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

import orjson
from dramatiq.common import dq_name

from callboard.control.context import Context, reaching_redis
from callboard.control.reads.pauses import Pause, pause_of, pauses
from callboard.core.clock import utcnow
from callboard.core.errors import NotFound
from callboard.storage.queries import jobs as queries
from callboard.storage.queries import queues as queue_queries
from callboard.storage.vitals import worker_silences

#: What has ended is counted over so many hours.
HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Queue:
    """The messages of one queue.

    `waiting` for a worker, `delayed` until a later time, `parked` until a pause is over or a mutex, a limit
    or a breaker is free, `taken` by workers and not yet acknowledged (being executed or fetched ahead),
    `dead`: failed for good and kept for a while. `pause` is what holds the whole queue, `workers` is how many
    worker processes serve it.
    """

    name: str
    waiting: int
    delayed: int
    parked: int
    taken: int
    dead: int
    pause: Pause | None
    workers: int = 0

    @property
    def depth(self) -> int:
        """How many messages no worker has begun."""
        return self.waiting + self.delayed + self.parked


@dataclass(frozen=True, slots=True)
class Server:
    """A worker process that serves a queue."""

    id: str
    host: str | None
    pid: int | None
    threads: int | None


@dataclass(frozen=True, slots=True)
class QueueDetail:
    """A queue, who serves it, its jobs, and its runs by state: of the ended, those of 24 hours."""

    queue: Queue
    servers: tuple[Server, ...]
    jobs: tuple[str, ...]
    states: Mapping[str, int]


def queues(context: Context) -> tuple[Queue, ...]:
    """The queues of all declared jobs, by name.

    Raises:
        Unavailable: PostgreSQL or Redis does not answer.
    """
    with context.read() as connection:
        names = queries.queues(connection)
    paused = pauses(context)
    keys = context.keys
    servers = _servers(context)
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
        serving = sum(name in served for _, served in servers)
        found.append(Queue(name, waiting, delayed + held, parked, running, dead, pause, serving))
    return tuple(found)


def queue(context: Context, name: str) -> QueueDetail:
    """One queue with all that is known of it.

    Raises:
        NotFound: no job's queue has that name.
        Unavailable: PostgreSQL or Redis does not answer.
    """
    found = {each.name: each for each in queues(context)}
    if name not in found:
        raise NotFound(f"There is no queue {name[:100]!r}; the queues are {', '.join(found)}.")
    with context.read() as connection:
        jobs = queue_queries.jobs(connection, name)
        states = queue_queries.states(connection, name, since=utcnow() - timedelta(hours=HOURS))
    servers = tuple(server for server, served in _servers(context) if name in served)
    return QueueDetail(found[name], servers, tuple(jobs), states)


def _servers(context: Context) -> list[tuple[Server, frozenset[str]]]:
    """The workers that are alive, and the queues that each of them serves."""
    most_s = context.settings.callboard_worker_timeout / 1000
    with reaching_redis():
        silences = worker_silences(context.redis, context.keys)
        alive = sorted(worker for worker, silence in silences.items() if silence <= most_s)
        described: Any = context.redis.hmget(context.keys.workers, alive) if alive else []
    found = []
    for worker, text in zip(alive, described, strict=True):
        said = orjson.loads(text) if text else {}
        server = Server(worker, said.get("host"), said.get("pid"), said.get("threads"))
        found.append((server, frozenset(said.get("queues") or ())))
    return found
