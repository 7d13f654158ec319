"""The threads of the fleet, by the queues that share them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from redis import Redis

from callboard.core.keys import Keys


@dataclass(frozen=True, slots=True)
class Pool:
    """Queues that are served by the same workers, directly or by way of each other, and their threads."""

    queues: frozenset[str]
    workers: int
    threads: int


def list_pools(client: Redis, keys: Keys, silence_ms: int) -> tuple[Pool, ...]:
    """The pools of the workers alive, each queue in one; a worker silent for longer (ms) counts as dead."""
    redis: Any = client
    seconds, microseconds = redis.time()
    return pools_of(workers_alive(client, keys, seconds * 1000 + microseconds // 1000 - silence_ms))


def pools_of(fleet: Mapping[str, Mapping[str, Any]]) -> tuple[Pool, ...]:
    """The pools of these workers, by what each says of itself."""
    pools: list[Pool] = []
    for said in fleet.values():
        queues = frozenset(said.get("queues", ()))
        sharing = [pool for pool in pools if pool.queues & queues]
        pools = [pool for pool in pools if pool not in sharing]
        pools.append(
            Pool(
                queues.union(*(pool.queues for pool in sharing)),
                1 + sum(pool.workers for pool in sharing),
                threads_of(said) + sum(pool.threads for pool in sharing),
            )
        )
    return tuple(sorted(pools, key=lambda pool: sorted(pool.queues)))


def workers_alive(client: Redis, keys: Keys, oldest_ms: int) -> dict[str, dict[str, Any]]:
    """What each worker says of itself that was heard of since then (ms), by its id."""
    redis: Any = client
    alive = redis.zrangebyscore(keys.heartbeats, oldest_ms, "+inf")
    described = redis.hmget(keys.workers, alive) if alive else []
    return {
        worker.decode(): orjson.loads(said)
        for worker, said in zip(alive, described, strict=True)
        if said is not None
    }


def threads_of(said: Mapping[str, Any]) -> int:
    """The threads of a worker that are not stuck."""
    return max(0, int(said.get("threads", 0)) - int(said.get("stuck", 0)))


def shares(fleet: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """By queue: of each other queue that its workers serve too, the share of that one's threads they have."""
    whole: dict[str, int] = defaultdict(int)
    common: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for said in fleet.values():
        queues, threads = set(said.get("queues", ())), threads_of(said)
        for queue in queues:
            whole[queue] += threads
            for other in queues - {queue}:
                common[queue][other] += threads
    return {
        queue: {other: threads / whole[other] for other, threads in others.items() if threads}
        for queue, others in common.items()
    }
