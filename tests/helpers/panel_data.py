"""Fill a migrated database with a month of plausible history, without a fleet.

The same seed gives the same history, counted back from the moment it is asked for.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from callboard.core.cron import cron
from helpers.panel_jobs import JOBS, DemoJob
from helpers.panel_rows import ATTEMPTS, LINES, OCCURRENCES, RUNS, History
from helpers.panel_runs import by_hand, past, present


def fill(
    url: str, *, days: float = 30, seed: int = 7, now: datetime | None = None, live: bool = True
) -> datetime:
    """Jobs, schedules and `days` days of runs; with `live`, two that run and one that waits.

    Returns the moment that it all counts back from.
    """
    at = (now or datetime.now(UTC)).replace(microsecond=0)
    dice = random.Random(seed)
    history = History()
    with psycopg.connect(url) as connection:
        connection.execute("SELECT callboard.ensure_partitions(%s, %s)", (at - timedelta(days=days + 1), at))
        for job in JOBS:
            ids = declare(connection, job, at - timedelta(days=days))
            for (expr, tz), schedule_id in zip(job.schedules, ids, strict=True):
                past(history, job, schedule_id, slots(expr, tz, at - timedelta(days=days), at), at, dice)
        by_hand(history, at, dice)
        if live:
            present(history, at, dice)
        for table, columns, rows in (
            ("runs", RUNS, history.runs),
            ("attempts", ATTEMPTS, history.attempts),
            ("log_lines", LINES, history.lines),
            ("occurrences", OCCURRENCES, history.occurrences),
        ):
            copy(connection, f"callboard.{table}", columns, rows)
        since = at - timedelta(days=days + 1)
        connection.execute("SELECT callboard.rebuild_rollups(%s, %s)", (since, at))
        connection.execute("UPDATE callboard.schedules SET checked_until = %s", (at,))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return at


def declare(connection: psycopg.Connection, job: DemoJob, since: datetime) -> list[int]:
    """A job, its switch and its schedules; returns the schedules' ids."""
    options = {
        "time_limit": job.time_limit_s * 1000,
        "max_retries": job.max_attempts - 1,
        "mutex": True,
        "quick_action": job.quick_action,
        **({"limit": job.limit} if job.limit else {}),
    }
    connection.execute(
        "INSERT INTO callboard.jobs (name, queue, description, category, source, options, time_limit_ms"
        ", max_attempts, signature, first_seen_at) VALUES (%s, %s, %s, %s, 'demo', %s, %s, %s, %s, %s)",
        (
            job.name,
            job.queue,
            job.description,
            job.category,
            json.dumps(options),
            job.time_limit_s * 1000,
            job.max_attempts,
            json.dumps(job.signature),
            since,
        ),
    )
    connection.execute(
        "INSERT INTO cron_job_config (job_name, enabled, last_modified_at, notes) VALUES (%s, %s, %s, %s)",
        (job.name, job.enabled, since, job.notes),
    )
    made = []
    for number, (expr, tz) in enumerate(job.schedules):
        row = connection.execute(
            "INSERT INTO callboard.schedules (job_name, key, expr, tz, declared, origin)"
            " VALUES (%s, %s, %s, %s, %s, 'code') RETURNING id",
            (job.name, f"code:{number}", expr, tz, Jsonb({"expr": expr, "tz": tz})),
        ).fetchone()
        assert row is not None
        made.append(int(row[0]))
    return made


def slots(expr: str, tz: str, start: datetime, end: datetime) -> Iterator[datetime]:
    when, at = cron(expr, tz=tz), start
    while (at := when.next(at)) < end - timedelta(minutes=6):
        yield at


def copy(connection: psycopg.Connection, table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as stream,
    ):
        for row in rows:
            stream.write_row(row)
