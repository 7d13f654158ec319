"""Samples of the queues: how each stands in Redis just now, and a row of that every ten seconds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from redis import Redis
from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.core.keys import Keys
from callboard.storage.parked import paused_at
from callboard.storage.pools import pools_of, shares, threads_of, workers_alive
from callboard.storage.retention import HOUR_DAYS

#: Seconds between two samples.
EVERY_S = 10

_STORE = text("""
WITH stored AS (
     INSERT INTO callboard.queue_samples
            (queue, at, depth, parked, oldest_due_ms, in_flight, dead, workers, slots, busy)
     SELECT s.queue, date_bin(:every, clock_timestamp(), 'epoch'), s.depth, s.parked, s.oldest_due_ms
          , s.in_flight, s.dead, s.workers, s.slots, s.busy
       FROM jsonb_to_recordset(:samples)
            AS s (queue text, depth int, parked int, oldest_due_ms bigint, in_flight int, dead int
                , workers int, slots int, busy int)
         ON CONFLICT (queue, at) DO NOTHING
     RETURNING *
   )
INSERT INTO callboard.queue_sample_hours AS h
       (queue, bucket, samples, first_at, last_at, depth_max, dead_max
      , depth_sum, parked_sum, in_flight_sum, busy_sum, slots_sum)
SELECT queue, date_trunc('hour', at, 'UTC'), 1, at, at, depth, dead, depth, parked, in_flight, busy, slots
  FROM stored
    ON CONFLICT (queue, bucket) DO UPDATE
   SET samples = h.samples + 1
     , first_at = least(h.first_at, excluded.first_at), last_at = greatest(h.last_at, excluded.last_at)
     , depth_max = greatest(h.depth_max, excluded.depth_max)
     , dead_max = greatest(h.dead_max, excluded.dead_max)
     , depth_sum = h.depth_sum + excluded.depth_sum, parked_sum = h.parked_sum + excluded.parked_sum
     , in_flight_sum = h.in_flight_sum + excluded.in_flight_sum
     , busy_sum = h.busy_sum + excluded.busy_sum, slots_sum = h.slots_sum + excluded.slots_sum
""").bindparams(bindparam("samples", type_=JSONB))

_DELETE = text("""
DELETE FROM callboard.queue_samples
 WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM callboard.queue_samples
        WHERE at < now() - cast(:age AS interval)
        LIMIT :limit))
""")

_DELETE_HOURS = text("""
DELETE FROM callboard.queue_sample_hours WHERE bucket < now() - :days * interval '24 hours'
""")

_SUM_HOURS = text("SELECT callboard.sum_sample_hours(clock_timestamp() - cast(:age AS interval))")

_COUNT = text("SELECT count(*) FROM callboard.queue_samples WHERE at < now() - cast(:age AS interval)")


@dataclass(frozen=True, slots=True)
class Sample:
    """One queue now. `slots` are the threads of the workers that serve it, `busy` those that have its work.

    `paused` is the reason for which the queue, or everything, is paused, since `paused_at`. `shares` is, of
    each other queue that its workers serve too, the share of that one's threads that these are,
    and `taken` how many threads those queues' work has. `pool` are the queues that share workers with it,
    directly or by way of others, itself included.
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
    paused_at: datetime | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    taken: float = 0.0
    pool: frozenset[str] = frozenset()


#: What is kept of it.
_KEPT = (
    "queue", "depth", "parked", "oldest_due_ms", "in_flight", "dead", "workers", "slots", "busy",
)  # fmt: skip


def take_samples(client: Redis, keys: Keys, queues: Sequence[str], silence_ms: int) -> list[Sample]:
    """How each of these queues stands; a worker silent for longer than that (ms) counts as dead."""
    redis: Any = client
    seconds, microseconds = redis.time()
    now_ms = seconds * 1000 + microseconds // 1000
    fleet = workers_alive(client, keys, now_ms - silence_ms)
    shared, pools = shares(fleet), pools_of(fleet)
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
        threads = [threads_of(fleet[worker]) for worker in serving[queue]]
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
                paused_at=paused_at(paused[0] or paused[1]),
                shares=shared.get(queue, {}),
                pool=next((pool.queues for pool in pools if queue in pool.queues), frozenset((queue,))),
            )
        )
    busy = {each.queue: each.busy for each in found}
    return [
        replace(each, taken=sum(share * busy.get(other, 0) for other, share in each.shares.items()))
        for each in found
    ]


def store_samples(connection: Connection, samples: Sequence[Sample]) -> None:
    """Keep samples, and add them to their hour.

    Of several processes that do so within the same ten seconds, the first one counts.
    """
    rows = [{name: getattr(each, name) for name in _KEPT} for each in samples]
    connection.execute(_STORE, {"samples": rows, "every": timedelta(seconds=EVERY_S)})


def sum_sample_hours(connection: Connection, age: timedelta) -> None:
    """Add samples no older than that to their hours, where an earlier version has not done so."""
    connection.execute(_SUM_HOURS, {"age": age})


def count_old_samples(connection: Connection, age: timedelta) -> int:
    """How many samples are older than that."""
    count: int = connection.execute(_COUNT, {"age": age}).scalar_one()
    return count


def delete_old_samples(connection: Connection, age: timedelta, limit: int = 10_000) -> int:
    """Delete up to `limit` samples older than that. Returns how many.

    The hours that they were added to stay as long as rollups by the hour do.
    """
    connection.execute(_DELETE_HOURS, {"days": HOUR_DAYS})
    return connection.execute(_DELETE, {"age": age, "limit": limit}).rowcount


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
