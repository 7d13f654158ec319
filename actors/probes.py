"""What the health check looks at. Each probe asks the real thing and says what it found in one sentence."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson
from redis import Redis
from sqlalchemy import Connection

from callboard.core.keys import Keys
from callboard.storage.clocks import database_time
from callboard.storage.vitals import (
    overdue_slot,
    stuck_workers,
    unrecorded_events,
    unsent_messages,
    worker_silences,
)

Status = Literal["healthy", "degraded", "down"]

#: A server that takes longer to answer than this (ms) is degraded.
SLOW_MS = 500
#: Seconds by which the recorder, the scheduler or the relay may be behind.
LATE_S = 10
#: Seconds after which that part is taken for dead.
DEAD_S = 300
#: Seconds for which a worker that died is spoken of; its messages have long gone to others by then.
MOURNED_S = 600
#: Share of Redis's memory limit that may be in use.
MEMORY_SHARE = 0.9
#: Shares of the disk that must be free.
DISK_SHARE, DISK_SHARE_LEAST = 0.1, 0.01


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found. `value` is the figure it judged: ms, seconds, a count or a share."""

    status: Status
    detail: str
    value: float | None = None


def probe_postgresql(connection: Connection) -> Finding:
    """How long PostgreSQL takes to answer (ms)."""
    return _answer("PostgreSQL", lambda: database_time(connection))


def probe_redis(client: Redis) -> Finding:
    """How long Redis takes to answer (ms), and whether it has memory left."""
    answer = _answer("Redis", client.ping)
    memory = client.info("memory")
    limit, used = int(memory.get("maxmemory", 0)), int(memory["used_memory"])
    if limit and used > limit * MEMORY_SHARE:
        return Finding(
            "degraded", f"Redis uses {used / limit:.0%} of its {limit // 2**20} MiB of memory.", used / limit
        )
    return answer


def probe_stream(connection: Connection, client: Redis, keys: Keys) -> Finding:
    """For how long (s) the oldest event of the stream has waited for the recorder."""
    waiting = unrecorded_events(connection, client, keys)
    if not waiting.count:
        return Finding("healthy", "Every event is recorded.", 0)
    return _lateness("The oldest event that is not recorded", waiting.age)


def probe_schedules(connection: Connection) -> Finding:
    """For how long (s) the oldest due slot has waited for a scheduler."""
    overdue = overdue_slot(connection)
    if overdue is None:
        return Finding("healthy", "No slot is overdue.", 0)
    return _lateness(f"The oldest due slot (of {overdue.job})", overdue.age)


def probe_outbox(connection: Connection) -> Finding:
    """For how long (s) the oldest message has waited to be sent to Redis."""
    unsent = unsent_messages(connection)
    if not unsent.count:
        return Finding("healthy", "Nothing waits to be sent.", 0)
    return _lateness(f"The oldest of {unsent.count} unsent messages", unsent.age)


def probe_workers(client: Redis, keys: Keys, timeout_ms: int) -> Finding:
    """How many workers have died of late: they fell silent for too long (ms), and without taking leave.

    If none has: how many threads are lost to runs that cannot be interrupted.
    """
    silences = worker_silences(client, keys)
    alive = [worker for worker, silence in silences.items() if silence * 1000 <= timeout_ms]
    died = [worker for worker, silence in silences.items() if timeout_ms / 1000 < silence <= MOURNED_S]
    if not alive:
        return Finding("down", "No worker is running.", 0)
    if died:
        names = ", ".join(_describe(client.hget(keys.workers, worker)) for worker in died[:5])
        return Finding(
            "degraded", f"{len(died)} of {len(died) + len(alive)} workers have died: {names}.", len(died)
        )
    stuck = {worker: said for worker, said in stuck_workers(client, keys).items() if worker in alive}
    if stuck:
        lost = sum(said["stuck"] for said in stuck.values())
        names = ", ".join(_describe(client.hget(keys.workers, worker)) for worker in list(stuck)[:5])
        threads = "1 thread is" if lost == 1 else f"{lost} threads are"
        return Finding("degraded", f"{threads} lost to runs past their limit: {names}.", lost)
    return Finding("healthy", f"Workers alive: {len(alive)}.", 0)


def probe_disk(home: Path) -> Finding:
    """The share of the disk under the instance's folder that is free."""
    folder = next(path for path in (home, *home.parents) if path.exists())
    usage = shutil.disk_usage(folder)
    share = usage.free / usage.total
    status: Status = "healthy"
    if share < DISK_SHARE:
        status = "down" if share < DISK_SHARE_LEAST else "degraded"
    return Finding(
        status, f"{usage.free / 2**30:.1f} GiB ({share:.0%}) of the disk at {folder} are free.", share
    )


def _describe(worker: bytes | str | None) -> str:
    try:
        known = orjson.loads(worker or b"")
        return f"process {known['pid']} on {known['host']}"
    except (ValueError, KeyError, TypeError):
        return "one of unknown name"


def _answer(name: str, ask: Callable[[], object]) -> Finding:
    begun = time.perf_counter()
    ask()
    took = (time.perf_counter() - begun) * 1000
    return Finding(
        "degraded" if took > SLOW_MS else "healthy", f"{name} answered in {took:.1f} ms.", round(took, 1)
    )


def _lateness(what: str, seconds: float) -> Finding:
    status: Status = "healthy"
    if seconds > LATE_S:
        status = "down" if seconds > DEAD_S else "degraded"
    return Finding(status, f"{what} has waited for {seconds:.1f} s.", round(seconds, 1))
