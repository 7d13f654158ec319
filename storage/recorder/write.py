"""Writes a batch, in one transaction with the position in the stream that it was read up to.

Rows go through temporary tables: COPY is the fastest way in, and the INSERT out of them lets a run's state
only move forward. What a row that came too late would have counted is not counted.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from callboard.storage.registry import register_jobs
from psycopg import sql

from callboard.storage.recorder.batch import ATTEMPT_COLUMNS, LOG_COLUMNS, RUN_COLUMNS, Batch
from callboard.storage.recorder.rollup import ROLLUP_COLUMNS, rollup_rows

_ADDED = (
    "started", "succeeded", "failed", "cancelled", "cancelled_running", "skipped", "dead", "retried",
    "duration_sum_ms", "wait_sum_ms",
)  # fmt: skip
_LATEST = ("duration_max_ms", "wait_max_ms", "last_run_at", "last_success_at", "last_failure_at")


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Make the temporary tables of a new connection."""
    for name in ("runs", "attempts", "log_lines", "rollups"):
        connection.execute(
            sql.SQL(
                "CREATE TEMPORARY TABLE {} (LIKE callboard.{} INCLUDING DEFAULTS) ON COMMIT DELETE ROWS"
            ).format(_incoming(name), sql.Identifier(name))
        )
    connection.commit()


def write(connection: psycopg.Connection[Any], batch: Batch, stream: str, position: str) -> None:
    """Write a batch and the position, or nothing."""
    with connection.transaction(), connection.cursor() as cursor:
        for source, jobs in batch.declarations:
            register_jobs(connection, source, jobs)
        refused: set[str] = set()
        if batch.runs:
            refused = _write_runs(cursor, batch.runs.values())
        if batch.attempts:
            _insert(cursor, "attempts", ATTEMPT_COLUMNS, batch.attempts)
        if batch.log_lines:
            _insert(cursor, "log_lines", LOG_COLUMNS, batch.log_lines)
        if batch.progress:
            cursor.executemany(_PROGRESS, [(said, *key) for *key, said in batch.progress.values()])
        if batch.lost:
            cursor.executemany(_LOST, batch.lost)
        if batch.turned_away:
            cursor.executemany(_TURNED_AWAY, batch.turned_away)
        rows = rollup_rows(
            count for run_id, counts in batch.counts.items() if run_id not in refused for count in counts
        )
        if rows:
            _copy(cursor, "rollups", ROLLUP_COLUMNS, rows)
            cursor.execute(_ROLLUPS)
        cursor.execute(_POSITION, (stream, position))


def read_position(connection: psycopg.Connection[Any], stream: str) -> str | None:
    """The last entry of a stream that has been written; None before the first."""
    with connection.transaction():
        row = connection.execute(
            "SELECT last_id FROM callboard.stream_position WHERE stream = %s", (stream,)
        ).fetchone()
    return None if row is None else row[0]


def write_position(connection: psycopg.Connection[Any], stream: str, position: str) -> None:
    """Set the position; also the recorder's sign of life."""
    with connection.transaction():
        connection.execute(_POSITION, (stream, position))


def register_unknown(connection: psycopg.Connection[Any], jobs: dict[str, str]) -> None:
    """Enter jobs that ran and were never declared, by name and queue."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO callboard.jobs (name, queue, source, declared) VALUES (%s, %s, '', false)"
            " ON CONFLICT (name) DO NOTHING",
            list(jobs.items()),
        )


def _write_runs(cursor: psycopg.Cursor[Any], rows: Iterable[Sequence[Any]]) -> set[str]:
    """Returns the ids of the runs that had come further already."""
    _copy(cursor, "runs", RUN_COLUMNS, rows)
    cursor.execute(_RUNS)
    return {str(row[0]) for row in cursor.fetchall()}


def _insert(
    cursor: psycopg.Cursor[Any], name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    _copy(cursor, name, columns, rows)
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    cursor.execute(
        sql.SQL("INSERT INTO callboard.{} ({}) SELECT {} FROM {} ON CONFLICT DO NOTHING").format(
            sql.Identifier(name), listed, listed, _incoming(name)
        )
    )


def _copy(
    cursor: psycopg.Cursor[Any], name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(_incoming(name), listed)) as copy:
        for row in rows:
            copy.write_row(row)


def _incoming(name: str) -> sql.Identifier:
    return sql.Identifier(f"incoming_{name}")


def _runs_sql() -> str:
    columns = ", ".join(RUN_COLUMNS)
    kept = {"run_id", "enqueued_at"}
    first = {"started_at": "LEAST(r.started_at, excluded.started_at)"}
    either = {
        "schedule_id",
        "due_at",
        "ready_at",
        "wait_ms",
        "args",
        "kwargs",
        "progress",
        "requested_by",
        "max_attempts",
    }
    parts = []
    for column in RUN_COLUMNS:
        if column in kept:
            continue
        if column in first:
            value = first[column]
        elif column in either:
            value = f"COALESCE(excluded.{column}, r.{column})"
        elif column == "trigger":
            value = "CASE excluded.trigger WHEN 'code' THEN r.trigger ELSE excluded.trigger END"
        else:
            value = f"excluded.{column}"
        parts.append(f"{column} = {value}")
    # A message whose worker died runs again under the same attempt number: then the newer execution counts.
    return f"""
        WITH written AS (
            INSERT INTO callboard.runs AS r ({columns}) SELECT {columns} FROM incoming_runs
            ON CONFLICT (run_id, enqueued_at) DO UPDATE SET {", ".join(parts)}
            WHERE excluded.rank > r.rank
               OR (excluded.rank = r.rank AND r.state = 'processing'
                   AND excluded.execution_id <> r.execution_id)
            RETURNING r.run_id
        )
        SELECT run_id FROM incoming_runs EXCEPT SELECT run_id FROM written
    """


def _rollups_sql() -> str:
    columns = ", ".join(ROLLUP_COLUMNS)
    parts = [f"{column} = r.{column} + excluded.{column}" for column in _ADDED]
    parts += [f"{column} = GREATEST(r.{column}, excluded.{column})" for column in _LATEST]
    parts.append("duration_min_ms = LEAST(r.duration_min_ms, excluded.duration_min_ms)")
    parts += [
        f"{column} = callboard.hist_add(r.{column}, excluded.{column})"
        for column in ("duration_hist", "wait_hist")
    ]
    return f"""
        INSERT INTO callboard.rollups AS r ({columns}) SELECT {columns} FROM incoming_rollups
        ORDER BY width_s, bucket, job, queue
        ON CONFLICT (width_s, job, queue, bucket) DO UPDATE SET {", ".join(parts)}
    """


_RUNS = _runs_sql()
_ROLLUPS = _rollups_sql()

_PROGRESS = """
    UPDATE callboard.runs SET progress = %s::jsonb
     WHERE run_id = %s AND enqueued_at = %s AND state = 'processing'
"""

_LOST = """
    WITH lost (run_id, enqueued_at, attempt, worker, at) AS (
        VALUES (%s::uuid, %s::timestamptz, %s::int, %s::text, %s::timestamptz)
    ), noted AS (
        UPDATE callboard.runs r SET reason = 'the worker died; the run goes again'
          FROM lost WHERE r.run_id = lost.run_id AND r.enqueued_at = lost.enqueued_at
           AND r.state = 'processing' AND r.worker = lost.worker
        RETURNING r.run_id, r.enqueued_at, r.attempt, r.execution_id, r.attempt_started_at, r.worker
    )
    INSERT INTO callboard.attempts (
        run_id, enqueued_at, attempt, execution_id, state, started_at, finished_at, worker, error_type,
        error, reason
    )
    SELECT n.run_id, n.enqueued_at, n.attempt, n.execution_id, 'failed', n.attempt_started_at, lost.at,
    n.worker,
           'WorkerLost', 'The worker died while the job was running.', 'worker lost'
      FROM noted n JOIN lost USING (run_id, enqueued_at)
    ON CONFLICT DO NOTHING
"""

_TURNED_AWAY = """
    UPDATE callboard.occurrences SET disposition = %s, reason = %s WHERE schedule_id = %s AND due_at = %s
"""

_POSITION = """
    INSERT INTO callboard.stream_position (stream, last_id) VALUES (%s, %s)
    ON CONFLICT (stream) DO UPDATE SET last_id = excluded.last_id, updated_at = now()
"""
