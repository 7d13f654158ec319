"""Writes a batch, in one transaction with the position in the stream that it was read up to.

Rows go through temporary tables: COPY is the fastest way in, and the INSERT out of them lets a run's state
only move forward. Each event counts once, however often and in whatever order events come: an end by the row
that it changed, a retry by the attempt that it added.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import psycopg

from callboard.storage.recorder.batch import (
    ATTEMPT_COLUMNS,
    GOES_AGAIN,
    KEPT,
    LOG_COLUMNS,
    RUN_COLUMNS,
    Batch,
)
from callboard.storage.recorder.breakers import write_changes
from callboard.storage.recorder.rollup import COUNTED, HELD, QUEUE_COLUMNS, ROLLUP_COLUMNS, rollup_rows
from callboard.storage.registry import register_jobs


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Make the temporary tables of a new connection."""
    for name, columns in _INCOMING.items():
        listed = ", ".join(f"{column} {_TYPES.get(column, 'text')}" for column in columns)
        connection.execute(f"CREATE TEMPORARY TABLE incoming_{name} ({listed}) ON COMMIT DELETE ROWS")
    connection.commit()


def write(
    connection: psycopg.Connection[Any],
    batch: Batch,
    stream: str,
    position: str,
    *,
    counted: bool = True,
    told: bool = True,
) -> None:
    """Write a batch and the position, or nothing.

    Where it is `counted` it adds to the rollups, where it is `told` it opens alerts.
    """
    with connection.transaction(), connection.cursor() as cursor:
        for source, jobs in batch.declarations:
            register_jobs(connection, source, jobs)
        if batch.lost:
            # Before the runs: those that go again may have come further in this very batch.
            cursor.executemany(_LOST, batch.lost)
        refused: set[str] = set()
        if batch.runs:
            refused = _write_runs(cursor, batch.runs.values())
        attempted: set[str] = set()
        if batch.attempts:
            _copy(cursor, "attempts", batch.attempts)
            cursor.execute(_ATTEMPTS)
            attempted = {str(row[0]) for row in cursor.fetchall()}
        if batch.log_lines:
            _copy(cursor, "log_lines", batch.log_lines)
            cursor.execute(_LOG_LINES)
        if batch.progress:
            cursor.executemany(_PROGRESS, list(batch.progress.values()))
        if batch.breaker_changes:
            write_changes(cursor, batch.breaker_changes, told=told)
        if batch.turned_away:
            cursor.executemany(_TURNED_AWAY, batch.turned_away)
        ends = [counts for run_id, counts in batch.ends.items() if run_id not in refused]
        retries = [counts for execution, counts in batch.retries.items() if execution in attempted]
        if counted and (ends or retries):
            added = rollup_rows([*ends, *retries])
            for name, rows in added._asdict().items():
                _copy(cursor, name, rows)
                cursor.execute(_ROLLUPS[name])
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
    # In the order in which callboard.end_runs and all others lock runs, so that none waits in a circle. An
    # ORDER BY in the INSERT costs a third more.
    _copy(cursor, "runs", sorted(rows, key=_ORDER))
    cursor.execute(_RUNS)
    refused = {str(row[0]) for row in cursor.fetchall()}
    if refused:
        cursor.execute(_FILL, (list(refused),))
    return refused


def _copy(cursor: psycopg.Cursor[Any], name: str, rows: Iterable[Sequence[Any]]) -> None:
    with cursor.copy(f"COPY incoming_{name} FROM STDIN WITH (NULL E'\\x01')") as copy:
        copy.write("".join([_line(row) for row in rows]))


def _line(row: Sequence[Any]) -> str:
    """A row in COPY's text format. Several times faster than the driver's own way, and on the hot path."""
    line = "\t".join(
        [value if type(value) is str else _NULL if value is None else str(value) for value in row]
    )
    if "\\" in line or "\n" in line or "\r" in line or line.count("\t") >= len(row):
        values = (_NULL if value is None else str(value).translate(_ESCAPES) for value in row)
        line = "\t".join(values)
    return line + "\n"


def _selected(columns: Iterable[str]) -> str:
    return ", ".join(_VALUES.get(column, column) for column in columns)


def _insert_sql(name: str) -> str:
    columns = _INCOMING[name]
    return f"""
        INSERT INTO callboard.{name} ({", ".join(columns)}) SELECT {_selected(columns)} FROM incoming_{name}
        ON CONFLICT DO NOTHING{" RETURNING execution_id" if name == "attempts" else ""}
    """


def _runs_sql() -> str:
    changes = []
    for column in RUN_COLUMNS[2:]:
        new, old = f"excluded.{column}", f"r.{column}"
        if column == "started_at":
            new = f"LEAST({old}, {new})"
        elif column in KEPT:
            new = f"COALESCE({new}, {old})"
        elif column == "progress":
            new = f"CASE WHEN excluded.attempt > r.attempt THEN {new} ELSE COALESCE({new}, {old}) END"
        elif column == "trigger":
            new = f"CASE {new} WHEN 'code' THEN {old} ELSE {new} END"
        changes.append(f"{column} = {new}")
    # A message whose worker died runs again under the same attempt number: then the newer execution counts.
    return f"""
        WITH written AS (
            INSERT INTO callboard.runs AS r ({", ".join(RUN_COLUMNS)})
            SELECT {_selected(RUN_COLUMNS)} FROM incoming_runs
            ON CONFLICT (run_id, enqueued_at) DO UPDATE SET {", ".join(changes)}
            WHERE excluded.rank > r.rank
               OR (excluded.rank = r.rank AND r.state = 'processing'
                   AND excluded.execution_id <> r.execution_id)
            RETURNING r.run_id
        )
        SELECT run_id FROM incoming_runs EXCEPT SELECT run_id FROM written
    """


def _fill_sql() -> str:
    """What an event that came too late knows of its run, and nobody else has said."""
    changes = [f"{column} = COALESCE(r.{column}, i.{column})" for column in KEPT]
    columns = ", ".join(_selected([column]) + f" AS {column}" for column in ("run_id", "enqueued_at", *KEPT))
    return f"""
        UPDATE callboard.runs r
           SET {", ".join(changes)}, started_at = LEAST(r.started_at, i.started_at),
               trigger = CASE r.trigger WHEN 'code' THEN i.trigger ELSE r.trigger END,
               progress = COALESCE(r.progress, CASE WHEN i.attempt = r.attempt THEN i.progress END)
          FROM (
                SELECT {columns}, {_selected(["started_at"])} AS started_at, trigger, attempt,
                       {_selected(["progress"])} AS progress
                  FROM incoming_runs
               ) AS i
         WHERE r.run_id = i.run_id AND r.enqueued_at = i.enqueued_at AND i.run_id = ANY (%s::uuid[])
    """


def _rollups_sql(name: str, key: Sequence[str]) -> str:
    columns = _INCOMING[name]
    merged = {
        **dict.fromkeys((*COUNTED, *_SUMS), "{old} + {new}"),
        **dict.fromkeys(HELD, "COALESCE({old} + {new}, {old}, {new})"),
        "busy_sum_ms": "COALESCE({old}, r.duration_sum_ms) + {new}",
        **dict.fromkeys(_LATEST, "GREATEST({old}, {new})"),
        **dict.fromkeys(_LEAST, "LEAST({old}, {new})"),
        **dict.fromkeys(_HISTOGRAMS, "callboard.hist_add({old}, {new})"),
    }
    changes = [
        f"{column} = " + merged[column].format(old=f"r.{column}", new=f"excluded.{column}")
        for column in columns
        if column not in key
    ]
    return f"""
        INSERT INTO callboard.{name} AS r ({", ".join(columns)})
        SELECT {_selected(columns)} FROM incoming_{name} ORDER BY {", ".join(key)}
        ON CONFLICT ({", ".join(key)}) DO UPDATE SET {", ".join(changes)}
    """


#: The moment at which a run was sent, and its id.
_ORDER = itemgetter(RUN_COLUMNS.index("enqueued_at"), RUN_COLUMNS.index("run_id"))

#: Stands for NULL. A text that is nothing else becomes NULL, which is as good.
_NULL = "\x01"

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

_INCOMING = {
    "runs": RUN_COLUMNS,
    "attempts": ATTEMPT_COLUMNS,
    "log_lines": LOG_COLUMNS,
    "rollups": ROLLUP_COLUMNS,
    "queue_rollups": QUEUE_COLUMNS,
}

_MOMENTS = (
    "enqueued_at", "due_at", "ready_at", "fetched_at", "started_at", "attempt_started_at", "finished_at",
    "next_retry_at", "at", "last_run_at", "last_success_at", "last_failure_at",
)  # fmt: skip
_DOCUMENTS = ("args", "kwargs", "result", "progress", "flow", "held")
_SUMS = ("finished", "duration_sum_ms", "wait_sum_ms", "lag_sum_ms", "delay_sum_ms", "hand_sum_ms")
_LATEST = ("duration_max_ms", "wait_max_ms", "last_run_at", "last_success_at", "last_failure_at")
_LEAST = ("duration_min_ms",)
_HISTOGRAMS = ("duration_hist", "wait_hist")
#: The types of incoming columns that are not text; moments come as ms since the epoch, buckets as s.
_TYPES = {
    **dict.fromkeys(
        (
            *_MOMENTS, *COUNTED, *_SUMS, *HELD, *_LATEST, *_LEAST, "busy_sum_ms", "rank", "attempt",
            "max_attempts", "schedule_id", "wait_ms", "duration_ms", "time_limit_ms", "seq", "width_s",
            "bucket",
        ),
        "bigint",
    ),
    **dict.fromkeys(("run_id", "execution_id"), "uuid"),
    **dict.fromkeys(_HISTOGRAMS, "integer[]"),
}  # fmt: skip

#: How incoming columns become the real ones, where they differ.
_VALUES = {
    **{column: f"to_timestamp({column}::double precision / 1000)" for column in _MOMENTS},
    **{column: f"{column}::jsonb" for column in _DOCUMENTS},
    "bucket": "to_timestamp(bucket::double precision)",
}

_RUNS = _runs_sql()
_FILL = _fill_sql()
_ATTEMPTS = _insert_sql("attempts")
_LOG_LINES = _insert_sql("log_lines")
_ROLLUPS = {
    "rollups": _rollups_sql("rollups", ("width_s", "job", "queue", "bucket")),
    "queue_rollups": _rollups_sql("queue_rollups", ("width_s", "queue", "bucket")),
}

_PROGRESS = """
    UPDATE callboard.runs SET progress = %s::jsonb
     WHERE run_id = %s AND enqueued_at = to_timestamp(%s::double precision / 1000) AND state = 'processing'
"""

_LOST = f"""
    WITH lost (run_id, enqueued_at, worker, at, error_type, error) AS (
        SELECT %s::uuid, to_timestamp(%s::double precision / 1000), %s::text,
               to_timestamp(%s::double precision / 1000), %s::text, %s::text
    ), noted AS (
        UPDATE callboard.runs r SET reason = lost.error || '{GOES_AGAIN}'
          FROM lost WHERE r.run_id = lost.run_id AND r.enqueued_at = lost.enqueued_at
           AND r.state = 'processing' AND r.worker = lost.worker
        RETURNING r.run_id, r.enqueued_at, r.attempt, r.execution_id, r.attempt_started_at, r.worker
    )
    INSERT INTO callboard.attempts (
        run_id, enqueued_at, attempt, execution_id, state, started_at, finished_at, worker, error_type,
        error
    )
    SELECT n.run_id, n.enqueued_at, n.attempt, n.execution_id, 'failed', n.attempt_started_at, lost.at,
           n.worker, lost.error_type, lost.error
      FROM noted n JOIN lost USING (run_id, enqueued_at)
    ON CONFLICT DO NOTHING
"""

_TURNED_AWAY = """
    UPDATE callboard.occurrences SET disposition = %s, reason = %s
     WHERE schedule_id = %s AND due_at = to_timestamp(%s::double precision / 1000)
       AND NOT EXISTS (
           SELECT FROM callboard.runs
            WHERE run_id = %s AND enqueued_at = to_timestamp(%s::double precision / 1000)
              AND started_at IS NOT NULL)
"""

_POSITION = """
    INSERT INTO callboard.stream_position (stream, last_id) VALUES (%s, %s)
    ON CONFLICT (stream) DO UPDATE SET last_id = excluded.last_id, updated_at = now()
"""
