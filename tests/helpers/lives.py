"""The events of made-up runs, as a worker would write them, and what the recorder makes of events."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from callboard.storage.recorder.batch import Batch
from callboard.storage.recorder.write import prepare, register_unknown, write
from helpers.workers import Event

#: A moment at which made-up runs were sent, in ms since the epoch.
BASE = 1_700_000_000_000

#: The columns of a run that differ between two runs of the same life.
OWN = ("run_id", "execution_id", "enqueued_at")


def event(run_id: str, job: str, **fields: Any) -> Event:
    """An event of a run; by default of a first attempt that has begun."""
    return {
        "k": "run", "id": run_id, "at": BASE, "job": job, "q": "default", "s": "processing", "n": 1, "m": 4,
        "x": str(uuid.uuid4()), "w": "worker", "fet": BASE + 5, "sta": BASE + 10, "lim": 60_000,
    } | fields  # fmt: skip


def ended(begun: Event, state: str, ms: int, **fields: Any) -> Event:
    """The end of what has begun."""
    return begun | {"s": state, "ms": ms, "fin": begun["sta"] + ms} | fields


def connect(url: str) -> psycopg.Connection[Any]:
    """A connection on which `record` can write."""
    connection = psycopg.connect(url, options="-c timezone=UTC")
    prepare(connection)
    return connection


def record(connection: psycopg.Connection[Any], *batches: Iterable[Event]) -> None:
    """Write batches of events as the recorder does."""
    for events in batches:
        batch = Batch()
        for one in events:
            batch.add(one)
        register_unknown(connection, batch.jobs)
        write(connection, batch, "stream", "1-1")


def rows(connection: psycopg.Connection[Any], query: str, *parameters: Any) -> list[dict[str, Any]]:
    """The rows of a query."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute(query, parameters).fetchall())


def run_row(connection: psycopg.Connection[Any], run_id: str) -> dict[str, Any]:
    """The only row of a run."""
    (row,) = rows(connection, "SELECT * FROM callboard.runs WHERE run_id = %s", run_id)
    return row


def attempt_rows(connection: psycopg.Connection[Any], run_id: str) -> list[dict[str, Any]]:
    """The rows of a run's attempts, in their order."""
    return rows(
        connection,
        "SELECT * FROM callboard.attempts WHERE run_id = %s ORDER BY attempt, started_at, execution_id",
        run_id,
    )


def rollups(connection: psycopg.Connection[Any], jobs: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The rollups of some jobs, or of all, without what is the same in each."""
    return rows(
        connection,
        "SELECT * FROM callboard.rollups WHERE %s::text[] IS NULL OR job = ANY (%s::text[])"
        " ORDER BY job, queue, width_s, bucket",
        jobs,
        jobs,
    )


def queue_rollups(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """The rollups of all queues."""
    return rows(connection, "SELECT * FROM callboard.queue_rollups ORDER BY queue, width_s, bucket")
