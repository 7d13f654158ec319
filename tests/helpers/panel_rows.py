"""Rows for callboard.runs and what hangs on them: their columns, and what runs leave behind."""

import json
import math
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from helpers.panel_jobs import DemoJob

RUNS = [
    "run_id",
    "enqueued_at",
    "job",
    "queue",
    "state",
    "rank",
    "attempt",
    "max_attempts",
    "trigger",
    "schedule_id",
    "due_at",
    "ready_at",
    "fetched_at",
    "started_at",
    "attempt_started_at",
    "finished_at",
    "wait_ms",
    "duration_ms",
    "execution_id",
    "worker",
    "error_type",
    "error",
    "traceback",
    "args",
    "kwargs",
    "result",
    "progress",
    "reason",
    "requested_by",
    "next_retry_at",
    "time_limit_ms",
]
ATTEMPTS = [
    "run_id",
    "enqueued_at",
    "attempt",
    "execution_id",
    "state",
    "started_at",
    "finished_at",
    "duration_ms",
    "worker",
    "error_type",
    "error",
    "traceback",
    "reason",
]
LINES = ["run_id", "enqueued_at", "attempt", "seq", "at", "level", "message"]
OCCURRENCES = ["schedule_id", "due_at", "job_name", "disposition", "reason", "run_id", "decided_at"]


@dataclass
class History:
    """Rows to be, by table."""

    runs: list[tuple[Any, ...]] = field(default_factory=list)
    attempts: list[tuple[Any, ...]] = field(default_factory=list)
    lines: list[tuple[Any, ...]] = field(default_factory=list)
    occurrences: list[tuple[Any, ...]] = field(default_factory=list)


def run_row(
    job: DemoJob, run_id: uuid.UUID, enqueued: datetime, state: str, attempt: int, **more: Any
) -> tuple[Any, ...]:
    """A row of callboard.runs."""
    phase = {"pending": 0, "processing": 5}.get(state, 9)
    values = {
        "run_id": run_id,
        "enqueued_at": enqueued,
        "job": job.name,
        "queue": job.queue,
        "state": state,
        "rank": attempt * 10 + phase,
        "attempt": attempt,
        "max_attempts": job.max_attempts,
        "trigger": "schedule",
        "ready_at": enqueued,
        "fetched_at": more.get("started_at"),
        "time_limit_ms": job.time_limit_s * 1000,
        "args": [],
        "kwargs": {},
        **more,
    }
    for name in ("args", "kwargs", "result", "progress"):
        if values.get(name) is not None:
            values[name] = json.dumps(values[name])
    return tuple(values.get(name) for name in RUNS)


def log(
    job: DemoJob,
    run_id: uuid.UUID,
    enqueued: datetime,
    attempt: int,
    start: datetime,
    end: datetime,
    error: str | None,
    dice: random.Random,
) -> Iterator[tuple[Any, ...]]:
    """The lines that an attempt logged."""
    length = (end - start).total_seconds()
    batches = min(12, 1 + int(math.log2(1 + job.typical_s)) * 2)
    told = [(0.002, "info", f"Run begins, attempt {attempt}")]
    told += [
        (
            length * (number + 1) / (batches + 1.5),
            "info",
            f"Batch {number + 1} of {batches}: {dice.randrange(40, 400)} rows",
        )
        for number in range(batches)
    ]
    if dice.random() < 0.3:
        told.insert(2, (length * 0.2, "warning", "The service answered slowly; going on"))
    told.append((length, "error", error) if error else (length, "info", "Run ends"))
    for seq, (at, level, message) in enumerate(told, 1):
        yield run_id, enqueued, attempt, seq, start + timedelta(seconds=min(at, length)), level, message


def traceback(job: DemoJob, kind: str, error: str) -> str:
    function = job.name.replace("-", "_")
    return (
        "Traceback (most recent call last):\n"
        f'  File "/srv/shop/actors/{job.category}/{function}.py", line 48, in {function}\n'
        "    for batch in pages(client, since=since):\n"
        '  File "/srv/shop/clients/paging.py", line 21, in pages\n'
        "    answer = client.get(path, params={**params, 'page': page})\n"
        '  File "/srv/shop/clients/http.py", line 87, in get\n'
        "    answer.raise_for_status()\n"
        f"{kind}: {error}\n"
    )
