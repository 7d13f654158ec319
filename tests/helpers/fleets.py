"""A fleet that is only said to be there, for what shows one."""

import json
from typing import Any

from redis import Redis

from callboard.core.keys import Keys

MB = 2**20

#: Settings with which the silent worker of a fleet stays silent, and is not dead, however slow the machine.
SILENT_FOR_LONG = {"callboard_worker_timeout": 120_000}


def add_worker(client: Redis, keys: Keys, name: str, *, silence_s: float = 1.0, **said: Any) -> None:
    """A worker that was last heard of so many seconds ago."""
    now = now_ms(client)
    client.zadd(keys.heartbeats, {name: now - silence_s * 1000})
    described = {
        "pid": 4711,
        "host": "stage-1",
        "version": "0.1.0",
        "python": "3.13.5",
        "threads": 8,
        "busy": len(said.get("runs", ())),
        "stuck": 0,
        "queues": ["default", "mail"],
        "memory": 96 * MB,
        "memory_kind": "pss",
        "started_at": now - 3_600_000,
        "runs": [],
    }
    client.hset(keys.workers, name, json.dumps(described | said))


def add_process(
    client: Redis, keys: Keys, part: str, name: str, *, silence_s: float = 1.0, **said: Any
) -> None:
    """A process that is no worker."""
    now = now_ms(client)
    described = {
        "part": part,
        "pid": 4712,
        "host": "stage-1",
        "version": "0.1.0",
        "python": "3.13.5",
        "memory": 70 * MB,
        "memory_kind": "pss",
        "started_at": now - 3_600_000,
        "at": now - round(silence_s * 1000),
    }
    key = keys.schedulers if part == "scheduler" else keys.processes
    client.hset(key, name, json.dumps(described | said))


def add_fleet(client: Redis, keys: Keys) -> None:
    """Two good workers, one of an old version with a lost thread, a silent and a dead one; and the others."""
    now = now_ms(client)
    ids = [f"0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c{number:02d}" for number in range(6)]
    begun = [
        [run_id, job, 1, now - seconds * 1000, False]
        for run_id, job, seconds in zip(
            ids,
            ("process-referrals", "sync-external-data", "process-email-queue", "review-requests"),
            (95, 12, 3, 1),
            strict=False,
        )
    ]
    add_worker(client, keys, "w1", runs=begun[:3], started_at=now - 93_784_000)
    add_worker(client, keys, "w2", pid=4713, runs=begun[3:4], memory=118 * MB)
    stuck = [ids[5], "weekly-cleanup", 2, now - 1_900_000, True]
    add_worker(client, keys, "w3", host="stage-2", version="0.0.9", stuck=1, runs=[stuck], memory=241 * MB)
    add_worker(client, keys, "w4", host="stage-2", pid=4714, silence_s=10.5, queues=["mail"])
    add_worker(client, keys, "w5", host="stage-3", pid=812, silence_s=300)
    add_process(client, keys, "scheduler", "s1", schedules=34)
    add_process(client, keys, "recorder", "r1", pid=4720, works=True)
    add_process(client, keys, "recorder", "r2", host="stage-2", pid=4720, works=False)
    add_process(client, keys, "api", "a1", pid=4721, memory=122 * MB)
    add_process(client, keys, "panel", "p1", pid=4722, memory=210 * MB)


def now_ms(client: Redis) -> int:
    """By Redis's clock."""
    seconds, microseconds = client.time()  # type: ignore[misc]
    return seconds * 1000 + microseconds // 1000
