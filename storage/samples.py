"""Samples of the queues: how each stands in Redis just now, and a row of that every ten seconds."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from redis import Redis
from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.core.keys import Keys

#: Seconds between two samples.
EVERY_S = 10

_STORE = text("""
INSERT INTO callboard.queue_samples
       (queue, at, depth, oldest_due_ms, in_flight, dead, workers, slots, busy)
SELECT s.queue, date_bin(:every, clock_timestamp(), 'epoch'), s.depth, s.oldest_due_ms, s.in_flight
     , s.dead, s.workers, s.slots, s.busy
  FROM jsonb_to_recordset(:samples)
       AS s (queue text, depth int, oldest_due_ms bigint, in_flight int, dead int, workers int, slots int
           , busy int)
    ON CONFLICT (queue, at) DO NOTHING
""").bindparams(bindparam("samples", type_=JSONB))

_DELETE = text("""
DELETE FROM callboard.queue_samples
 WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM callboard.queue_samples
        WHERE at < now() - cast(:age AS interval)
        LIMIT :limit))
""")


_COUNT = text("SELECT count(*) FROM callboard.queue_samples WHERE at < now() - cast(:age AS interval)")


@dataclass(frozen=True, slots=True)
class Sample:
    """One queue now. `slots` are the threads of the workers that serve it, `busy` those that have its work.

    `paused` is the reason for which the queue, or everything, is paused.
    """

    queue: str
    depth: int
    parked: int
    oldest_due_ms: int
    in_flight: int
    dead: int
    workers: int
    slots: int
    busy: int
    paused: str | None


def take_samples(client: Redis, keys: Keys, queues: Sequence[str], silence_ms: int) -> list[Sample]:
    """How each of these queues stands; a worker silent for longer than that (ms) counts as dead."""
    redis: Any = client
    seconds, microseconds = redis.time()
    now_ms = seconds * 1000 + microseconds // 1000
    alive = redis.zrangebyscore(keys.heartbeats, now_ms - silence_ms, "+inf")
    described = redis.hmget(keys.workers, alive) if alive else []
    fleet = {
        worker.decode(): orjson.loads(said)
        for worker, said in zip(alive, described, strict=True)
        if said is not None
    }
    serving: dict[str, list[str]] = defaultdict(list)
    for worker, said in fleet.items():
        for queue in said.get("queues", ()):
            serving[queue].append(worker)
    with redis.pipeline(transaction=False) as pipeline:
        for queue in queues:
            pipeline.llen(keys.queue(queue))
            pipeline.lindex(keys.queue(queue), 0)
            pipeline.zcard(keys.dead(queue))
            pipeline.hget(keys.parked, queue)
            pipeline.hmget(keys.control, "paused:all:", f"paused:queue:{queue}")
            for worker in serving[queue]:
                pipeline.scard(keys.acks(worker, queue))
        answers = iter(pipeline.execute())
    found = []
    for queue in queues:
        depth, head, dead, parked, paused = (next(answers) for _ in range(5))
        taken = [next(answers) for _ in serving[queue]]
        threads = [_threads(fleet[worker]) for worker in serving[queue]]
        found.append(
            Sample(
                queue=queue,
                depth=depth,
                parked=int(parked or 0),
                oldest_due_ms=_age(redis.hget(keys.messages(queue), head), now_ms) if head else 0,
                in_flight=sum(taken),
                dead=dead,
                workers=len(threads),
                slots=sum(threads),
                busy=sum(min(pair) for pair in zip(taken, threads, strict=True)),
                paused=_reason(paused[0] or paused[1]),
            )
        )
    return found


def store_samples(connection: Connection, samples: Sequence[Sample]) -> None:
    """Keep samples. Of several processes that do so within the same ten seconds, the first one counts."""
    rows = [
        {name: getattr(each, name) for name in Sample.__slots__ if name not in ("parked", "paused")}
        for each in samples
    ]
    connection.execute(_STORE, {"samples": rows, "every": timedelta(seconds=EVERY_S)})


def count_old_samples(connection: Connection, age: timedelta) -> int:
    """How many samples are older than that."""
    count: int = connection.execute(_COUNT, {"age": age}).scalar_one()
    return count


def delete_old_samples(connection: Connection, age: timedelta, limit: int = 10_000) -> int:
    """Delete up to `limit` samples older than that. Returns how many."""
    return connection.execute(_DELETE, {"age": age, "limit": limit}).rowcount


def _threads(said: dict[str, Any]) -> int:
    return max(0, int(said.get("threads", 0)) - int(said.get("stuck", 0)))


def _age(message: bytes | None, now_ms: int) -> int:
    """For how long (ms) a message has been due."""
    try:
        said = orjson.loads(message or b"{}")
        due = (said.get("options") or {}).get("eta") or said.get("message_timestamp") or now_ms
        return max(0, now_ms - int(due))
    except (ValueError, TypeError, AttributeError):
        return 0


def _reason(said: bytes | None) -> str | None:
    if said is None:
        return None
    try:
        return str(orjson.loads(said).get("reason") or "no reason given")
    except (ValueError, AttributeError):
        return "no reason given"
